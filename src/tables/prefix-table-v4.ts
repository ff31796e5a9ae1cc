// IPv4 prefixes as three levels of 16, 8 and 8 bits. Entries and chunks are words, the last level has a byte for each
// address. Layout: bpf/abi/guard.h.
import { GuardDims, GuardEntry } from '../abi/guard.gen.ts';
import type { PrefixList } from './prefix-table-list.ts';
import type { PrefixNodes } from './prefix-table-nodes.ts';
import { orderPrefixes } from './prefix-table-order.ts';

/** Offset of the root. */
export function compileV4Prefixes(list: PrefixList, nodes: PrefixNodes): number {
  const levels = new Levels(nodes);
  for (const index of orderPrefixes(list, 1)) {
    levels.add(list.words[index] as number, list.lengths[index] as number, list.classes[index] as number);
  }
  return levels.finish();
}

/** Prefixes come after all that contain them, so one chunk and one leaf are under way at any time. */
class Levels {
  readonly #nodes: PrefixNodes;
  readonly #root = new Uint32Array(GuardDims.ROOT_WORDS);
  readonly #chunk = new Uint32Array(GuardDims.CHUNK_WORDS);
  readonly #leafWords = new Uint32Array(GuardDims.LEAF_WORDS);
  readonly #leaf = new Uint8Array(this.#leafWords.buffer);
  /** First 16 bits of the addresses below the chunk under way, first 24 of those below the leaf; -1 = none. */
  #chunkAt = -1;
  #leafAt = -1;

  constructor(nodes: PrefixNodes) {
    this.#nodes = nodes;
  }

  add(address: number, length: number, classId: number): void {
    if (length <= 16) {
      this.#closeChunk();
      this.#root.fill(classId, address >>> 16, (address >>> 16) + 2 ** (16 - length));
      return;
    }
    this.#openChunk(address >>> 16);
    const middle = (address >>> 8) & 0xff;
    if (length <= 24) {
      this.#closeLeaf();
      this.#chunk.fill(classId, middle, middle + 2 ** (24 - length));
      return;
    }
    this.#openLeaf(address >>> 8);
    this.#leaf.fill(classId, address & 0xff, (address & 0xff) + 2 ** (32 - length));
  }

  finish(): number {
    this.#closeChunk();
    return this.#nodes.intern(this.#root);
  }

  #openChunk(at: number): void {
    if (this.#chunkAt === at) return;
    this.#closeChunk();
    this.#chunkAt = at;
    this.#chunk.fill(this.#root[at] as number);
  }

  #openLeaf(at: number): void {
    if (this.#leafAt === at) return;
    this.#closeLeaf();
    this.#leafAt = at;
    this.#leaf.fill(this.#chunk[at & 0xff] as number);
  }

  #closeLeaf(): void {
    if (this.#leafAt < 0) return;
    const only = uniform(this.#leafWords);
    const isOneClass = only !== undefined && Math.imul(only & 0xff, 0x01010101) >>> 0 === only;
    this.#chunk[this.#leafAt & 0xff] = isOneClass ? only & 0xff : node(this.#nodes.intern(this.#leafWords));
    this.#leafAt = -1;
  }

  #closeChunk(): void {
    this.#closeLeaf();
    if (this.#chunkAt < 0) return;
    const only = uniform(this.#chunk);
    const isOneClass = only !== undefined && (only & GuardEntry.NODE) === 0;
    this.#root[this.#chunkAt] = isOneClass ? only : node(this.#nodes.intern(this.#chunk));
    this.#chunkAt = -1;
  }
}

function node(offset: number): number {
  return (GuardEntry.NODE | offset) >>> 0;
}

/** The word that all are, or undefined. */
function uniform(words: Uint32Array): number | undefined {
  const first = words[0] as number;
  for (const word of words) if (word !== first) return undefined;
  return first;
}
