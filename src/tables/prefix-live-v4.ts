// IPv4 prefixes that share their first 16 bits: a number for each, in order, and the chunk and leaves that they compile to.
// Made anew with every change: there are never more than a few hundred thousand, and equal nodes are found again.
import { GuardClass, GuardDims, GuardEntry } from '../abi/guard.gen.ts';
import type { LiveNodes } from './prefix-live-nodes.ts';
import type { Branch, PrefixSpan } from './prefix-live-root.ts';

/** The address's lower half, then the prefix's length: in order as numbers. */
export type V4Prefixes = Uint32Array;

const LENGTH_BITS = 6;
const LENGTH = 2 ** LENGTH_BITS - 1;
const MIDDLE_BITS = 24;
const ALL_DROP = Math.imul(GuardClass.DROP, 0x01010101) >>> 0;

export class V4Branch implements Branch<V4Prefixes> {
  readonly #nodes: LiveNodes;
  readonly #chunk = new Uint32Array(GuardDims.CHUNK_WORDS);
  readonly #leafWords = new Uint32Array(GuardDims.LEAF_WORDS);
  readonly #leaf = new Uint8Array(this.#leafWords.buffer);

  constructor(nodes: LiveNodes) {
    this.#nodes = nodes;
  }

  merge(before: V4Prefixes | undefined, added: PrefixSpan, removed: PrefixSpan): V4Prefixes | undefined {
    const old = before ?? new Uint32Array(0);
    const [more, less] = [keysOf(added), keysOf(removed)];
    const merged = new Uint32Array(old.length + more.length);
    let count = 0;
    let [a, b, gone] = [0, 0, 0];
    while (a < old.length || b < more.length) {
      const key = Math.min(old[a] ?? Number.POSITIVE_INFINITY, more[b] ?? Number.POSITIVE_INFINITY);
      if (old[a] === key) a += 1;
      if (more[b] === key) b += 1;
      while (gone < less.length && (less[gone] as number) < key) gone += 1;
      if (less[gone] !== key) merged[count++] = key;
    }
    return count === 0 ? undefined : merged.slice(0, count);
  }

  compile(prefixes: V4Prefixes): number {
    const chunk = this.#chunk.fill(GuardClass.PASS);
    try {
      for (let from = 0; from < prefixes.length; ) {
        const key = prefixes[from] as number;
        const length = key & LENGTH;
        const at = key >>> (LENGTH_BITS + 8);
        if (length <= MIDDLE_BITS) {
          chunk.fill(GuardClass.DROP, at, at + 2 ** (MIDDLE_BITS - length));
          from += 1;
          continue;
        }
        let to = from + 1;
        while (to < prefixes.length && (prefixes[to] as number) >>> (LENGTH_BITS + 8) === at) to += 1;
        if (chunk[at] === GuardClass.PASS) chunk[at] = this.#compileLeaf(prefixes, from, to);
        from = to;
      }
      if (chunk.every((entry) => entry === GuardClass.DROP)) return GuardClass.DROP;
      return node(this.#nodes.intern(chunk));
    } catch (error) {
      for (const entry of chunk) this.#nodes.release(entry);
      throw error;
    }
  }

  #compileLeaf(prefixes: V4Prefixes, from: number, to: number): number {
    this.#leaf.fill(GuardClass.PASS);
    for (let index = from; index < to; index += 1) {
      const key = prefixes[index] as number;
      const at = (key >>> LENGTH_BITS) & 0xff;
      this.#leaf.fill(GuardClass.DROP, at, at + 2 ** (32 - (key & LENGTH)));
    }
    if (this.#leafWords.every((word) => word === ALL_DROP)) return GuardClass.DROP;
    return node(this.#nodes.intern(this.#leafWords));
  }
}

function keysOf({ set, from, to }: PrefixSpan): Uint32Array {
  const keys = new Uint32Array(to - from);
  for (let index = from; index < to; index += 1) {
    keys[index - from] = (((set.words[index] as number) & 0xffff) << LENGTH_BITS) | (set.lengths[index] as number);
  }
  return keys;
}

function node(offset: number): number {
  return (GuardEntry.NODE | offset) >>> 0;
}
