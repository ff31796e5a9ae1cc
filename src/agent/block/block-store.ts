// The block list on disk, in LMDB: an edit is one transaction and on disk before put returns. Who blocks what, and nothing of what
// that means for packets.
import { chmodSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { DataplaneError } from '../../base/errors.ts';
import { makeDirectory } from '../../kernel/make-directory.ts';
import type { Family } from '../../model/address.ts';
import { ADDRESS_WORDS, PrefixSet } from '../../tables/prefix-set.ts';
import { requireDatabaseFile } from '../store/lmdb-file.ts';
import { type BlockEdit, type BlockEntry, type Feed, type FeedInfo, infoOf } from './block-list.ts';

const FILE = 'blocks.mdb';
const FAMILIES: readonly Family[] = [4, 6];

export class BlockStore {
  readonly #path: string;
  readonly #root: RootDatabase;
  readonly #entries: Database<BlockEntry, string>;
  readonly #feeds: Database<FeedInfo, string>;
  /** Prefixes of each feed by its name and family: addresses, then lengths, in the machine's byte order. */
  readonly #prefixes: Database<Buffer, [string, Family]>;

  private constructor(path: string, root: RootDatabase) {
    this.#path = path;
    this.#root = root;
    this.#entries = root.openDB({ name: 'entries', encoding: 'json' });
    this.#feeds = root.openDB({ name: 'feeds', encoding: 'json' });
    this.#prefixes = root.openDB({ name: 'prefixes', encoding: 'binary' });
  }

  static isThere(stateDirectory: string): boolean {
    return existsSync(join(stateDirectory, FILE));
  }

  /** Opens or makes the store of a state directory. Only one process may have it open. Throws STORE_FAILED. */
  static open(stateDirectory: string): BlockStore {
    const path = join(stateDirectory, FILE);
    return attempt('open', path, () => {
      makeDirectory(stateDirectory);
      requireDatabaseFile(path);
      // Loading it takes a tenth of a second, which an agent that blocks nothing must not pay.
      const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb');
      // With overlapping sync a commit would return before it is on disk.
      const root = open({ path, noSubdir: true, overlappingSync: false, maxDbs: 4 });
      for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
      return new BlockStore(path, root as RootDatabase);
    });
  }

  /** Everything, as an edit of an empty list. Throws STORE_FAILED. */
  read(): Required<Pick<BlockEdit, 'entries' | 'feeds'>> {
    return attempt('read', this.#path, () => ({
      entries: [...this.#entries.getRange()].map(({ value }) => value),
      feeds: [...this.#feeds.getRange()].map(({ value }) => ({ ...value, sets: this.#setsOf(value.name) })),
    }));
  }

  /** On disk when it returns. Throws STORE_FAILED: nothing is changed then. */
  put({ entries = [], feeds = [], removedEntries = [], removedFeeds = [] }: BlockEdit): void {
    attempt('write', this.#path, () =>
      this.#root.transactionSync(() => {
        for (const cidr of removedEntries) this.#entries.removeSync(cidr);
        for (const name of removedFeeds) this.#removeFeed(name);
        for (const entry of entries) this.#entries.putSync(entry.cidr, entry);
        for (const feed of feeds) this.#putFeed(feed);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #putFeed(feed: Feed): void {
    this.#feeds.putSync(feed.name, infoOf(feed));
    for (const family of FAMILIES) this.#prefixes.putSync([feed.name, family], bytesOf(feed.sets[family]));
  }

  #removeFeed(name: string): void {
    this.#feeds.removeSync(name);
    for (const family of FAMILIES) this.#prefixes.removeSync([name, family]);
  }

  #setsOf(name: string): Feed['sets'] {
    const [v4, v6] = FAMILIES.map((family) => setOf(family, this.#prefixes.get([name, family]) ?? Buffer.alloc(0)));
    return { 4: v4 as PrefixSet, 6: v6 as PrefixSet };
  }
}

function bytesOf({ family, words, lengths, count }: PrefixSet): Buffer {
  const addresses = words.subarray(0, ADDRESS_WORDS[family] * count);
  const bytes = Buffer.from(addresses.buffer, addresses.byteOffset, addresses.byteLength);
  return Buffer.concat([bytes, lengths.subarray(0, count)]);
}

function setOf(family: Family, bytes: Buffer): PrefixSet {
  const wordBytes = 4 * ADDRESS_WORDS[family];
  const count = Math.floor(bytes.length / (wordBytes + 1));
  // The store may give its own memory, which is not aligned, and not ours.
  const copy = Uint8Array.from(bytes);
  const words = new Uint32Array(copy.buffer, 0, (count * wordBytes) / 4);
  return new PrefixSet(family, words, copy.subarray(count * wordBytes));
}

function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof DataplaneError) throw cause;
    throw new DataplaneError('STORE_FAILED', (cause as Error).message, {
      operation: `${operation} block list`,
      target: path,
      hint: 'nothing was changed',
      cause,
    });
  }
}
