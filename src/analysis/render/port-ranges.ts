// Port ranges as rule sets need them: disjoint, in order, in groups that one match can hold.
import type { PortRange } from '../../calc/resolved.ts';
import { complement, type IntervalSet, intersect, unionOf } from '../../tables/interval-sets.ts';

const PORTS = 65536;

/** Sorted and disjoint. */
export function joinRanges(ranges: readonly PortRange[]): PortRange[] {
  return toRanges(toSet(ranges));
}

/** Ports of the first list that are not in the second. */
export function subtractRanges(from: readonly PortRange[], gone: readonly PortRange[]): PortRange[] {
  return toRanges(intersect(toSet(from), complement(toSet(gone), PORTS)));
}

/** Groups of at most `slots` numbers, of which a range takes two. */
export function groupRanges(ranges: readonly PortRange[], slots: number): PortRange[][] {
  const groups: PortRange[][] = [];
  let left = 0;
  for (const range of ranges) {
    const needed = range.first === range.last ? 1 : 2;
    if (needed > left) {
      groups.push([]);
      left = slots;
    }
    (groups.at(-1) as PortRange[]).push(range);
    left -= needed;
  }
  return groups;
}

function toSet(ranges: readonly PortRange[]): IntervalSet {
  return unionOf(ranges.map(({ first, last }) => [first, last] as const));
}

function toRanges(set: IntervalSet): PortRange[] {
  const ranges: PortRange[] = [];
  for (let index = 0; index < set.length; index += 2) {
    ranges.push({ first: set[index] as number, last: set[index + 1] as number });
  }
  return ranges;
}
