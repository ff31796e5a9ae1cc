// A set of prefixes of one family, in order of address, then length, each once: typed arrays, because there are millions.
// Membership, union and difference. No classes and no table: prefix-live.ts follows changes of such sets.
import { maskWord } from '../base/ip-text.ts';
import { type Cidr, cidrOf, compareCidrs, type Family, type IpAddress } from '../model/address.ts';
import type { PrefixList } from './prefix-table-list.ts';
import { orderPrefixes } from './prefix-table-order.ts';

/** Words of an address of each family. */
export const ADDRESS_WORDS: Readonly<Record<Family, 1 | 4>> = { 4: 1, 6: 4 };

export class PrefixSet {
  readonly family: Family;
  readonly count: number;
  /** Most significant first; one word for each IPv4 prefix, four for each of IPv6. Bits past the length are zero. */
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
  readonly #stride: 1 | 4;

  /** The arrays are in order, without doubles, and the set's from here on; they may be longer than `count`. */
  constructor(family: Family, words: Uint32Array, lengths: Uint8Array, count = lengths.length) {
    this.family = family;
    this.#stride = ADDRESS_WORDS[family];
    this.words = words;
    this.lengths = lengths;
    this.count = count;
  }

  /** Of prefixes in any order, with doubles. */
  static from(family: Family, list: Pick<PrefixList, 'words' | 'lengths'>): PrefixSet {
    const stride = ADDRESS_WORDS[family];
    const order = orderPrefixes({ ...list, classes: NO_CLASSES }, stride);
    const words = new Uint32Array(stride * order.length);
    const lengths = new Uint8Array(order.length);
    let count = 0;
    for (const index of order) {
      lengths[count] = list.lengths[index] as number;
      for (let word = 0; word < stride; word += 1) {
        words[stride * count + word] = list.words[stride * index + word] as number;
      }
      if (count === 0 || compareAt(words, lengths, count - 1, words, lengths, count, stride) !== 0) count += 1;
    }
    return new PrefixSet(family, words.slice(0, stride * count), lengths.slice(0, count));
  }

  /** Those of the family. */
  static of(family: Family, cidrs: Iterable<Cidr>): PrefixSet {
    const own = [...cidrs].filter((cidr) => cidr.family === family).sort(compareCidrs);
    const single = own.filter((cidr, at) => at === 0 || compareCidrs(own[at - 1] as Cidr, cidr) !== 0);
    const words = Uint32Array.from(single.flatMap((cidr) => cidr.words));
    return new PrefixSet(
      family,
      words,
      Uint8Array.from(single, ({ length }) => length),
    );
  }

  at(index: number): Cidr {
    const words = [...this.words.subarray(this.#stride * index, this.#stride * (index + 1))];
    return { family: this.family, words, length: this.lengths[index] as number };
  }

  *[Symbol.iterator](): Generator<Cidr, void, void> {
    for (let index = 0; index < this.count; index += 1) yield this.at(index);
  }

  has({ words, length }: Omit<Cidr, 'family'>): boolean {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = this.#compareTo(middle, words, length);
      if (difference === 0) return true;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** The prefixes that contain an address of the family, the shortest first. */
  around(address: IpAddress): Cidr[] {
    const longest = 32 * this.#stride;
    const all = Array.from({ length: longest + 1 }, (_, length) => cidrOf(address, length));
    return all.filter((cidr) => this.has(cidr));
  }

  /** Those that are not in the other one. */
  without(other: PrefixSet): PrefixSet {
    return other.count === 0 || this.count === 0 ? this : this.#merged(other, false);
  }

  union(other: PrefixSet): PrefixSet {
    if (other.count === 0) return this;
    return this.count === 0 ? other : this.#merged(other, true);
  }

  /** Both in order, so one pass; runs of ours are copied whole. `isUnion`: also what only the other one has. */
  #merged(other: PrefixSet, isUnion: boolean): PrefixSet {
    const into = new Collector(this.family, this.count + (isUnion ? other.count : 0));
    let own = 0;
    for (let index = 0; index < other.count; index += 1) {
      const next = this.#firstFrom(other, index, own);
      into.take(this, own, next);
      const isBoth = next < this.count && this.#compareWith(next, other, index) === 0;
      if (isUnion) into.take(other, index, index + 1);
      own = isBoth ? next + 1 : next;
    }
    into.take(this, own, this.count);
    return into.set();
  }

  /** Place of the first prefix from `start` on that is not before one of the other set: a few steps where it is near. */
  #firstFrom(other: PrefixSet, index: number, start: number): number {
    let step = 1;
    let low = start;
    while (low + step <= this.count && this.#compareWith(low + step - 1, other, index) < 0) {
      low += step;
      step *= 2;
    }
    let high = Math.min(this.count, low + step - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareWith(middle, other, index) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compareWith(index: number, other: PrefixSet, place: number): number {
    return compareAt(this.words, this.lengths, index, other.words, other.lengths, place, this.#stride);
  }

  #compareTo(index: number, words: readonly number[], length: number): number {
    for (let word = 0; word < this.#stride; word += 1) {
      const difference = (this.words[this.#stride * index + word] as number) - (words[word] as number);
      if (difference !== 0) return difference;
    }
    return (this.lengths[index] as number) - length;
  }
}

/** Prefixes in order, as they come. */
class Collector {
  readonly #family: Family;
  readonly #stride: number;
  readonly #words: Uint32Array;
  readonly #lengths: Uint8Array;
  #count = 0;

  constructor(family: Family, most: number) {
    this.#family = family;
    this.#stride = ADDRESS_WORDS[family];
    this.#words = new Uint32Array(this.#stride * most);
    this.#lengths = new Uint8Array(most);
  }

  take({ words, lengths }: PrefixSet, from: number, to: number): void {
    if (from >= to) return;
    this.#words.set(words.subarray(this.#stride * from, this.#stride * to), this.#stride * this.#count);
    this.#lengths.set(lengths.subarray(from, to), this.#count);
    this.#count += to - from;
  }

  /** What was taken, in no more memory than it needs by far. */
  set(): PrefixSet {
    const count = this.#count;
    const isTight = 4 * count >= 3 * this.#lengths.length;
    const [words, lengths] = isTight
      ? [this.#words.subarray(0, this.#stride * count), this.#lengths.subarray(0, count)]
      : [this.#words.slice(0, this.#stride * count), this.#lengths.slice(0, count)];
    return new PrefixSet(this.#family, words, lengths);
  }
}

/** Both families. */
export type PrefixSets = Readonly<Record<Family, PrefixSet>>;

export function prefixSetsOf(cidrs: readonly Cidr[]): PrefixSets {
  return { 4: PrefixSet.of(4, cidrs), 6: PrefixSet.of(6, cidrs) };
}

export const NO_PREFIXES: PrefixSets = prefixSetsOf([]);

/** Whether a prefix, as its place in arrays of words has it, contains an address of the same family. */
export function isWithin(words: Uint32Array, at: number, length: number, address: readonly number[]): boolean {
  for (let word = 0; 32 * word < length; word += 1) {
    if ((((words[at + word] as number) ^ (address[word] as number)) & maskWord(length, word)) !== 0) return false;
  }
  return true;
}

/** Prefixes of a set have no classes, which is all that the order does not depend on. */
const NO_CLASSES = new Uint8Array(0);

function compareAt(
  wordsA: Uint32Array,
  lengthsA: Uint8Array,
  a: number,
  wordsB: Uint32Array,
  lengthsB: Uint8Array,
  b: number,
  stride: number,
): number {
  for (let word = 0; word < stride; word += 1) {
    const difference = (wordsA[stride * a + word] as number) - (wordsB[stride * b + word] as number);
    if (difference !== 0) return difference;
  }
  return (lengthsA[a] as number) - (lengthsB[b] as number);
}
