// Many set ids, ascending in one typed array: looked up by binary search, or at once when there is no gap between them, as
// ids given out in turn mostly have none. Knows nothing of what sets contain.
import type { SetId } from '../calc/resolved.ts';

export class SetIds implements Iterable<SetId> {
  readonly #ids: Uint32Array;
  readonly #first: number;
  readonly #hasGaps: boolean;

  /** In any order, some several times perhaps. */
  constructor(ids: readonly SetId[]) {
    const sorted = ascending(ids);
    let count = 0;
    for (let at = 0; at < sorted.length; at += 1) {
      if (at > 0 && sorted[at] === sorted[at - 1]) continue;
      sorted[count] = sorted[at] as number;
      count += 1;
    }
    this.#ids = sorted.slice(0, count);
    this.#first = this.#ids[0] ?? 0;
    this.#hasGaps = count > 0 && (this.#ids[count - 1] as number) - this.#first !== count - 1;
  }

  get size(): number {
    return this.#ids.length;
  }

  [Symbol.iterator](): Iterator<SetId> {
    return this.#ids[Symbol.iterator]();
  }

  has(set: SetId): boolean {
    return this.indexOf(set) >= 0;
  }

  /** Position among the ids; -1 = not there. */
  indexOf(set: SetId): number {
    if (!this.#hasGaps) {
      const index = set - this.#first;
      return index >= 0 && index < this.#ids.length ? index : -1;
    }
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] as number) < set) low = middle + 1;
      else high = middle;
    }
    return this.#ids[low] === set ? low : -1;
  }
}

/** Sorted only when it must be: lists mostly mention sets in the order of their ids. */
function ascending(ids: readonly SetId[]): Uint32Array {
  const sorted = new Uint32Array(ids);
  for (let at = 1; at < sorted.length; at += 1) {
    if ((sorted[at] as number) < (sorted[at - 1] as number)) return sorted.sort();
  }
  return sorted;
}

/** What can be asked whether it holds a set. */
export interface HeldSets extends Iterable<SetId> {
  has(set: SetId): boolean;
}

/** A few sets, ascending. */
export class FewSets implements HeldSets {
  readonly #sets: readonly SetId[];

  constructor(sets: readonly SetId[]) {
    this.#sets = sets;
  }

  [Symbol.iterator](): Iterator<SetId> {
    return this.#sets[Symbol.iterator]();
  }

  has(set: SetId): boolean {
    const sets = this.#sets;
    let low = 0;
    let high = sets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sets[middle] as number) < set) low = middle + 1;
      else high = middle;
    }
    return sets[low] === set;
  }
}
