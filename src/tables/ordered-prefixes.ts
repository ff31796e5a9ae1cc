// The prefixes of one family in order of address, then length, each with its class: everything under a prefix follows it
// without a gap. Typed arrays, because there are many and most changes touch few. Knows no sets.
import type { PrefixMembership } from '../calc/resolved.ts';
import { type Cidr, cidrOf, type Family } from '../model/address.ts';

/** Class of a prefix that has not got one yet. */
export const NO_CLASS = 0xffffffff;

const INITIAL_CAPACITY = 64;
/** Insertions and removals, each of which moves what follows, before everything is ordered anew. */
const MAX_MOVES = 128;

export class OrderedPrefixes {
  readonly family: Family;
  readonly #width: number;
  #count = 0;
  #words: Uint32Array;
  #lengths = new Uint8Array(INITIAL_CAPACITY);
  #classIds = new Uint32Array(INITIAL_CAPACITY);
  #members: PrefixMembership[] = [];
  /** How many prefixes there are of each length. */
  readonly #ofLength = new Uint32Array(129);

  constructor(family: Family) {
    this.family = family;
    this.#width = family === 4 ? 1 : 4;
    this.#words = new Uint32Array(this.#width * INITIAL_CAPACITY);
  }

  get count(): number {
    return this.#count;
  }

  memberAt(position: number): PrefixMembership {
    return this.#members[position] as PrefixMembership;
  }

  lengthAt(position: number): number {
    return this.#lengths[position] as number;
  }

  /** `index` 0 is the most significant word. */
  wordAt(position: number, index: number): number {
    return this.#words[position * this.#width + index] as number;
  }

  classAt(position: number): number {
    return this.#classIds[position] as number;
  }

  setClass(position: number, classId: number): void {
    this.#classIds[position] = classId;
  }

  /** Position of the prefix, or, if it is not there, of the first that comes after it. */
  lowerBound(words: readonly number[], length: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareAt(middle, words, length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** undefined = not there. */
  find({ words, length }: Cidr): number | undefined {
    const position = this.lowerBound(words, length);
    return position < this.#count && this.#compareAt(position, words, length) === 0 ? position : undefined;
  }

  /** Position of the longest prefix that contains the given one and is shorter; undefined = none. */
  around(cidr: Cidr): number | undefined {
    for (let length = cidr.length - 1; length >= 0; length -= 1) {
      if (this.#ofLength[length] === 0) continue;
      const found = this.find(cidrOf(cidr, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether the address at a position lies under a prefix that is not after it. */
  isUnder(position: number, { words, length }: Cidr): boolean {
    for (let index = 0, left = length; left > 0; index += 1, left -= 32) {
      const difference = this.wordAt(position, index) ^ (words[index] as number);
      if (left >= 32 ? difference !== 0 : difference >>> (32 - left) !== 0) return false;
    }
    return true;
  }

  /** Holds exactly these, without classes. */
  replaceAll(memberships: readonly PrefixMembership[]): void {
    this.#reserve(memberships.length);
    this.#count = memberships.length;
    this.#ofLength.fill(0);
    const order = orderOf(memberships, this.#width);
    this.#members = Array.from(order, (index) => memberships[index] as PrefixMembership);
    for (const [position, { cidr }] of this.#members.entries()) this.#write(position, cidr);
    this.#classIds.fill(NO_CLASS, 0, this.#count);
  }

  /**
   * Takes in and out; classes of those that stay are kept, new ones have none. What is there already takes the
   * place of its former membership. Each prefix once.
   */
  change(added: readonly PrefixMembership[], removed: readonly Cidr[]): void {
    const fresh: PrefixMembership[] = [];
    for (const membership of added) {
      const position = this.find(membership.cidr);
      if (position === undefined) fresh.push(membership);
      else this.#members[position] = membership;
    }
    if (fresh.length + removed.length > MAX_MOVES) {
      this.#rebuild(fresh, removed);
      return;
    }
    for (const cidr of removed) this.#removeAt(this.find(cidr));
    for (const membership of fresh) this.#insert(membership);
  }

  #rebuild(fresh: readonly PrefixMembership[], removed: readonly Cidr[]): void {
    const gone = new Set(removed.map((cidr) => this.find(cidr)));
    const classIds = new Map<PrefixMembership, number>();
    const kept = this.#members.filter((membership, position) => {
      if (gone.has(position)) return false;
      classIds.set(membership, this.#classIds[position] as number);
      return true;
    });
    this.replaceAll([...kept, ...fresh]);
    for (const [position, membership] of this.#members.entries()) {
      this.#classIds[position] = classIds.get(membership) ?? NO_CLASS;
    }
  }

  #removeAt(position: number | undefined): void {
    if (position === undefined) return;
    const length = this.#lengths[position] as number;
    this.#ofLength[length] = (this.#ofLength[length] as number) - 1;
    this.#move(position + 1, position);
    this.#members.splice(position, 1);
    this.#count -= 1;
  }

  #insert(membership: PrefixMembership): void {
    const { words, length } = membership.cidr;
    const position = this.lowerBound(words, length);
    this.#reserve(this.#count + 1);
    this.#move(position, position + 1);
    this.#members.splice(position, 0, membership);
    this.#count += 1;
    this.#write(position, membership.cidr);
    this.#classIds[position] = NO_CLASS;
  }

  #move(from: number, to: number): void {
    this.#words.copyWithin(to * this.#width, from * this.#width, this.#count * this.#width);
    this.#lengths.copyWithin(to, from, this.#count);
    this.#classIds.copyWithin(to, from, this.#count);
  }

  #write(position: number, { words, length }: Cidr): void {
    for (let index = 0; index < this.#width; index += 1) {
      this.#words[position * this.#width + index] = words[index] as number;
    }
    this.#lengths[position] = length;
    this.#ofLength[length] = (this.#ofLength[length] as number) + 1;
  }

  #reserve(count: number): void {
    if (count <= this.#lengths.length) return;
    const size = Math.max(count, 2 * this.#lengths.length);
    const [words, lengths, classIds] = [this.#words, this.#lengths, this.#classIds];
    this.#words = new Uint32Array(this.#width * size);
    this.#words.set(words);
    this.#lengths = new Uint8Array(size);
    this.#lengths.set(lengths);
    this.#classIds = new Uint32Array(size);
    this.#classIds.set(classIds);
  }

  #compareAt(position: number, words: readonly number[], length: number): number {
    for (let index = 0; index < this.#width; index += 1) {
      const difference = this.wordAt(position, index) - (words[index] as number);
      if (difference !== 0) return difference;
    }
    return this.lengthAt(position) - length;
  }
}

/** Indexes of the memberships in order of their prefixes. */
function orderOf(memberships: readonly PrefixMembership[], width: number): Uint32Array {
  const order = Uint32Array.from(memberships.keys());
  const keys = new Float64Array(memberships.length);
  for (const [index, { cidr }] of memberships.entries()) {
    keys[index] = width === 1 ? (cidr.words[0] as number) * 64 + cidr.length : upperBits(cidr);
  }
  if (width === 1) return order.sort((a, b) => (keys[a] as number) - (keys[b] as number));
  return order.sort((a, b) => {
    const difference = (keys[a] as number) - (keys[b] as number);
    if (difference !== 0) return difference;
    const [one, other] = [(memberships[a] as PrefixMembership).cidr, (memberships[b] as PrefixMembership).cidr];
    for (let index = 1; index < width; index += 1) {
      const later = (one.words[index] as number) - (other.words[index] as number);
      if (later !== 0) return later;
    }
    return one.length - other.length;
  });
}

/** The first 53 bits, which a number holds exactly. */
function upperBits({ words }: Cidr): number {
  return (words[0] as number) * 0x20_0000 + ((words[1] as number) >>> 11);
}
