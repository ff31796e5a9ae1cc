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
