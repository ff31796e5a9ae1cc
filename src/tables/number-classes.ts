// Divides a number space into classes: two numbers are in one class when every set in use contains both or neither.
// A class keeps its id while the sets that contain it stay the same, so that a change renumbers only what it splits.
import { IdPool } from './id-pool.ts';
import type { IntervalSet } from './interval-sets.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';

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
  /** Classes inside each set that was given, as a bit set by class id. Throws LIMIT_EXCEEDED, see spend. */
  bitsOf(set: IntervalSet): Uint32Array;
  /** Counts words that rows of this partition cost, since its update. Throws LIMIT_EXCEEDED. */
  spend(words: number): void;
}

/** Which limit holds for the classes of a space. */
type ClassLimit = 'l4Classes' | 'sourcePortClasses';

/** Bit sets are remembered up to this many words in all. */
const REMEMBERED_WORDS = 1 << 24;
/** What asking for a bit set costs besides its words, in words. */
const QUESTION_OVERHEAD = 16;

export class NumberClasses {
  readonly #size: number;
  readonly #limits: TableLimits;
  readonly #classLimit: ClassLimit;
  readonly #pool = new IdPool();
  #partition: Partition | undefined;
  #keys: readonly string[] = [];
  #version = 0;
  /** Words spent since the last update. */
  #spent = 0;

  /** The space is 0..size-1. */
  constructor(size: number, classLimit: ClassLimit = 'l4Classes', limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#size = size;
    this.#classLimit = classLimit;
    this.#limits = limits;
  }

  /** The partition for these sets; the one before if they are the same. Throws LIMIT_EXCEEDED. */
  update(sets: Iterable<IntervalSet>): Partition {
    this.#spent = 0;
    const byKey = new Map<string, IntervalSet>();
    for (const set of sets) byKey.set(set.join(), set);
    const keys = [...byKey.keys()].sort();
    if (this.#partition !== undefined && isEqualList(keys, this.#keys)) return this.#partition;
    this.#partition = this.#divide(keys.map((key) => byKey.get(key) as IntervalSet));
    this.#keys = keys;
    return this.#partition;
  }

  #divide(sets: readonly IntervalSet[]): Partition {
    const starts = elementaryStarts(sets).filter((start) => start < this.#size);
    const groups = this.#groups(starts, sets);
    const classOf = this.#nameGroups(groups, namesOf(starts, sets));
    const classes = new Uint32Array(this.#size);
    for (const [index, start] of starts.entries()) {
      classes.fill(classOf[index] as number, start, starts[index + 1] ?? this.#size);
    }
    this.#version += 1;
    const idLimit = this.#pool.limit;
    const ids = [...new Set(classOf)].sort((a, b) => a - b);
    const examples = new Map(starts.map((start, index) => [classOf[index] as number, start]));
    const spend = (words: number): void => {
      this.#spent += words;
      requireWithin('rowWords', this.#spent, this.#limits);
    };
    const bitsOf = rememberBits((set) => {
      const bits = new Uint32Array(Math.ceil(idLimit / 32));
      forEachElementary(starts, set, (index) => {
        const id = classOf[index] as number;
        bits[id >>> 5] = (bits[id >>> 5] as number) | (1 << (id & 31));
      });
      return bits;
    }, spend);
    return { version: this.#version, idLimit, classes, ids, examples, bitsOf, spend };
  }

  /** Of each elementary range a number that it shares with those that are in the same sets: refined set by set. */
  #groups(starts: readonly number[], sets: readonly IntervalSet[]): Uint32Array {
    const groups = new Uint32Array(starts.length);
    let next = 1;
    let visited = 0;
    for (const set of sets) {
      const refined = new Map<number, number>();
      forEachElementary(starts, set, (index) => {
        const group = groups[index] as number;
        let inside = refined.get(group);
        if (inside === undefined) {
          inside = next++;
          refined.set(group, inside);
        }
        groups[index] = inside;
        visited += 1;
      });
      requireWithin('portRanges', visited, this.#limits);
    }
    requireWithin(this.#classLimit, new Set(groups).size, this.#limits);
    return groups;
  }

  /** Class ids of the elementary ranges. Should two groups have one name, the later is told apart by its place. */
  #nameGroups(groups: Uint32Array, names: readonly string[]): number[] {
    const idOfGroup = new Map<number, number>();
    const taken = new Set<string>();
    this.#pool.beginRound();
    const classOf: number[] = [];
    for (const [index, group] of groups.entries()) {
      let id = idOfGroup.get(group);
      if (id === undefined) {
        const name = names[index] as string;
        id = this.#pool.idOf(taken.has(name) ? `${name}/${index}` : name);
        taken.add(name);
        idOfGroup.set(group, id);
      }
      classOf.push(id);
    }
    this.#pool.endRound();
    this.#pool.shrink();
    return classOf;
  }
}

/** A name for the sets that each elementary range is in: the exclusive or of the sets' hashes, and their number. */
function namesOf(starts: readonly number[], sets: readonly IntervalSet[]): string[] {
  const edges = new Map<number, { low: number; high: number; count: number }>();
  const toggle = (at: number, low: number, high: number, step: number): void => {
    const edge = edges.get(at) ?? { low: 0, high: 0, count: 0 };
    edges.set(at, edge);
    edge.low ^= low;
    edge.high ^= high;
    edge.count += step;
  };
  for (const set of sets) {
    const low = hashOf(set, 0x811c9dc5);
    const high = hashOf(set, 0x9e3779b9);
    for (let index = 0; index < set.length; index += 2) {
      toggle(set[index] as number, low, high, 1);
      toggle((set[index + 1] as number) + 1, low, high, -1);
    }
  }
  const current = { low: 0, high: 0, count: 0 };
  return starts.map((start) => {
    const edge = edges.get(start);
    if (edge !== undefined) {
      current.low ^= edge.low;
      current.high ^= edge.high;
      current.count += edge.count;
    }
    return `${current.low}.${current.high}.${current.count}`;
  });
}

/** FNV-1a over the set's edges. */
function hashOf(set: IntervalSet, seed: number): number {
  let hash = seed ^ set.length;
  for (const edge of set) {
    hash = Math.imul(hash ^ edge, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Remembers bit sets by the set's identity, then by its content; counts the words of each answer. */
function rememberBits(
  make: (set: IntervalSet) => Uint32Array,
  spend: (words: number) => void,
): (set: IntervalSet) => Uint32Array {
  let bySet = new WeakMap<IntervalSet, Uint32Array>();
  let byContent = new Map<string, Uint32Array>();
  let remembered = 0;
  return (set) => {
    let bits = bySet.get(set);
    if (bits === undefined) {
      const key = set.join();
      bits = byContent.get(key) ?? make(set);
      if (remembered > REMEMBERED_WORDS) {
        bySet = new WeakMap();
        byContent = new Map();
        remembered = 0;
      }
      if (!byContent.has(key)) remembered += bits.length;
      byContent.set(key, bits);
      bySet.set(set, bits);
    }
    spend(bits.length + QUESTION_OVERHEAD);
    return bits;
  };
}

function isEqualList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index]);
}

/** First numbers of the ranges that no set's edge divides further; the first is 0. */
function elementaryStarts(sets: readonly IntervalSet[]): number[] {
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
