// The entries of history in LMDB. Changes of the store and changes of manifest files lie apart, each with a bound of its own:
// however often files change, they push no change of the store out. Part of ResourceStore.
import type { Database, RootDatabase } from 'lmdb';
import type { HistoryEntry } from './history.ts';

/** How much is kept of each of both; what is more goes, the oldest first. */
export interface KeptHistory {
  readonly entries: number;
  readonly bytes: number;
}

/** What has gone: the last revision of each of both, 0 = none. */
export interface Forgotten {
  readonly changes: number;
  readonly edits: number;
}

/** An entry that is not decoded yet. */
export interface RawEntry {
  readonly revision: number;
  readonly bytes: Buffer;
}

type Entries = Database<HistoryEntry, number>;

/** Old entries that one change takes away at most, so that no change waits for many. */
const COMPACTED_AT_ONCE = 100;

/** Every call reads and changes what is there at that moment: nothing is held open between two of them. */
export class HistoryLog {
  /** Those of files as well that an earlier version has written. */
  readonly #changes: Entries;
  readonly #edits: Entries;
  readonly #kept: KeptHistory;

  constructor(root: RootDatabase, kept: KeptHistory) {
    this.#changes = root.openDB({ name: 'history', encoding: 'json' });
    this.#edits = root.openDB({ name: 'edits', encoding: 'json' });
    this.#kept = kept;
  }

  get(revision: number): HistoryEntry | undefined {
    return this.#changes.get(revision) ?? this.#edits.get(revision);
  }

  /** The latest before a revision. */
  before(revision: number): RawEntry | undefined {
    // Where nothing has gone, one revision follows on the other.
    const near = this.#raw(revision - 1);
    if (near !== undefined) return near;
    const at = this.#revisionBefore(revision);
    return at === 0 ? undefined : this.#raw(at);
  }

  hasBefore(revision: number): boolean {
    return this.#revisionBefore(revision) > 0;
  }

  /** Writes an entry that is the latest, and gives up what is then too old, but not `pinned`. */
  put(entry: HistoryEntry, forgotten: Forgotten, pinned: number | undefined): Forgotten {
    const { revision } = entry;
    if (entry.verb === 'edit') {
      this.#edits.putSync(revision, entry);
      return { ...forgotten, edits: this.#compact(this.#edits, forgotten.edits, { revision }) };
    }
    this.#changes.putSync(revision, entry);
    return { ...forgotten, changes: this.#compact(this.#changes, forgotten.changes, { revision, pinned }) };
  }

  /** Writes another version of a change of the store. */
  replace(entry: HistoryEntry): void {
    this.#changes.putSync(entry.revision, entry);
  }

  /** Returns the last revision that is gone. What was pinned goes when it no longer is: those after it are gone already. */
  #compact(
    entries: Entries,
    gone: number,
    latest: { readonly revision: number; readonly pinned?: number | undefined },
  ): number {
    let last = gone;
    let at = firstAfter(entries, 0);
    for (let looked = 0; looked < COMPACTED_AT_ONCE && at < latest.revision; looked += 1) {
      if (at !== latest.pinned) {
        if (at > gone && !this.#isTooLong(entries)) break;
        entries.removeSync(at);
        last = Math.max(last, at);
      }
      at = firstAfter(entries, at);
    }
    return last;
  }

  #isTooLong(entries: Entries): boolean {
    const stats = entries.getStats() as {
      readonly entryCount: number;
      readonly pageSize: number;
      readonly treeBranchPageCount: number;
      readonly treeLeafPageCount: number;
      readonly overflowPages: number;
    };
    const pages = stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
    return stats.entryCount > this.#kept.entries || stats.pageSize * pages > this.#kept.bytes;
  }

  #raw(revision: number): RawEntry | undefined {
    const bytes = this.#changes.getBinary(revision) ?? this.#edits.getBinary(revision);
    return bytes && { revision, bytes };
  }

  /** 0 = none. */
  #revisionBefore(revision: number): number {
    return Math.max(lastBefore(this.#changes, revision), lastBefore(this.#edits, revision));
  }
}

export function decodeEntry({ bytes }: RawEntry): HistoryEntry {
  return JSON.parse(bytes.toString('utf8')) as HistoryEntry;
}

/** Whether an entry may change an object; false = it does not, which is known without decoding it. */
export function mayChange({ bytes }: RawEntry, id: string): boolean {
  return bytes.includes(`"id":${JSON.stringify(id)}`);
}

/** 0 = none. */
function lastBefore(entries: Entries, revision: number): number {
  const range = { start: revision, reverse: true, exclusiveStart: true, limit: 1 };
  for (const key of entries.getKeys(range)) return key;
  return 0;
}

/** Infinity = none. */
function firstAfter(entries: Entries, revision: number): number {
  for (const key of entries.getKeys({ start: revision + 1, limit: 1 })) return key;
  return Number.POSITIVE_INFINITY;
}
