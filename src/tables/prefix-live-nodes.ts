// Nodes of a prefix table that follows changes, in words that the kernel reads meanwhile: equal ones are stored once and
// counted, and what nobody refers to any more is written over only when no packet can be reading it. Knows which words of a
// node lead to others; what a way through them means is known in prefix-live-v4.ts and prefix-live-v6.ts.
import { GuardDims, GuardEntry, GuardMatch } from '../abi/guard.gen.ts';
import { HeapDims } from '../abi/heap.gen.ts';
import { DataplaneError } from '../base/errors.ts';

/** The words of the array, from its first on. */
export interface WordSpace {
  readonly words: Uint32Array;
  /** Has `words` be another array with the same content, of so many words at least. Throws TABLE_FULL and KERNEL. */
  grow(words: number): void;
}

/** Nodes that nobody refers to, in the order in which they became so. */
export type RetiredNodes = readonly number[];

const BLOCK_WORDS = HeapDims.HEAP_BLOCK_WORDS;
/** The smallest node is larger than 2^3 words: no two begin in the same eight. */
const COUNT_SHIFT = 3;
const INITIAL_SLOTS = 1 << 12;
const FREE = 0;
/** No node begins there: its slot was given up. */
const GONE = 1;
const HIT = GuardMatch.OFFSET.hit / 4;

/** Places of nodes of one size. */
interface Shelf {
  readonly free: number[];
  next: number;
  end: number;
}

export class LiveNodes {
  readonly #space: WordSpace;
  readonly #shelves = new Map<number, Shelf>();
  /** Size of the nodes in each block. */
  #sizes: Uint16Array;
  /** References to each node. */
  #counts: Uint32Array;
  /** Offsets by hash, and the hashes beside them. A power of two long. */
  #slots = new Uint32Array(INITIAL_SLOTS);
  #hashes = new Uint32Array(INITIAL_SLOTS);
  /** Slots that are not free, those given up included. */
  #taken = 0;
  #nodes = 0;
  #used: number;
  #retired: number[] = [];

  /** `from` = the first word that nodes may take: the beginning of a block. */
  constructor(space: WordSpace, from: number) {
    this.#space = space;
    this.#used = from;
    this.#sizes = new Uint16Array(space.words.length / BLOCK_WORDS);
    this.#counts = new Uint32Array(space.words.length >>> COUNT_SHIFT);
  }

  get words(): Uint32Array {
    return this.#space.words;
  }

  /** Words up to the end of the last block that was ever taken. */
  get used(): number {
    return this.#used;
  }

  get count(): number {
    return this.#nodes;
  }

  /**
   * Offset of a node with this content, with one more reference to it. The references of its entries are its own from here
   * on. Throws TABLE_FULL and KERNEL: then they are still the caller's.
   */
  intern(content: Uint32Array): number {
    if (2 * this.#taken >= this.#slots.length) this.#rehash();
    const hash = hashOf(content);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    let firstGone = -1;
    for (let found = this.#slots[slot] as number; found !== FREE; found = this.#slots[slot] as number) {
      if (found === GONE) {
        if (firstGone === -1) firstGone = slot;
      } else if (this.#hashes[slot] === hash && this.#isEqual(found, content)) {
        this.#retainOffset(found);
        this.#releaseAll(content);
        return found;
      }
      slot = (slot + 1) & mask;
    }
    const at = this.#allocate(content.length);
    this.#space.words.set(content, at);
    this.#counts[at >>> COUNT_SHIFT] = 1;
    if (firstGone === -1) this.#taken += 1;
    else slot = firstGone;
    this.#slots[slot] = at;
    this.#hashes[slot] = hash;
    this.#nodes += 1;
    return at;
  }

  /** One more reference to what an entry leads to, if it leads anywhere. */
  retain(entry: number): void {
    if ((entry & GuardEntry.NODE) !== 0) this.#retainOffset(entry & GuardEntry.OFFSET);
  }

  /** One less; the last one takes the node out of the table. */
  release(entry: number): void {
    if ((entry & GuardEntry.NODE) === 0) return;
    const offset = entry & GuardEntry.OFFSET;
    const left = (this.#counts[offset >>> COUNT_SHIFT] as number) - 1;
    this.#counts[offset >>> COUNT_SHIFT] = left;
    if (left > 0) return;
    const content = this.#space.words.subarray(offset, offset + this.#sizeAt(offset));
    this.#forget(offset, content);
    this.#retired.push(offset);
    this.#releaseAll(content);
  }

  /** What was taken out since the last call: hand it to `reuse` once no packet can be reading it. */
  takeRetired(): RetiredNodes {
    const retired = this.#retired;
    this.#retired = [];
    return retired;
  }

  reuse(retired: RetiredNodes): void {
    for (const offset of retired) this.#shelf(this.#sizeAt(offset)).free.push(offset);
  }

  #releaseAll(content: Uint32Array): void {
    if (content.length === GuardDims.LEAF_WORDS) return;
    const first = content.length === GuardDims.MATCH_WORDS ? HIT : 0;
    for (let at = first; at < content.length; at += 1) this.release(content[at] as number);
  }

  #retainOffset(offset: number): void {
    this.#counts[offset >>> COUNT_SHIFT] = (this.#counts[offset >>> COUNT_SHIFT] as number) + 1;
  }

  #sizeAt(offset: number): number {
    return this.#sizes[offset >>> HeapDims.HEAP_BLOCK_SHIFT] as number;
  }

  #isEqual(offset: number, content: Uint32Array): boolean {
    if (this.#sizeAt(offset) !== content.length) return false;
    const words = this.#space.words;
    for (let index = 0; index < content.length; index += 1) {
      if (words[offset + index] !== content[index]) return false;
    }
    return true;
  }

  #forget(offset: number, content: Uint32Array): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(content) & mask;
    while (this.#slots[slot] !== offset) slot = (slot + 1) & mask;
    this.#slots[slot] = GONE;
    this.#nodes -= 1;
  }

  #shelf(size: number): Shelf {
    let shelf = this.#shelves.get(size);
    if (shelf === undefined) {
      shelf = { free: [], next: 0, end: 0 };
      this.#shelves.set(size, shelf);
    }
    return shelf;
  }

  #allocate(size: number): number {
    const shelf = this.#shelf(size);
    const free = shelf.free.pop();
    if (free !== undefined) return free;
    if (shelf.next + size > shelf.end) {
      this.#requireRoom(this.#used + BLOCK_WORDS);
      shelf.next = this.#used;
      this.#used += BLOCK_WORDS;
      shelf.end = this.#used;
      this.#sizes[shelf.next >>> HeapDims.HEAP_BLOCK_SHIFT] = size;
    }
    const at = shelf.next;
    shelf.next += size;
    return at;
  }

  #requireRoom(words: number): void {
    if (words <= this.#space.words.length) return;
    if (words > GuardEntry.OFFSET + 1) throw tableFull();
    this.#space.grow(words);
    const { length } = this.#space.words;
    this.#sizes = grown(this.#sizes, new Uint16Array(length / BLOCK_WORDS));
    this.#counts = grown(this.#counts, new Uint32Array(length >>> COUNT_SHIFT));
  }

  /** Also drops what was given up. */
  #rehash(): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    const length = 4 * this.#nodes > slots.length ? 4 * slots.length : slots.length;
    this.#slots = new Uint32Array(length);
    this.#hashes = new Uint32Array(length);
    for (const [at, offset] of slots.entries()) {
      if (offset === FREE || offset === GONE) continue;
      const hash = hashes[at] as number;
      let slot = hash & (length - 1);
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & (length - 1);
      this.#slots[slot] = offset;
      this.#hashes[slot] = hash;
    }
    this.#taken = this.#nodes;
  }
}

/** That the blocked prefixes need more than an entry can lead to. */
export function tableFull(): DataplaneError {
  return new DataplaneError('TABLE_FULL', 'the blocked prefixes do not fit', {
    operation: 'compile prefixes',
    target: 'tt_guard_heap',
    found: `more than ${GuardEntry.OFFSET + 1} words needed`,
    hint: 'nothing was changed: block shorter prefixes instead of many long ones, or remove a feed',
  });
}

function grown<T extends Uint16Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** FNV-1a over words, with a final mix; equality is checked on top. */
function hashOf(content: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < content.length; index += 1) {
    hash = Math.imul(hash ^ (content[index] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x2c1b3c6d) >>> 7;
}
