// Divides a number space into classes: two numbers are in one class when every set in use contains both or neither.
// A class keeps its id for as long as it keeps most of its numbers, so that a change renumbers only what it splits.
import type { IntervalSet } from './interval-sets.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';
import { assignIds, type FormerIds, type Part } from './number-ids.ts';
import { forEachElementary, type Refinement, refine } from './refinement.ts';
import { rememberBits } from './remembered-bits.ts';
import { keyOfSet, type SetCounts } from './set-counts.ts';

/** One partition. Plain data, never changed once made. */
export interface Partition {
  /** Changes when the partition does. */
  readonly version: number;
  /** Ids are below this. */
  readonly idLimit: number;
  /** Class of every number. Made when it is asked for: most changes do without. */
  readonly classes: Uint32Array;
  /** Class of a number. */
  classOf(number: number): number;
  /** Ids in use, ascending. */
  readonly ids: readonly number[];
  /** One number of each class. */
  readonly examples: ReadonlyMap<number, number>;
  /** By id: itself when in use; else the class whose values it must have, see number-ids.ts. */
  readonly parents: Uint32Array;
  /** First numbers of the ranges that lie in one class, ascending. */
  readonly starts: Uint32Array;
  /** Every id, spare ones included. */
  readonly everything: Uint32Array;
  /**
   * Classes inside each set that was given, as a bit set by class id; a spare id counts as its parent. Throws
   * LIMIT_EXCEEDED, see spend.
   */
  bitsOf(set: IntervalSet): Uint32Array;
  /** Counts words that rows of this partition cost, since its update. Throws LIMIT_EXCEEDED. */
  spend(words: number): void;
}

/** Which limit holds for the classes of a space. */
type ClassLimit = 'l4Classes' | 'sourcePortClasses';

/** How ids that are not in use are kept ready for classes to come. */
export interface Spares {
  readonly count: number;
  readonly multiple: number;
  /** Ranges [first, last] of which the largest class gets spares, in turn. */
  readonly likely: readonly (readonly [number, number])[];
}

const NO_SPARES: Spares = { count: 0, multiple: 1, likely: [] };

export class NumberClasses {
  readonly #size: number;
  readonly #limits: TableLimits;
  readonly #classLimit: ClassLimit;
  readonly #spares: Spares;
  #partition: Partition | undefined;
  /** Of the sets of the partition. */
  #keys: ReadonlySet<string> = new Set();
  #counts: SetCounts | undefined;
  #revision = -1;
  /** In force: what a failed change goes back to. */
  #committed: Partition | undefined;
  /** Until something is committed: of a partition that another process made. */
  #adopted: FormerIds | undefined;
  #version = 0;
  /** Words spent since the last update. */
  #spent = 0;

  /** The space is 0..size-1. */
  constructor(
    size: number,
    classLimit: ClassLimit = 'l4Classes',
    limits: TableLimits = DEFAULT_TABLE_LIMITS,
    spares: Spares = NO_SPARES,
  ) {
    this.#size = size;
    this.#classLimit = classLimit;
    this.#limits = limits;
    this.#spares = spares;
  }

  /** Ids go on from those that another process gave. Only before the first update. */
  adopt(former: FormerIds): void {
    this.#adopted = former;
  }

  /** The partition for these sets; the one before if they are the same. Throws LIMIT_EXCEEDED. */
  update(sets: Iterable<IntervalSet>): Partition {
    this.#spent = 0;
    this.#counts = undefined;
    return this.#update(sets);
  }

  /** The same for sets that are counted as they come and go: looks at them only when some did. */
  updateCounted(counts: SetCounts): Partition {
    this.#spent = 0;
    if (this.#partition !== undefined && this.#counts === counts && this.#revision === counts.revision) {
      return this.#partition;
    }
    this.#counts = counts;
    this.#revision = counts.revision;
    return this.#update(counts.sets());
  }

  /** The partition is in force: rollBack comes back to it. */
  commit(): void {
    this.#committed = this.#partition;
    this.#adopted = undefined;
  }

  /** Ids go on from the partition that is in force. */
  rollBack(): void {
    this.#partition = this.#committed;
    this.#keys = new Set();
    this.#counts = undefined;
  }

  #update(sets: Iterable<IntervalSet>): Partition {
    const byKey = new Map<string, IntervalSet>();
    for (const set of sets) byKey.set(keyOfSet(set), set);
    const keys = new Set(byKey.keys());
    if (this.#partition !== undefined && isSameSet(keys, this.#keys)) return this.#partition;
    const former = this.#partition === undefined ? this.#adopted : formerOf(this.#partition);
    this.#partition = this.#divide([...byKey.values()], former);
    this.#keys = keys;
    return this.#partition;
  }

  #divide(sets: readonly IntervalSet[], former: FormerIds | undefined): Partition {
    const refinement = refine(this.#size, sets, (visited) => requireWithin('portRanges', visited, this.#limits));
    requireWithin(this.#classLimit, refinement.partCount, this.#limits);
    const { starts, parts } = refinement;
    const measured = measureParts(refinement, this.#size);
    const partOf = (number: number): number => parts[lastAtMost(starts, number)] as number;
    const { idLimit, ofPart, parents } = assignIds(measured, partOf, former, {
      ...this.#spares,
      likely: this.#spares.likely.map((range) => largestPart(refinement, range, this.#size)),
    });
    const classOf = parts.map((part) => ofPart[part] as number);
    const size = this.#size;
    let classes: Uint32Array | undefined;
    this.#version += 1;
    const ids = [...ofPart].sort((a, b) => a - b);
    const examples = new Map(measured.map(({ example }, part) => [ofPart[part] as number, example]));
    const spare = [...parents.keys()].filter((id) => parents[id] !== id);
    const everything = new Uint32Array(Math.ceil(idLimit / 32));
    for (let id = 0; id < idLimit; id += 1) setBit(everything, id);
    const spend = (words: number): void => {
      this.#spent += words;
      requireWithin('rowWords', this.#spent, this.#limits);
    };
    const bitsOf = rememberBits((set) => {
      const bits = new Uint32Array(everything.length);
      forEachElementary(starts, set, (index) => setBit(bits, classOf[index] as number));
      for (const id of spare) if (hasBit(bits, parents[id] as number)) setBit(bits, id);
      return bits;
    }, spend);
    return {
      version: this.#version,
      idLimit,
      get classes() {
        classes ??= expand(starts, classOf, size);
        return classes;
      },
      classOf: (number) => classOf[lastAtMost(starts, number)] as number,
      ids,
      examples,
      parents,
      starts,
      everything,
      bitsOf,
      spend,
    };
  }
}

function formerOf({ idLimit, parents, classOf, examples }: Partition): FormerIds {
  return { idLimit, parents, idOf: classOf, exampleOf: (id) => examples.get(id) as number };
}

function expand(starts: Uint32Array, classOf: Uint32Array, size: number): Uint32Array {
  const classes = new Uint32Array(size);
  for (const [index, start] of starts.entries()) {
    classes.fill(classOf[index] as number, start, starts[index + 1] ?? size);
  }
  return classes;
}

/**
 * Size of each part, and the middle of its widest range: a number that stays in the part when its edges move, so that the
 * part keeps its id.
 */
function measureParts({ starts, parts, partCount }: Refinement, size: number): Part[] {
  const sizes = new Float64Array(partCount);
  const widths = new Float64Array(partCount);
  const examples = new Uint32Array(partCount);
  for (const [index, part] of parts.entries()) {
    const width = (starts[index + 1] ?? size) - (starts[index] as number);
    sizes[part] = (sizes[part] as number) + width;
    if (width <= (widths[part] as number)) continue;
    widths[part] = width;
    examples[part] = (starts[index] as number) + (width >>> 1);
  }
  return Array.from(sizes, (each, part) => ({ size: each, example: examples[part] as number }));
}

/** The part with most numbers of the range. */
function largestPart({ starts, parts }: Refinement, [first, last]: readonly [number, number], size: number): number {
  const sizes = new Map<number, number>();
  let largest = 0;
  for (let index = lastAtMost(starts, first); index < starts.length && (starts[index] as number) <= last; index += 1) {
    const end = Math.min(starts[index + 1] ?? size, last + 1);
    const part = parts[index] as number;
    const sum = (sizes.get(part) ?? 0) + end - Math.max(starts[index] as number, first);
    sizes.set(part, sum);
    if (sum > (sizes.get(largest) ?? 0) || (part !== largest && sizes.get(largest) === undefined)) largest = part;
  }
  return largest;
}

/** Position of the last start that is not above the number. */
function lastAtMost(starts: Uint32Array, number: number): number {
  let low = 0;
  let high = starts.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= number) low = middle;
    else high = middle;
  }
  return low;
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false;
  for (const key of a) if (!b.has(key)) return false;
  return true;
}

function setBit(bits: Uint32Array, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31));
}

function hasBit(bits: Uint32Array, bit: number): boolean {
  return ((bits[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
}
