// IPv6 prefixes of a table byte by byte. Part of AddressTableV6.
import type { OrderedPrefixes } from './ordered-prefixes.ts';

/** The ordered prefixes' bytes, most significant first. */
export class WordBytes {
  readonly #ordered: OrderedPrefixes;

  constructor(ordered: OrderedPrefixes) {
    this.#ordered = ordered;
  }

  at(position: number, index: number): number {
    return byteOf(this.#ordered.wordAt(position, index >>> 2), index);
  }

  /** First position after `position`, at most `end`, with another byte there: bytes do not fall until `end`. */
  endOfByte(position: number, end: number, index: number): number {
    const byte = this.at(position, index);
    let low = position + 1;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle, index) <= byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first byte from `depth` on in which two prefixes differ; 16 if none. */
export function firstDifference(bytes: WordBytes, one: number, other: number, depth: number): number {
  let index = depth;
  while (index < 16 && bytes.at(one, index) === bytes.at(other, index)) index += 1;
  return index;
}

/** Orders addresses by their first bytes, as many as given. */
export function compareBytes(a: readonly number[], b: readonly number[], count: number): number {
  for (let index = 0; index < count; index += 1) {
    const difference = byteOf(a[index >>> 2] as number, index) - byteOf(b[index >>> 2] as number, index);
    if (difference !== 0) return difference;
  }
  return 0;
}

function byteOf(word: number, index: number): number {
  return (word >>> (24 - 8 * (index & 3))) & 0xff;
}
