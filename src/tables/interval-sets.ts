// Sets of whole numbers as sorted, disjoint, non-adjacent ranges: [first, last, first, last, ...].
// The number spaces are the layer-4 index (protocol and port, see l4-space.ts) and source ports.
export type IntervalSet = readonly number[];

/** From ranges in any order, overlapping or not. */
export function unionOf(ranges: readonly (readonly [number, number])[]): IntervalSet {
  const sorted = ranges.filter(([first, last]) => first <= last).sort((a, b) => a[0] - b[0]);
  const result: number[] = [];
  for (const [first, last] of sorted) {
    const end = result.at(-1);
    if (end !== undefined && first <= end + 1) result[result.length - 1] = Math.max(end, last);
    else result.push(first, last);
  }
  return result;
}

export function intersect(a: IntervalSet, b: IntervalSet): IntervalSet {
  const result: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const first = Math.max(a[i] as number, b[j] as number);
    const last = Math.min(a[i + 1] as number, b[j + 1] as number);
    if (first <= last) result.push(first, last);
    if ((a[i + 1] as number) < (b[j + 1] as number)) i += 2;
    else j += 2;
  }
  return result;
}

/** Members of 0..size-1 that are not in the set. */
export function complement(set: IntervalSet, size: number): IntervalSet {
  const result: number[] = [];
  let next = 0;
  for (let index = 0; index < set.length; index += 2) {
    if (next < (set[index] as number)) result.push(next, (set[index] as number) - 1);
    next = (set[index + 1] as number) + 1;
  }
  if (next < size) result.push(next, size - 1);
  return result;
}
