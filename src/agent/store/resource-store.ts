// The agent's own resources and the history of their changes, in LMDB. A change is one transaction and on disk before
// commit returns: after a crash or a power cut each change is there whole or not at all. What a change means is not
// known here.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { DataplaneError } from '../../base/errors.ts';
import type { Confirmation } from './confirmation.ts';
import type { HistoryEntry } from './history.ts';
import { attempt, openRoot } from './lmdb-root.ts';
import type { StoredObject } from './stored-object.ts';

/** What commit is told: the store itself numbers and keeps it. */
export type ChangeDraft = Omit<HistoryEntry, 'revision'>;

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
/** Old entries that one change takes away at most, so that no change waits for many. */
const COMPACTED_AT_ONCE = 100;
const EMPTY: Head = { revision: 0, compacted: 0 };

export class ResourceStore {
  readonly #path: string;
  readonly #root: RootDatabase;
  readonly #objects: Database<StoredObject, string>;
  readonly #history: Database<HistoryEntry, number>;
  readonly #meta: Database<Head | Confirmation, string>;
  readonly #keptRevisions: number;
  readonly #listeners = new Set<StoreListener>();
  #head: Head;

  private constructor(path: string, root: RootDatabase, keptRevisions: number) {
    this.#path = path;
    this.#root = root;
    this.#keptRevisions = keptRevisions;
    this.#objects = root.openDB({ name: 'objects', encoding: 'json' });
    this.#history = root.openDB({ name: 'history', encoding: 'json' });
    this.#meta = root.openDB({ name: 'meta', encoding: 'json' });
    this.#head = (this.#meta.get(HEAD) as Head | undefined) ?? EMPTY;
  }

  /** Opens or makes the store of a state directory. Only one process may have it open. Throws STORE_FAILED. */
  static open(stateDirectory: string, keptRevisions = KEPT_REVISIONS): ResourceStore {
    const path = storePath(stateDirectory);
    return attempt('open store', path, () => new ResourceStore(path, openRoot(path), keptRevisions));
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
    return (this.#objects.getStats() as { entryCount: number }).entryCount;
  }

  get(id: string): StoredObject | undefined {
    return this.#objects.get(id);
  }

  /** By id, those from an id on. */
  *objects(from = ''): Generator<StoredObject, void, void> {
    for (const { value } of this.#objects.getRange({ start: from === '' ? undefined : from })) yield value;
  }

  /** The change that awaits a confirmation. */
  get pending(): Confirmation | undefined {
    return this.#meta.get(PENDING) as Confirmation | undefined;
  }

  entry(revision: number): HistoryEntry | undefined {
    return this.#history.get(revision);
  }

  /** Later than a revision, the oldest first. Throws REVISION_GONE. */
  *entriesAfter(revision: number): Generator<HistoryEntry, void, void> {
    this.requireHistory(revision);
    for (const { value } of this.#history.getRange({ start: revision + 1 })) yield value;
  }

  /** The latest first, from `before` (not included) back. */
  *entriesBack(before = Number.MAX_SAFE_INTEGER): Generator<HistoryEntry, void, void> {
    for (const { value } of this.#history.getRange({ start: before, reverse: true, exclusiveStart: true })) yield value;
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
  commit(draft: ChangeDraft, pending?: ((revision: number) => Confirmation) | null): HistoryEntry {
    const entry: HistoryEntry = { revision: this.revision + 1, ...draft };
    const head = attempt('write store', this.#path, () =>
      this.#root.transactionSync(() => {
        for (const { id, after } of entry.changes) {
          if (after === undefined) this.#objects.removeSync(id);
          else this.#objects.putSync(id, after);
        }
        this.#history.putSync(entry.revision, entry);
        const next: Head = { revision: entry.revision, compacted: this.#compact(entry.revision) };
        this.#meta.putSync(HEAD, next);
        if (pending === null) this.#meta.removeSync(PENDING);
        else if (pending !== undefined) this.#meta.putSync(PENDING, pending(entry.revision));
        return next;
      }),
    );
    this.#head = head;
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** Lets the change that awaits a confirmation stay. Throws NOT_FOUND, and STORE_FAILED. */
  confirm(revision: number, now: Date): HistoryEntry {
    const entry = this.entry(revision);
    if (this.pending?.revision !== revision || entry === undefined) {
      throw new DataplaneError('NOT_FOUND', 'does not await a confirmation', {
        operation: 'confirm',
        target: `revision ${revision}`,
        hint: 'it was confirmed or undone before: see history',
      });
    }
    const confirmed = { ...entry, confirmed: now.toISOString() };
    attempt('write store', this.#path, () =>
      this.#root.transactionSync(() => {
        this.#history.putSync(revision, confirmed);
        this.#meta.removeSync(PENDING);
      }),
    );
    return confirmed;
  }

  /** The returned function stops it. */
  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#root.close();
  }

  /** What awaits confirmation stays in history, however old. Returns the last revision that is gone. */
  #compact(revision: number): number {
    const wanted = Math.min(revision - this.#keptRevisions, (this.pending?.revision ?? revision) - 1);
    const end = Math.min(wanted, this.#head.compacted + COMPACTED_AT_ONCE);
    for (let at = this.#head.compacted + 1; at <= end; at += 1) this.#history.removeSync(at);
    return Math.max(end, this.#head.compacted);
  }
}

/** What tells one content of the store's file from another without reading it; empty = there is no store. */
export function storeStamp(stateDirectory: string): string {
  const stat = statSync(storePath(stateDirectory), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function storePath(stateDirectory: string): string {
  return join(stateDirectory, FILE);
}
