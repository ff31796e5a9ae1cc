// IPv6 prefixes that share their first 16 bits, and the chunks and matches that they compile to, as in prefix-table-v6.ts but
// for one class: what lies under a blocked prefix needs no nodes. A chunk depends on nothing but the prefixes below its bytes,
// so after a change the old one is found by these bytes, and only entries on the way to a changed prefix are made anew.
import { GuardClass, GuardDims, GuardEntry, GuardMatch } from '../abi/guard.gen.ts';
import { maskWord } from '../base/ip-text.ts';
import { ChangesBelow } from './prefix-live-changes.ts';
import type { LiveNodes } from './prefix-live-nodes.ts';
import type { Branch, PrefixSpan } from './prefix-live-root.ts';
import { PrefixSet } from './prefix-set.ts';
import { swapBytes } from './prefix-table-v6.ts';

const ROOT_BYTES = 2;
const CHUNK_WORDS = GuardDims.CHUNK_WORDS;
const MATCH = {
  value: GuardMatch.OFFSET.value / 4,
  hit: GuardMatch.OFFSET.hit / 4,
  miss: GuardMatch.OFFSET.miss / 4,
} as const;

export class V6Branch implements Branch<PrefixSet> {
  readonly #nodes: LiveNodes;

  constructor(nodes: LiveNodes) {
    this.#nodes = nodes;
  }

  merge(before: PrefixSet | undefined, added: PrefixSpan, removed: PrefixSpan): PrefixSet | undefined {
    const merged = (before ?? NONE).union(setOf(added)).without(setOf(removed));
    return merged.count === 0 ? undefined : merged;
  }

  compile(prefixes: PrefixSet, before: number, added: PrefixSpan, removed: PrefixSpan): number {
    const hasBefore = (before & GuardEntry.NODE) !== 0;
    // Without nodes of before nothing can be found again, and what has changed does not matter.
    const changed = hasBefore ? setOf(added).union(setOf(removed)) : NONE;
    return new Compilation(this.#nodes, prefixes, before, changed).run();
  }
}

const NONE = PrefixSet.of(6, []);

function setOf({ set, from, to }: PrefixSpan): PrefixSet {
  if (from === to) return NONE;
  return new PrefixSet(6, set.words.subarray(4 * from, 4 * to), set.lengths.subarray(from, to));
}

/** Places [from, to) of the prefixes, and [since, until) of those of them, or of the ones before, that have changed. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

class Compilation {
  readonly #nodes: LiveNodes;
  readonly #set: PrefixSet;
  readonly #before: number;
  readonly #changed: PrefixSet;
  readonly #match = new Uint32Array(GuardDims.MATCH_WORDS);

  constructor(nodes: LiveNodes, set: PrefixSet, before: number, changed: PrefixSet) {
    this.#nodes = nodes;
    this.#set = set;
    this.#before = before;
    this.#changed = changed;
  }

  run(): number {
    return this.#entry({ from: 0, to: this.#set.count, since: 0, until: this.#changed.count }, ROOT_BYTES);
  }

  /** Entry for a part whose prefixes share their first `depth` bytes. */
  #entry(part: Part, depth: number): number {
    const { from, to } = part;
    if (from === to) return GuardClass.PASS;
    if (this.#lengthAt(from) <= 8 * depth) return GuardClass.DROP;
    if (to - from <= GuardDims.CHAIN) return this.#chain(from, to, depth);
    const byteIndex = this.#branchingByte(from, to, depth);
    const chunk = this.#chunk(part, byteIndex);
    return byteIndex === depth ? chunk : this.#matchNode(from, depth, 8 * byteIndex, chunk, GuardClass.PASS);
  }

  /** The last prefixes first: each comes after those that contain it. */
  #chain(from: number, to: number, depth: number): number {
    let entry: number = GuardClass.PASS;
    for (let index = from; index < to; index += 1) {
      entry = this.#matchNode(index, depth, this.#lengthAt(index), GuardClass.DROP, entry);
    }
    return entry;
  }

  /** Tells apart whether bits [8 * depth, end) of an address are those of the prefix; the bits before are known to be. */
  #matchNode(index: number, depth: number, end: number, hit: number, miss: number): number {
    for (let word = 0; word < 4; word += 1) {
      const mask = maskWord(end, word) & ~maskWord(8 * depth, word);
      this.#match[word] = swapBytes(mask);
      this.#match[MATCH.value + word] = swapBytes((this.#set.words[4 * index + word] as number) & mask);
    }
    this.#match[MATCH.hit] = hit;
    this.#match[MATCH.miss] = miss;
    try {
      return entryOf(0, this.#nodes.intern(this.#match));
    } catch (error) {
      this.#nodes.release(hit);
      this.#nodes.release(miss);
      throw error;
    }
  }

  /** Entry of the chunk by a byte, which all prefixes of the part reach and share the bytes before. */
  #chunk(part: Part, byteIndex: number): number {
    const old = this.#oldChunk(part.from, byteIndex);
    if (old !== 0 && part.since === part.until) {
      this.#nodes.retain(entryOf(byteIndex, old));
      return entryOf(byteIndex, old);
    }
    const entries = new Uint32Array(CHUNK_WORDS);
    try {
      if (old === 0) this.#fillAll(entries, part, byteIndex);
      else this.#fillChanged(entries, old, part, byteIndex);
      return entryOf(byteIndex, this.#nodes.intern(entries));
    } catch (error) {
      for (const entry of entries) this.#nodes.release(entry);
      throw error;
    }
  }

  /** Prefixes that end in this byte fill ranges of entries; longer ones go to nodes below. */
  #fillAll(entries: Uint32Array, part: Part, byteIndex: number): void {
    const changes = this.#changesBelow(part, byteIndex);
    const endsHere = 8 * (byteIndex + 1);
    for (let index = part.from; index < part.to; ) {
      const byte = byteAt(this.#set, index, byteIndex);
      const length = this.#lengthAt(index);
      if (length <= endsHere) {
        entries.fill(GuardClass.DROP, byte, byte + 2 ** (endsHere - length));
        index += 1;
        continue;
      }
      const to = this.#endOf(index, part.to, byteIndex);
      if (entries[byte] === GuardClass.PASS) {
        entries[byte] = this.#entry({ from: index, to, ...changes.within(byte) }, byteIndex + 1);
      }
      index = to;
    }
  }

  /** The same, with the entries of before where nothing has changed. */
  #fillChanged(entries: Uint32Array, old: number, part: Part, byteIndex: number): void {
    const changes = this.#changesBelow(part, byteIndex);
    const before = this.#nodes.words.subarray(old, old + CHUNK_WORDS);
    for (let byte = 0; byte < CHUNK_WORDS; byte += 1) {
      if (changes.has(byte)) continue;
      entries[byte] = before[byte] as number;
      this.#nodes.retain(entries[byte] as number);
    }
    for (let byte = 0; byte < CHUNK_WORDS; byte += 1) {
      if (!changes.has(byte)) continue;
      if (this.#isCovered(part, byteIndex, byte)) {
        entries[byte] = GuardClass.DROP;
        continue;
      }
      const from = this.#firstFrom(part, byteIndex, byte);
      const to = this.#firstFrom(part, byteIndex, byte + 1);
      entries[byte] = this.#entry({ from, to, ...changes.within(byte) }, byteIndex + 1);
    }
  }

  /** Which entries of a chunk a change is about. */
  #changesBelow({ from, since, until }: Part, byteIndex: number): ChangesBelow {
    const changes = new ChangesBelow();
    const endsHere = 8 * (byteIndex + 1);
    for (let index = since; index < until; index += 1) {
      if (!this.#sharesBytes(index, from, byteIndex)) continue;
      const length = this.#changed.lengths[index] as number;
      const byte = byteAt(this.#changed, index, byteIndex);
      if (length > endsHere) changes.noteBelow(byte, index);
      else changes.note(byte, 2 ** Math.min(8, endsHere - length));
    }
    return changes;
  }

  /** Whether a changed prefix begins with the bytes before `byteIndex` of one that is there. */
  #sharesBytes(changed: number, index: number, byteIndex: number): boolean {
    for (let word = 0; 32 * word < 8 * byteIndex; word += 1) {
      const difference =
        (this.#changed.words[4 * changed + word] as number) ^ (this.#set.words[4 * index + word] as number);
      if ((difference & maskWord(8 * byteIndex, word)) !== 0) return false;
    }
    return true;
  }

  /** Whether a prefix that ends in this byte contains every address with that value of it. */
  #isCovered({ from }: Part, byteIndex: number, byte: number): boolean {
    for (let bits = 1; bits <= 8; bits += 1) {
      const words = this.#addressWith(from, byteIndex, byte & (0xff << (8 - bits)));
      if (this.#set.has({ words, length: 8 * byteIndex + bits })) return true;
    }
    return false;
  }

  /** Place of the first prefix of the part whose byte is that or more. */
  #firstFrom({ from, to }: Part, byteIndex: number, byte: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byteAt(this.#set, middle, byteIndex) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The end of those that share their byte with the one at `index`: a few steps where they are few. */
  #endOf(index: number, to: number, byteIndex: number): number {
    const byte = byteAt(this.#set, index, byteIndex);
    let [low, step] = [index, 1];
    while (low + step < to && byteAt(this.#set, low + step, byteIndex) === byte) {
      low += step;
      step *= 2;
    }
    const span = { from: low, to: Math.min(to, low + step), since: 0, until: 0 };
    return this.#firstFrom(span, byteIndex, byte + 1);
  }

  /** The first bytes of a prefix, then another byte, then zeros. */
  #addressWith(index: number, byteIndex: number, byte: number): number[] {
    return Array.from({ length: 4 }, (_, word) => {
      const kept = (this.#set.words[4 * index + word] as number) & maskWord(8 * byteIndex, word);
      return (word === byteIndex >>> 2 ? kept | (byte << (24 - 8 * (byteIndex & 3))) : kept) >>> 0;
    });
  }

  /** The first byte in which prefixes differ or one of them ends. The shortest that ends before they differ is the first. */
  #branchingByte(from: number, to: number, depth: number): number {
    const limit = Math.floor((this.#lengthAt(from) - 1) / 8);
    let byte = depth;
    while (byte < limit && byteAt(this.#set, from, byte) === byteAt(this.#set, to - 1, byte)) byte += 1;
    return byte;
  }

  /** Offset of the chunk before the change that was reached by the same bytes; 0 = there was none. */
  #oldChunk(index: number, byteIndex: number): number {
    const { words } = this.#nodes;
    let entry = this.#before;
    while ((entry & GuardEntry.NODE) !== 0) {
      const offset = entry & GuardEntry.OFFSET;
      const byte = (entry >>> GuardEntry.BYTE_SHIFT) & GuardEntry.BYTE;
      if (byte === byteIndex) return offset;
      if (byte > byteIndex) return 0;
      const next = byte === 0 ? this.#matched(offset, index) : byteAt(this.#set, index, byte);
      entry = words[offset + next] as number;
    }
    return 0;
  }

  /** Which word of a match node the address of a prefix leads to. */
  #matched(offset: number, index: number): number {
    const { words } = this.#nodes;
    for (let word = 0; word < 4; word += 1) {
      const own = swapBytes(this.#set.words[4 * index + word] as number);
      const masked = (own & (words[offset + word] as number)) >>> 0;
      if (masked !== words[offset + MATCH.value + word]) return MATCH.miss;
    }
    return MATCH.hit;
  }

  #lengthAt(index: number): number {
    return this.#set.lengths[index] as number;
  }
}

function byteAt(set: PrefixSet, index: number, byte: number): number {
  return ((set.words[4 * index + (byte >>> 2)] as number) >>> (24 - 8 * (byte & 3))) & 0xff;
}

function entryOf(byteIndex: number, offset: number): number {
  return (GuardEntry.NODE | (byteIndex << GuardEntry.BYTE_SHIFT) | offset) >>> 0;
}
