// The agent's own resources and the history of their changes, in LMDB. A change is one transaction and on disk before
// commit returns: after a crash or a power cut each change is there whole or not at all. What a change means is not
// known here.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { DataplaneError } from '../../base/errors.ts';
import type { Who } from './actor.ts';
import type { Confirmation } from './confirmation.ts';
import type { FileEntry, HistoryEntry, StoreEntry } from './history.ts';
import { decodeEntry, HistoryLog, type KeptHistory, mayChange, type RawEntry } from './history-log.ts';
import { attempt, attemptEach, openRoot } from './lmdb-root.ts';
import type { StoredObject } from './stored-object.ts';

/** What commit is told: the store itself numbers and keeps it. */
export type ChangeDraft = Omit<StoreEntry, 'revision'>;
/** What record is told. */
export type EditDraft = Omit<FileEntry, 'revision'>;

export type StoreListener = (entry: HistoryEntry) => void;

interface Head {
  readonly revision: number;
  /** The last change of the store that has gone. */
  readonly compacted: number;
  /** The last change of files that has gone; undefined = none has. */
  readonly compactedEdits?: number;
}

const FILE = 'store.mdb';
const HEAD = 'head';
const PENDING = 'pending';
/** Changes of the store, and as many of files, that are kept unless told otherwise. */
const KEPT_REVISIONS = 10_000;
/** Bytes of each of both at which old entries go, however few they are. */
const KEPT_BYTES = 256 * 1024 * 1024;
const EMPTY: Head = { revision: 0, compacted: 0 };

interface Opened {
  readonly root: RootDatabase;
  readonly objects: Database<StoredObject, string>;
  readonly history: HistoryLog;
  readonly meta: Database<Head | Confirmation, string>;
}

export class ResourceStore {
  readonly #path: string;
  readonly #opened: Opened;
  #isClosed = false;
  readonly #listeners = new Set<StoreListener>();
  #head: Head;

  private constructor(path: string, keptRevisions: number, keptBytes: number) {
    this.#path = path;
    this.#opened = openAll(path, { entries: keptRevisions, bytes: keptBytes });
    this.#head = headOf(this.#opened);
  }

  /**
   * Opens or makes the store of a state directory, with so much history of changes of the store, and as much of files. Only
   * one process may have it open. Throws STORE_FAILED.
   */
  static open(stateDirectory: string, keptRevisions = KEPT_REVISIONS, keptBytes = KEPT_BYTES): ResourceStore {
    const path = storePath(stateDirectory);
    return attempt('open store', path, () => new ResourceStore(path, keptRevisions, keptBytes));
  }

  /** Of the last change; 0 = there was none. */
  get revision(): number {
    return this.#head.revision;
  }

  /** Of every later change history has the entry; of earlier ones, of some. */
  get compacted(): number {
    return Math.max(this.#head.compacted, this.#head.compactedEdits ?? 0);
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

  /** Later than a revision, the oldest first. Throws REVISION_GONE, and when one of them goes meanwhile. */
  *entriesAfter(revision: number): Generator<HistoryEntry, void, void> {
    for (let at = revision; ; at += 1) {
      this.requireHistory(at);
      if (at === this.revision) return;
      const entry = this.entry(at + 1);
      if (entry !== undefined) yield entry;
    }
  }

  /** The latest first, from `before` (not included) back; each is read when it is asked for. */
  *entriesBack(before?: number): Generator<HistoryEntry, void, void> {
    for (const raw of this.#rawBack(before)) yield this.#decode(raw);
  }

  /** The same, but so many at most, and no more once those before it take `bytes`. */
  *pageBack(before: number | undefined, limit: number, bytes: number): Generator<HistoryEntry, void, void> {
    let [entries, taken] = [0, 0];
    for (const raw of this.#rawBack(before)) {
      yield this.#decode(raw);
      entries += 1;
      taken += raw.bytes.length;
      if (entries >= limit || taken >= bytes) return;
    }
  }

  /** Those that may change an object, the latest first. The others are not decoded. */
  *entriesOf(id: string): Generator<HistoryEntry, void, void> {
    for (const raw of this.#rawBack()) if (mayChange(raw, id)) yield this.#decode(raw);
  }

  hasEntryBefore(revision: number): boolean {
    return this.#read(({ history }) => history.hasBefore(revision));
  }

  /** Throws REVISION_GONE unless every change after the revision is known. */
  requireHistory(revision: number): void {
    this.#requireAfter(revision, this.compacted);
  }

  /** The same, of changes of the store alone: there is a way back to the revision. */
  requireWayBack(revision: number): void {
    this.#requireAfter(revision, this.#head.compacted);
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
  confirm(revision: number, now: Date, confirmedBy: Who): StoreEntry {
    const entry = this.entry(revision);
    if (this.pending?.revision !== revision || entry === undefined || entry.verb === 'edit') {
      throw new DataplaneError('NOT_FOUND', 'does not await a confirmation', {
        operation: 'confirm',
        target: `revision ${revision}`,
        hint: 'it was confirmed or undone before: see history',
      });
    }
    const confirmed = { ...entry, confirmed: now.toISOString(), confirmedBy };
    this.#change(({ history, meta }) => {
      history.replace(confirmed);
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

  /** What awaits confirmation stays in history, however old: nothing else could undo it. */
  #write(entry: HistoryEntry, change: (opened: Opened) => void): void {
    this.#head = this.#change((opened) => {
      change(opened);
      const { compacted, compactedEdits = 0 } = this.#head;
      const gone = opened.history.put(entry, { changes: compacted, edits: compactedEdits }, this.pending?.revision);
      const next: Head = { revision: entry.revision, compacted: gone.changes, compactedEdits: gone.edits };
      opened.meta.putSync(HEAD, next);
      return next;
    });
  }

  *#rawBack(before = Number.MAX_SAFE_INTEGER): Generator<RawEntry, void, void> {
    for (let at = before; ; ) {
      const raw = this.#read(({ history }) => history.before(at));
      if (raw === undefined) return;
      yield raw;
      at = raw.revision;
    }
  }

  #decode(raw: RawEntry): HistoryEntry {
    return attempt('read store', this.#path, () => decodeEntry(raw));
  }

  #requireAfter(revision: number, compacted: number): void {
    if (revision >= compacted && revision <= this.revision) return;
    throw new DataplaneError('REVISION_GONE', 'history does not know what came after it', {
      operation: 'read history after',
      target: `revision ${revision}`,
      expected: `${compacted} to ${this.revision}`,
    });
  }
}

function openAll(path: string, kept: KeptHistory): Opened {
  const root = openRoot(path);
  try {
    return {
      root,
      objects: root.openDB({ name: 'objects', encoding: 'json' }),
      history: new HistoryLog(root, kept),
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

/** What tells one content of the store's file from another without reading it; empty = there is no store. */
export function storeStamp(stateDirectory: string): string {
  const stat = statSync(storePath(stateDirectory), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function storePath(stateDirectory: string): string {
  return join(stateDirectory, FILE);
}
