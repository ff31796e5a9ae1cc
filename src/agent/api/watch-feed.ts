// What a watch is sent, as fast as its reader takes it: what is there, what history has since then, and what comes. Nothing piles
// up for a slow reader: changes that come meanwhile are read from history when it has got those before.
import type { HistoryEntry } from '../store/history.ts';
import type { ResourceStore } from '../store/resource-store.ts';
import type { StoredObject } from '../store/stored-object.ts';
import type { Stream } from './route.ts';

/** What the store has under that id: a file that defines the object as well counts in its place. */
export type Stored = (id: string) => StoredObject | undefined;

export interface WatchFeedParts {
  readonly store: Pick<ResourceStore, 'entriesBack' | 'entry' | 'get' | 'listen' | 'requireHistory' | 'revision'>;
  readonly stream: Stream;
  /** Ids of the objects that are watched begin with it. */
  readonly prefix: string;
  readonly eventsOf: (entry: HistoryEntry, stored: Stored) => Iterable<object>;
  readonly bookmarkAt: (revision: number) => object;
}

const BOOKMARK_MS = 15_000;

/** Of a change of files, what the store had under the ids that it covered or uncovered; by revision. */
type Covered = Map<number, Map<string, StoredObject>>;

export class WatchFeed {
  readonly #parts: WatchFeedParts;
  readonly #covered: Covered;
  /** Of the last change that was written whole. */
  #sent: number;
  #isWriting = false;
  /** A watch can be taken up again from there without a gap: not from an event of a change that has more of them. */
  #owesBookmark = true;
  /** The change that came last, which need not be read from history. */
  #latest: HistoryEntry | undefined;

  /** Of what came after the revision. Throws STORE_FAILED. */
  constructor(parts: WatchFeedParts, revision: number) {
    this.#parts = parts;
    this.#sent = revision;
    this.#covered = coveredSince(parts, revision);
  }

  /** Goes on until the stream ends. `there` = what is there at the revision, if that is to come first. */
  start(there?: Iterable<object>): void {
    const { store, stream } = this.#parts;
    const stop = store.listen((entry) => this.#hear(entry));
    const bookmarks = setInterval(() => {
      this.#owesBookmark = true;
      this.#goOn();
    }, BOOKMARK_MS);
    stream.onEnd(() => {
      stop();
      clearInterval(bookmarks);
    });
    this.#goOn(there);
  }

  #hear(entry: HistoryEntry): void {
    const { store, prefix } = this.#parts;
    this.#latest = entry;
    noteCovered(this.#covered, entry, prefix, (id) => store.get(id));
    // Once the change is in force: what is shown of an object may follow from that.
    setImmediate(() => this.#goOn());
  }

  #goOn(there?: Iterable<object>): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.#write(there);
  }

  async #write(there: Iterable<object> | undefined): Promise<void> {
    const { store, stream } = this.#parts;
    try {
      let isTaken = there === undefined || ((await stream.writeLines(there)) && (await this.#writeBookmark()));
      while (isTaken && (this.#sent < store.revision || this.#owesBookmark)) {
        isTaken = this.#sent < store.revision ? await this.#writeNext() : await this.#writeBookmark();
      }
    } catch {
      // History may have gone on without it. Its client takes the watch up again, and is told.
      stream.cut();
    }
    this.#isWriting = false;
  }

  /** False = the client is gone. Throws REVISION_GONE. */
  async #writeNext(): Promise<boolean> {
    const entry = this.#next();
    const { revision } = entry;
    const covered = this.#covered.get(revision);
    const events = this.#parts.eventsOf(entry, (id) => covered?.get(id));
    let count = 0;
    const counted = function* (): Generator<object> {
      for (const event of events) {
        count += 1;
        yield event;
      }
    };
    if (!(await this.#parts.stream.writeLines(counted()))) return false;
    this.#covered.delete(revision);
    this.#sent = revision;
    return count < 2 || this.#writeBookmark();
  }

  #next(): HistoryEntry {
    const { store } = this.#parts;
    const latest = this.#latest;
    this.#latest = undefined;
    if (latest?.revision === this.#sent + 1) return latest;
    store.requireHistory(this.#sent);
    return store.entry(this.#sent + 1) as HistoryEntry;
  }

  #writeBookmark(): Promise<boolean> {
    this.#owesBookmark = false;
    return this.#parts.stream.writeLines([this.#parts.bookmarkAt(this.#sent)]);
  }
}

/** Found from the latest back, because history says of each object what it was before. */
function coveredSince({ store, prefix }: WatchFeedParts, revision: number): Covered {
  const covered: Covered = new Map();
  const later = new Map<string, StoredObject | undefined>();
  for (const entry of store.entriesBack()) {
    if (entry.revision <= revision) break;
    noteCovered(covered, entry, prefix, (id) => (later.has(id) ? later.get(id) : store.get(id)));
    if (entry.verb === 'edit') continue;
    for (const { id, before } of entry.changes) if (id.startsWith(prefix)) later.set(id, before);
  }
  return covered;
}

function noteCovered(covered: Covered, entry: HistoryEntry, prefix: string, stored: Stored): void {
  if (entry.verb !== 'edit') return;
  const found = new Map<string, StoredObject>();
  for (const { id, before, after } of entry.changes) {
    if (!id.startsWith(prefix) || (before !== undefined && after !== undefined)) continue;
    const object = stored(id);
    if (object !== undefined) found.set(id, object);
  }
  if (found.size > 0) covered.set(entry.revision, found);
}
