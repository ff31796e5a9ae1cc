// Sets of small numbers as words of 32 bits. Plain functions, because rows are computed from millions of them.
export type BitSet = Uint32Array;

export function bitsFrom(members: Iterable<number>, limit: number): BitSet {
  const bits = new Uint32Array(Math.ceil(limit / 32));
  for (const member of members) bits[member >>> 5] = (bits[member >>> 5] as number) | (1 << (member & 31));
  return bits;
}

export function isEmpty(bits: BitSet): boolean {
  for (let index = 0; index < bits.length; index += 1) if (bits[index] !== 0) return false;
  return true;
}

export function and(a: BitSet, b: BitSet): BitSet {
  const result = new Uint32Array(a.length);
  for (let index = 0; index < a.length; index += 1) result[index] = (a[index] as number) & (b[index] as number);
  return result;
}

/** target |= added. */
export function addAll(target: BitSet, added: BitSet): void {
  for (let index = 0; index < target.length; index += 1)
    target[index] = (target[index] as number) | (added[index] as number);
}

/** target &= ~removed. */
export function removeAll(target: BitSet, removed: BitSet): void {
  for (let index = 0; index < target.length; index += 1)
    target[index] = (target[index] as number) & ~(removed[index] as number);
}

export function forEachBit(bits: BitSet, visit: (member: number) => void): void {
  for (let index = 0; index < bits.length; index += 1) {
    let word = bits[index] as number;
    while (word !== 0) {
      const low = 31 - Math.clz32(word & -word);
      visit(32 * index + low);
      word &= word - 1;
    }
  }
}

// The same for a part of the words, from `first` to `end`: for sets that are known to be empty outside.

/** Words from the first to the last that have members. */
export function spanOfBits(bits: BitSet): { readonly first: number; readonly end: number } {
  let first = 0;
  while (first < bits.length && bits[first] === 0) first += 1;
  let end = bits.length;
  while (end > first && bits[end - 1] === 0) end -= 1;
  return { first, end };
}

export function isEmptyIn(bits: BitSet, first: number, end: number): boolean {
  for (let index = first; index < end; index += 1) if (bits[index] !== 0) return false;
  return true;
}

/** target = source. Most parts are a word or two, for which a view would cost more than the copy. */
export function copyIn(target: BitSet, source: BitSet, first: number, end: number): void {
  for (let index = first; index < end; index += 1) target[index] = source[index] as number;
}

/** target = nothing. */
export function clearIn(target: BitSet, first: number, end: number): void {
  for (let index = first; index < end; index += 1) target[index] = 0;
}

/** target = a & b; returns whether it has members. */
export function intersectInto(target: BitSet, a: BitSet, b: BitSet, first: number, end: number): boolean {
  let all = 0;
  for (let index = first; index < end; index += 1) {
    const both = (a[index] as number) & (b[index] as number);
    target[index] = both;
    all |= both;
  }
  return all !== 0;
}

/** target |= added. */
export function uniteIn(target: BitSet, added: BitSet, first: number, end: number): void {
  for (let index = first; index < end; index += 1) {
    target[index] = (target[index] as number) | (added[index] as number);
  }
}

/** target &= ~removed. */
export function removeAllIn(target: BitSet, removed: BitSet, first: number, end: number): void {
  for (let index = first; index < end; index += 1) {
    target[index] = (target[index] as number) & ~(removed[index] as number);
  }
}

export function forEachBitIn(bits: BitSet, first: number, end: number, visit: (member: number) => void): void {
  for (let index = first; index < end; index += 1) {
    let word = bits[index] as number;
    while (word !== 0) {
      const low = 31 - Math.clz32(word & -word);
      visit(32 * index + low);
      word &= word - 1;
    }
  }
}
