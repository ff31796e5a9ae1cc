// Sets of addresses of one family as sorted ranges of numbers, for arithmetic that prefixes are clumsy at.
import type { Cidr, Family, IpAddress } from '../../model/address.ts';

/** Both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Disjoint, ascending, not adjacent. */
export type AddressRanges = readonly AddressRange[];

export const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

export function addressNumber({ words }: IpAddress): bigint {
  let number = 0n;
  for (const word of words) number = (number << 32n) | BigInt(word);
  return number;
}

export function addressAt(number: bigint, family: Family): IpAddress {
  const words: number[] = [];
  for (let shift = BITS[family] - 32; shift >= 0; shift -= 32) {
    words.push(Number((number >> BigInt(shift)) & 0xffffffffn));
  }
  return { family, words };
}

export function rangeOf(cidr: Cidr): AddressRange {
  const first = addressNumber(cidr);
  return { first, last: first + (1n << BigInt(BITS[cidr.family] - cidr.length)) - 1n };
}

export function sizeOf(ranges: AddressRanges): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

/** From ranges in any order, overlapping or not. */
export function unite(ranges: Iterable<AddressRange>): AddressRanges {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const united: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of sorted) {
    const end = united.at(-1);
    if (end !== undefined && first <= end.last + 1n) end.last = last > end.last ? last : end.last;
    else united.push({ first, last });
  }
  return united;
}

/** What is in the first and not in the second. */
export function subtract(ranges: AddressRanges, removed: AddressRanges): AddressRanges {
  const rest: AddressRange[] = [];
  let at = 0;
  for (const { first, last } of ranges) {
    while (at < removed.length && (removed[at] as AddressRange).last < first) at += 1;
    let next = first;
    for (let index = at; index < removed.length && next <= last; index += 1) {
      const hole = removed[index] as AddressRange;
      if (hole.first > last) break;
      if (hole.first > next) rest.push({ first: next, last: hole.first - 1n });
      next = hole.last + 1n;
    }
    if (next <= last) rest.push({ first: next, last });
  }
  return rest;
}

/** The fewest prefixes that cover exactly the ranges, ascending. */
export function cidrsOf(ranges: AddressRanges, family: Family): Cidr[] {
  const cidrs: Cidr[] = [];
  for (const { first, last } of ranges) {
    for (let next = first; next <= last; ) {
      let hostBits = 0;
      while (hostBits < BITS[family] && isBlock(next, hostBits + 1, last)) hostBits += 1;
      cidrs.push({ ...addressAt(next, family), length: BITS[family] - hostBits });
      next += 1n << BigInt(hostBits);
    }
  }
  return cidrs;
}

function isBlock(first: bigint, hostBits: number, last: bigint): boolean {
  const size = 1n << BigInt(hostBits);
  return first % size === 0n && first + size - 1n <= last;
}
