// Divides a number space into classes: two numbers are in one class when every set in use contains both or neither.
// A class keeps its id while the sets that contain it stay the same, so that a change renumbers only what it splits.
import { IdPool } from './id-pool.ts';
import type { IntervalSet } from './interval-sets.ts';

/** One partition. Plain data, never changed once made. */
export interface Partition {
  /** Changes when the partition does. */
  readonly version: number;
  /** Ids are below this. */
  readonly idLimit: number;
  /** Class of every number. */
  readonly classes: Uint32Array;
  /** Ids in use, ascending. */
  readonly ids: readonly number[];
  /** One number of each class. */
  readonly examples: ReadonlyMap<number, number>;
  /** Classes inside each set that was given, as a bit set by class id. */
  bitsOf(set: IntervalSet): Uint32Array;
}

export class NumberClasses {
  readonly #size: number;
  readonly #setIds = new Map<string, number>();
  readonly #pool = new IdPool();
  #partition: Partition | undefined;
  #setsKey = '';
  #version = 0;

  /** The space is 0..size-1. */
  constructor(size: number) {
    this.#size = size;
  }

  /** The partition for these sets; the one before if they are the same. */
  update(sets: Iterable<IntervalSet>): Partition {
    const byKey = new Map<string, IntervalSet>();
    for (const set of sets) byKey.set(set.join(), set);
    const keys = [...byKey.keys()].sort();
    const setsKey = keys.join(';');
    if (this.#partition !== undefined && setsKey === this.#setsKey) return this.#partition;
    this.#setsKey = setsKey;
    this.#version += 1;
    this.#partition = this.#divide(keys, byKey);
    return this.#partition;
  }

  #divide(keys: readonly string[], byKey: ReadonlyMap<string, IntervalSet>): Partition {
    const starts = elementaryStarts(byKey.values()).filter((start) => start < this.#size);
    const containing: number[][] = starts.map(() => []);
    for (const key of keys) {
      const set = byKey.get(key) as IntervalSet;
      const id = this.#setId(key);
      forEachElementary(starts, set, (index) => (containing[index] as number[]).push(id));
    }
    this.#pool.beginRound();
    const classOf = containing.map((ids) => this.#pool.idOf(ids.sort((a, b) => a - b).join()));
    this.#pool.endRound();
    const classes = new Uint32Array(this.#size);
    for (const [index, start] of starts.entries()) {
      classes.fill(classOf[index] as number, start, starts[index + 1] ?? this.#size);
    }
    const idLimit = this.#pool.limit;
    const bits = new Map<string, Uint32Array>();
    const bitsOf = (set: IntervalSet): Uint32Array => {
      const key = set.join();
      const known = bits.get(key);
      if (known !== undefined) return known;
      const made = new Uint32Array(Math.ceil(idLimit / 32));
      forEachElementary(starts, set, (index) => {
        const id = classOf[index] as number;
        made[id >>> 5] = (made[id >>> 5] as number) | (1 << (id & 31));
      });
      bits.set(key, made);
      return made;
    };
    const ids = [...new Set(classOf)].sort((a, b) => a - b);
    const examples = new Map(starts.map((start, index) => [classOf[index] as number, start]));
    return { version: this.#version, idLimit, classes, ids, examples, bitsOf };
  }

  #setId(key: string): number {
    const known = this.#setIds.get(key);
    if (known !== undefined) return known;
    const id = this.#setIds.size;
    this.#setIds.set(key, id);
    return id;
  }
}

/** First numbers of the ranges that no set's edge divides further; the first is 0. */
function elementaryStarts(sets: Iterable<IntervalSet>): number[] {
  const edges = new Set([0]);
  for (const set of sets) {
    for (let index = 0; index < set.length; index += 2) {
      edges.add(set[index] as number);
      edges.add((set[index + 1] as number) + 1);
    }
  }
  return [...edges].sort((a, b) => a - b);
}

function forEachElementary(starts: readonly number[], set: IntervalSet, visit: (index: number) => void): void {
  for (let range = 0; range < set.length; range += 2) {
    const last = set[range + 1] as number;
    for (let index = indexOf(starts, set[range] as number); index < starts.length; index += 1) {
      if ((starts[index] as number) > last) break;
      visit(index);
    }
  }
}

function indexOf(starts: readonly number[], value: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
