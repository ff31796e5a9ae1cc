// The coarsest division of a number space such that every set is a union of its parts, found set by set. Knows nothing
// of ids or of other divisions.
import type { IntervalSet } from './interval-sets.ts';

export interface Refinement {
  /** First numbers of the ranges that no set's edge divides further, ascending; the first is 0. */
  readonly starts: Uint32Array;
  /** Part of each range; parts are numbered from 0. */
  readonly parts: Uint32Array;
  readonly partCount: number;
}

/** Divides 0..size-1. `onVisited` is told how many ranges were looked at so far, and may throw. */
export function refine(size: number, sets: readonly IntervalSet[], onVisited: (count: number) => void): Refinement {
  const starts = elementaryStarts(size, sets);
  const parts = new Uint32Array(starts.length);
  const sizes = new Uint32Array(starts.length);
  const inside = new Uint32Array(starts.length);
  const splitTo = new Uint32Array(starts.length);
  sizes[0] = starts.length;
  let partCount = 1;
  let visited = 0;
  for (const set of sets) {
    forEachElementary(starts, set, (index) => {
      const part = parts[index] as number;
      inside[part] = (inside[part] as number) + 1;
      visited += 1;
    });
    onVisited(visited);
    const split: number[] = [];
    forEachElementary(starts, set, (index) => {
      const part = parts[index] as number;
      if (splitTo[part] === 0) {
        if (inside[part] === sizes[part]) return;
        splitTo[part] = partCount++;
        split.push(part);
      }
      parts[index] = splitTo[part] as number;
    });
    for (const part of split) {
      sizes[splitTo[part] as number] = inside[part] as number;
      sizes[part] = (sizes[part] as number) - (inside[part] as number);
    }
    for (const part of split) splitTo[part] = 0;
    forEachElementary(starts, set, (index) => {
      inside[parts[index] as number] = 0;
    });
    for (const part of split) inside[part] = 0;
  }
  return { starts, parts, partCount };
}

/** Positions in `starts` of the ranges inside the set. */
export function forEachElementary(starts: Uint32Array, set: IntervalSet, visit: (index: number) => void): void {
  for (let range = 0; range < set.length; range += 2) {
    const last = set[range + 1] as number;
    for (let index = indexOf(starts, set[range] as number); index < starts.length; index += 1) {
      if ((starts[index] as number) > last) break;
      visit(index);
    }
  }
}

function elementaryStarts(size: number, sets: readonly IntervalSet[]): Uint32Array {
  const edges = new Set([0]);
  for (const set of sets) {
    for (let index = 0; index < set.length; index += 2) {
      edges.add(set[index] as number);
      edges.add((set[index + 1] as number) + 1);
    }
  }
  return Uint32Array.from([...edges].filter((edge) => edge < size)).sort();
}

function indexOf(starts: Uint32Array, value: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
