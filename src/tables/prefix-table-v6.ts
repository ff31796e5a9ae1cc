// IPv6 prefixes: 16 bits at once, then chunks by single bytes where many prefixes branch, and matches of whole
// prefixes where few are left, so that a lone prefix costs ten words. Layout: bpf/abi/guard.h.
import { GuardDims, GuardEntry, GuardMatch } from '../abi/guard.gen.ts';
import { maskWord } from '../base/ip-text.ts';
import type { PrefixList } from './prefix-table-list.ts';
import type { PrefixNodes } from './prefix-table-nodes.ts';
import { orderPrefixes } from './prefix-table-order.ts';

const ROOT_BYTES = 2;
const MATCH = {
  value: GuardMatch.OFFSET.value / 4,
  hit: GuardMatch.OFFSET.hit / 4,
  miss: GuardMatch.OFFSET.miss / 4,
} as const;

/** Offset of the root. */
export function compileV6Prefixes(list: PrefixList, nodes: PrefixNodes): number {
  return new V6Compiler(list, nodes).compile();
}

class V6Compiler {
  readonly #nodes: PrefixNodes;
  /** In order, four words each. */
  readonly #words: Uint32Array;
  readonly #lengths: Uint8Array;
  readonly #classes: Uint8Array;
  readonly #match = new Uint32Array(GuardDims.MATCH_WORDS);

  constructor(list: PrefixList, nodes: PrefixNodes) {
    this.#nodes = nodes;
    const order = orderPrefixes(list, 4);
    const count = order.length;
    this.#words = new Uint32Array(4 * count);
    this.#lengths = new Uint8Array(count);
    this.#classes = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) {
      const index = order[at] as number;
      for (let word = 0; word < 4; word += 1) this.#words[4 * at + word] = list.words[4 * index + word] as number;
      this.#lengths[at] = list.lengths[index] as number;
      this.#classes[at] = list.classes[index] as number;
    }
  }

  compile(): number {
    const root = new Uint32Array(GuardDims.ROOT_WORDS);
    const count = this.#lengths.length;
    const rootOf = (index: number): number => (this.#byte(index, 0) << 8) | this.#byte(index, 1);
    for (let from = 0; from < count; ) {
      const at = rootOf(from);
      const length = this.#lengths[from] as number;
      if (length <= 8 * ROOT_BYTES) {
        root.fill(this.#classes[from] as number, at, at + 2 ** (8 * ROOT_BYTES - length));
        from += 1;
        continue;
      }
      let to = from + 1;
      while (to < count && rootOf(to) === at) to += 1;
      root[at] = this.#span(from, to, ROOT_BYTES, root[at] as number);
      from = to;
    }
    return this.#nodes.intern(root);
  }

  /** Entry for prefixes [from, to), which share their first `depth` bytes; `around` is the class of what none covers. */
  #span(from: number, to: number, depth: number, around: number): number {
    let start = from;
    let outer = around;
    while (start < to && (this.#lengths[start] as number) <= 8 * depth) {
      outer = this.#classes[start] as number;
      start += 1;
    }
    if (to - start <= GuardDims.CHAIN) return this.#chain(start, to, depth, outer);
    const byteIndex = this.#branchingByte(start, to, depth);
    const chunk = this.#chunk(start, to, byteIndex, outer);
    return byteIndex === depth ? chunk : this.#matchNode(start, depth, 8 * byteIndex, chunk, outer);
  }

  /** The last prefixes first: each comes after those that contain it. */
  #chain(from: number, to: number, depth: number, outer: number): number {
    let entry = outer;
    for (let index = from; index < to; index += 1) {
      const classId = this.#classes[index] as number;
      entry = this.#matchNode(index, depth, this.#lengths[index] as number, classId, entry);
    }
    return entry;
  }

  /** Tells apart whether bits [8 * depth, end) of an address are those of the prefix; the bits before are known to be. */
  #matchNode(index: number, depth: number, end: number, hit: number, miss: number): number {
    for (let word = 0; word < 4; word += 1) {
      const mask = maskWord(end, word) & ~maskWord(8 * depth, word);
      this.#match[word] = swapBytes(mask);
      this.#match[MATCH.value + word] = swapBytes((this.#words[4 * index + word] as number) & mask);
    }
    this.#match[MATCH.hit] = hit;
    this.#match[MATCH.miss] = miss;
    return entryOf(0, this.#nodes.intern(this.#match));
  }

  /** Prefixes that end in this byte fill ranges of entries; longer ones go to nodes below. */
  #chunk(from: number, to: number, byteIndex: number, outer: number): number {
    const entries = new Uint32Array(GuardDims.CHUNK_WORDS).fill(outer);
    const endsHere = 8 * (byteIndex + 1);
    for (let index = from; index < to; ) {
      const byte = this.#byte(index, byteIndex);
      const length = this.#lengths[index] as number;
      if (length <= endsHere) {
        entries.fill(this.#classes[index] as number, byte, byte + 2 ** (endsHere - length));
        index += 1;
        continue;
      }
      let end = index + 1;
      while (end < to && this.#byte(end, byteIndex) === byte) end += 1;
      entries[byte] = this.#span(index, end, byteIndex + 1, entries[byte] as number);
      index = end;
    }
    return entryOf(byteIndex, this.#nodes.intern(entries));
  }

  /** The first byte in which prefixes differ or one of them ends; all share the bytes before it. */
  #branchingByte(from: number, to: number, depth: number): number {
    let shortest = 128;
    for (let index = from; index < to; index += 1) shortest = Math.min(shortest, this.#lengths[index] as number);
    const limit = Math.floor((shortest - 1) / 8);
    let byte = depth;
    while (byte < limit && this.#byte(from, byte) === this.#byte(to - 1, byte)) byte += 1;
    return byte;
  }

  #byte(index: number, byte: number): number {
    return ((this.#words[4 * index + (byte >>> 2)] as number) >>> (24 - 8 * (byte & 3))) & 0xff;
  }
}

function entryOf(byteIndex: number, offset: number): number {
  return (GuardEntry.NODE | (byteIndex << GuardEntry.BYTE_SHIFT) | offset) >>> 0;
}

/** Masks and values lie in network order. */
export function swapBytes(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
