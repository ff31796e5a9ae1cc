// The interval sets that policy lists in use speak of, each with the number of lists that do: lists come and go, and
// only what no other list speaks of makes a difference.
import type { IntervalSet } from './interval-sets.ts';

const keys = new WeakMap<IntervalSet, string>();

/** Content as text, made once for each array. */
export function keyOfSet(set: IntervalSet): string {
  let key = keys.get(set);
  if (key === undefined) {
    key = set.join();
    keys.set(set, key);
  }
  return key;
}

interface Counted {
  readonly set: IntervalSet;
  uses: number;
}

export class SetCounts {
  readonly #counted = new Map<string, Counted>();
  #revision = 0;

  /** Grows whenever a set comes or goes. */
  get revision(): number {
    return this.#revision;
  }

  *sets(): Iterable<IntervalSet> {
    for (const { set } of this.#counted.values()) yield set;
  }

  add(sets: Iterable<IntervalSet>): void {
    for (const set of sets) {
      const key = keyOfSet(set);
      const counted = this.#counted.get(key);
      if (counted !== undefined) counted.uses += 1;
      else {
        this.#counted.set(key, { set, uses: 1 });
        this.#revision += 1;
      }
    }
  }

  /** The exact mirror of add. */
  remove(sets: Iterable<IntervalSet>): void {
    for (const set of sets) {
      const key = keyOfSet(set);
      const counted = this.#counted.get(key);
      if (counted === undefined) continue;
      counted.uses -= 1;
      if (counted.uses > 0) continue;
      this.#counted.delete(key);
      this.#revision += 1;
    }
  }

  clear(): void {
    this.#counted.clear();
    this.#revision += 1;
  }
}
