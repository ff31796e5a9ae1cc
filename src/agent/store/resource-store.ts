// The agent's own resources and the history of their changes, in LMDB. A change is one transaction and on disk before
// commit returns: after a crash or a power cut each change is there whole or not at all. What a change means is not
// known here.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { DataplaneError } from '../../base/errors.ts';
import type { Confirmation } from './confirmation.ts';
import type { FileEntry, HistoryEntry, StoreEntry } from './history.ts';
import { attempt, attemptEach, openRoot } from './lmdb-root.ts';
import type { StoredObject } from './stored-object.ts';

/** What commit is told: the store itself numbers and keeps it. */
export type ChangeDraft = Omit<StoreEntry, 'revision'>;
/** What record is told. */
export type EditDraft = Omit<FileEntry, 'revision'>;

export type StoreListener = (entry: HistoryEntry) => void;

interface Head {
  readonly revision: number;
  /** History begins after it. */
  readonly compacted: number;
}

const FILE = 'store.mdb';
const HEAD = 'head';
const PENDING = 'pending';
/** Entries of history that are kept unless told otherwise. */
const KEPT_REVISIONS = 10_000;
/** Bytes of history at which old entries go, however few they are. */
const KEPT_BYTES = 256 * 1024 * 1024;
/** Old entries that one change takes away at most, so that no change waits for many. */
const COMPACTED_AT_ONCE = 100;
const EMPTY: Head = { revision: 0, compacted: 0 };

interface Opened {
  readonly root: RootDatabase;
  readonly objects: Database<StoredObject, string>;
  readonly history: Database<HistoryEntry, number>;
  readonly meta: Database<Head | Confirmation, string>;
}

export class ResourceStore {
  readonly #path: string;
  readonly #opened: Opened;
  #isClosed = false;
  readonly #keptRevisions: number;
  readonly #keptBytes: number;
  readonly #listeners = new Set<StoreListener>();
  #head: Head;

  private constructor(path: string, keptRevisions: number, keptBytes: number) {
    this.#path = path;
    this.#keptRevisions = keptRevisions;
    this.#keptBytes = keptBytes;
    this.#opened = openAll(path);
    this.#head = headOf(this.#opened);
  }

  /** Opens or makes the store of a state directory. Only one process may have it open. Throws STORE_FAILED. */
  static open(stateDirectory: string, keptRevisions = KEPT_REVISIONS, keptBytes = KEPT_BYTES): ResourceStore {
    const path = storePath(stateDirectory);
    return attempt('open store', path, () => new ResourceStore(path, keptRevisions, keptBytes));
  }

  /** Of the last change; 0 = there was none. */
  get revision(): number {
    return this.#head.revision;
  }

  /** The last revision that history has no entry of. */
  get compacted(): number {
    return this.#head.compacted;
  }

  get objectCount(): number {
    return this.#read(({ objects }) => (objects.getStats() as { entryCount: number }).entryCount);
  }

  get(id: string): StoredObject | undefined {
    return this.#read(({ objects }) => objects.get(id));
  }

  /** By id, those from an id on. */
  *objects(from = ''): Generator<StoredObject, void, void> {
    const start = from === '' ? undefined : from;
    for (const { value } of this.#readEach(({ objects }) => objects.getRange({ start }))) yield value;
  }

  /** The change that awaits a confirmation. */
  get pending(): Confirmation | undefined {
    return this.#read(({ meta }) => meta.get(PENDING) as Confirmation | undefined);
  }

  entry(revision: number): HistoryEntry | undefined {
    return this.#read(({ history }) => history.get(revision));
  }

  /** Later than a revision, the oldest first. Throws REVISION_GONE. */
  *entriesAfter(revision: number): Generator<HistoryEntry, void, void> {
    this.requireHistory(revision);
    for (const { value } of this.#readEach(({ history }) => history.getRange({ start: revision + 1 }))) yield value;
  }

  /** The latest first, from `before` (not included) back. */
  *entriesBack(before = Number.MAX_SAFE_INTEGER): Generator<HistoryEntry, void, void> {
    const range = { start: before, reverse: true, exclusiveStart: true };
    for (const { value } of this.#readEach(({ history }) => history.getRange(range))) yield value;
  }

  /** Throws REVISION_GONE unless every change after the revision is known. */
  requireHistory(revision: number): void {
    if (revision >= this.compacted && revision <= this.revision) return;
    throw new DataplaneError('REVISION_GONE', 'history does not know what came after it', {
      operation: 'read history after',
      target: `revision ${revision}`,
      expected: `${this.compacted} to ${this.revision}`,
    });
  }

  /**
   * Stores a change as the next revision. `pending` = it awaits confirmation (given its revision); null = what awaited
   * one no longer does. On disk when it returns. Throws STORE_FAILED: nothing is changed then.
   */
  commit(draft: ChangeDraft, pending?: ((revision: number) => Confirmation) | null): StoreEntry {
    const entry: StoreEntry = { revision: this.revision + 1, ...draft };
    this.#write(entry, ({ objects, meta }) => {
      for (const { id, after } of entry.changes) {
        if (after === undefined) objects.removeSync(id);
        else objects.putSync(id, after);
      }
      if (pending === null) meta.removeSync(PENDING);
      else if (pending !== undefined) meta.putSync(PENDING, pending(entry.revision));
    });
    this.#tell(entry);
    return entry;
  }

  /**
   * Keeps a change of manifest files as the next revision; what is stored stays as it is. On disk when it returns. Throws
   * STORE_FAILED: nothing is changed then.
   */
  record(draft: EditDraft): FileEntry {
    const entry: FileEntry = { revision: this.revision + 1, ...draft };
    this.#write(entry, () => undefined);
    this.#tell(entry);
    return entry;
  }

  /** Lets the change that awaits a confirmation stay. Throws NOT_FOUND, and STORE_FAILED. */
  confirm(revision: number, now: Date): StoreEntry {
    const entry = this.entry(revision);
    if (this.pending?.revision !== revision || entry === undefined || entry.verb === 'edit') {
      throw new DataplaneError('NOT_FOUND', 'does not await a confirmation', {
        operation: 'confirm',
        target: `revision ${revision}`,
        hint: 'it was confirmed or undone before: see history',
      });
    }
    const confirmed = { ...entry, confirmed: now.toISOString() };
    this.#change(({ history, meta }) => {
      history.putSync(revision, confirmed);
      meta.removeSync(PENDING);
    });
    return confirmed;
  }

  /** The returned function stops it. */
  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#isClosed = true;
    await this.#opened.root.close();
  }

  /** The change is made, whatever becomes of those who are told. */
  #tell(entry: HistoryEntry): void {
    for (const listener of this.#listeners) {
      try {
        listener(entry);
      } catch {
        // A watch that cannot be served: its client asks again.
      }
    }
  }

  /** Throws STORE_FAILED. */
  #read<T>(call: (opened: Opened) => T): T {
    return attempt('read store', this.#path, () => call(this.#open()));
  }

  /** Throws STORE_FAILED. */
  #readEach<T>(items: (opened: Opened) => Iterable<T>): Iterable<T> {
    return attemptEach('read store', this.#path, () => items(this.#open()));
  }

  #open(): Opened {
    if (this.#isClosed) throw new Error('is closed');
    return this.#opened;
  }

  /** All or nothing, and on disk when it returns. Throws STORE_FAILED. */
  #change<T>(call: (opened: Opened) => T): T {
    return attempt('write store', this.#path, () => {
      const opened = this.#open();
      return opened.root.transactionSync(() => call(opened));
    });
  }

  #write(entry: HistoryEntry, change: (opened: Opened) => void): void {
    this.#head = this.#change((opened) => {
      change(opened);
      opened.history.putSync(entry.revision, entry);
      const next: Head = { revision: entry.revision, compacted: this.#compact(opened.history, entry.revision) };
      opened.meta.putSync(HEAD, next);
      return next;
    });
  }

  /** What awaits confirmation stays in history, however old. Returns the last revision that is gone. */
  #compact(history: Opened['history'], revision: number): number {
    const { compacted } = this.#head;
    const newest = Math.min((this.pending?.revision ?? revision) - 1, compacted + COMPACTED_AT_ONCE);
    const isOld = (at: number): boolean =>
      at <= revision - this.#keptRevisions || historyBytes(history) > this.#keptBytes;
    let end = compacted;
    while (end < newest && isOld(end + 1)) history.removeSync(++end);
    return end;
  }
}

function openAll(path: string): Opened {
  const root = openRoot(path);
  try {
    return {
      root,
      objects: root.openDB({ name: 'objects', encoding: 'json' }),
      history: root.openDB({ name: 'history', encoding: 'json' }),
      meta: root.openDB({ name: 'meta', encoding: 'json' }),
    };
  } catch (error) {
    // Opened again it would be the same one, with whatever is wrong with it.
    void root.close();
    throw error;
  }
}

function headOf({ meta }: Opened): Head {
  return (meta.get(HEAD) as Head | undefined) ?? EMPTY;
}

/** That its pages take. */
function historyBytes(history: Database<HistoryEntry, number>): number {
  const stats = history.getStats() as {
    readonly pageSize: number;
    readonly treeBranchPageCount: number;
    readonly treeLeafPageCount: number;
    readonly overflowPages: number;
  };
  return stats.pageSize * (stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages);
}

/** What tells one content of the store's file from another without reading it; empty = there is no store. */
export function storeStamp(stateDirectory: string): string {
  const stat = statSync(storePath(stateDirectory), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function storePath(stateDirectory: string): string {
  return join(stateDirectory, FILE);
}
