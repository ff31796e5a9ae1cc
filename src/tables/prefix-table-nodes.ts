// Where the nodes of a prefix table lie: equal nodes are stored once, and none crosses the edge of a block, so that the
// kernel finds a whole node with one look. Knows sizes, not meanings.
import { GuardEntry } from '../abi/guard.gen.ts';
import { HeapDims } from '../abi/heap.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import type { PrefixTablePlace } from './prefix-table-list.ts';

const BLOCK_WORDS = HeapDims.HEAP_BLOCK_WORDS;
const INITIAL_WORDS = 1 << 18;
const INITIAL_SLOTS = 1 << 10;

/** Nodes of one size: the block under way, and a hash table of the nodes there are. */
interface Shelf {
  next: number;
  end: number;
  count: number;
  /** Place + 1 of a node in the words; 0 = free. A power of two long. */
  slots: Uint32Array;
}

export class PrefixNodes {
  readonly #place: PrefixTablePlace;
  readonly #shelves = new Map<number, Shelf>();
  #words = new Uint32Array(INITIAL_WORDS);
  #used = 0;

  constructor(place: PrefixTablePlace) {
    this.#place = place;
  }

  /** All that was stored, in whole blocks. */
  words(): Uint32Array {
    return this.#words.subarray(0, this.#used);
  }

  /** Offset in the array of a node with this content. Throws TABLE_FULL. */
  intern(content: Uint32Array): number {
    const shelf = this.#shelf(content.length);
    const mask = shelf.slots.length - 1;
    let slot = hashWords(content, 0, content.length) & mask;
    for (let found = shelf.slots[slot] as number; found !== 0; found = shelf.slots[slot] as number) {
      if (this.#isEqual(found - 1, content)) return this.#place.base + found - 1;
      slot = (slot + 1) & mask;
    }
    const at = this.#allocate(shelf, content.length);
    this.#words.set(content, at);
    shelf.slots[slot] = at + 1;
    shelf.count += 1;
    if (2 * shelf.count > shelf.slots.length) this.#widen(shelf, content.length);
    return this.#place.base + at;
  }

  #shelf(size: number): Shelf {
    let shelf = this.#shelves.get(size);
    if (shelf === undefined) {
      shelf = { next: 0, end: 0, count: 0, slots: new Uint32Array(INITIAL_SLOTS) };
      this.#shelves.set(size, shelf);
    }
    return shelf;
  }

  #isEqual(at: number, content: Uint32Array): boolean {
    const words = this.#words;
    for (let index = 0; index < content.length; index += 1) if (words[at + index] !== content[index]) return false;
    return true;
  }

  #allocate(shelf: Shelf, size: number): number {
    if (shelf.next + size > shelf.end) {
      shelf.next = this.#used;
      this.#used += Math.ceil(size / BLOCK_WORDS) * BLOCK_WORDS;
      shelf.end = this.#used;
      this.#requireRoom();
    }
    const at = shelf.next;
    shelf.next += size;
    return at;
  }

  #requireRoom(): void {
    const { base } = this.#place;
    const capacity = Math.min(this.#place.capacity, GuardEntry.OFFSET + 1 - base);
    if (this.#used > capacity) {
      throw new DataplaneError('TABLE_FULL', 'the prefixes do not fit', {
        operation: 'compile prefixes',
        target: 'tt_guard_heap',
        found: `more than ${capacity} words needed`,
        expected: 'room for the old and the new table side by side',
        hint: 'open the guard with more blocks',
      });
    }
    if (this.#used <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(this.#used, 2 * this.#words.length));
    grown.set(this.#words);
    this.#words = grown;
  }

  #widen(shelf: Shelf, size: number): void {
    const slots = new Uint32Array(4 * shelf.slots.length);
    const mask = slots.length - 1;
    for (const found of shelf.slots) {
      if (found === 0) continue;
      let slot = hashWords(this.#words, found - 1, size) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = found;
    }
    shelf.slots = slots;
  }
}

/** FNV-1a over words, with a final mix; equality is checked on top. */
function hashWords(words: Uint32Array, from: number, count: number): number {
  let hash = 0x811c9dc5;
  for (let index = from; index < from + count; index += 1) {
    hash = Math.imul(hash ^ (words[index] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x2c1b3c6d) >>> 7;
}
