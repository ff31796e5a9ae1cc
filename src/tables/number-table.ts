// The region that gives each number of a space its class. Follows partitions: what changed is found by ranges.
import type { Partition } from './number-classes.ts';
import type { RegionStore } from './region-store.ts';

/** With more words to change, a new region is made from all of them. */
const MAX_PATCH = 1 << 14;

export class NumberTable {
  readonly #heap: RegionStore;
  readonly #size: number;
  #offset: number | undefined;
  #partition: Partition | undefined;

  /** The space is 0..size-1. */
  constructor(heap: RegionStore, size: number) {
    this.#heap = heap;
    this.#size = size;
  }

  /** Offset of the table of a partition. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  update(partition: Partition): number {
    const [offset, before] = [this.#offset, this.#partition];
    if (offset !== undefined && before?.version === partition.version) return offset;
    this.#offset = this.#intern(partition, offset, before);
    if (offset !== undefined) this.#heap.release(offset);
    this.#partition = partition;
    return this.#offset;
  }

  #intern(partition: Partition, offset: number | undefined, before: Partition | undefined): number {
    const positions =
      offset === undefined || before === undefined ? undefined : changedNumbers(before, partition, this.#size);
    if (offset === undefined || positions === undefined) return this.#heap.intern(partition.classes);
    const words = positions.map((number) => partition.classOf(number));
    return this.#heap.internPatched(offset, { positions, words });
  }
}

/** Numbers whose class ids differ; undefined = too many to be worth it. */
function changedNumbers(before: Partition, after: Partition, size: number): number[] | undefined {
  const changed: number[] = [];
  let [ours, theirs] = [0, 0];
  for (let start = 0; start < size; ) {
    while ((after.starts[ours] ?? size) <= start) ours += 1;
    while ((before.starts[theirs] ?? size) <= start) theirs += 1;
    const end = Math.min(after.starts[ours] ?? size, before.starts[theirs] ?? size);
    if (before.classOf(start) !== after.classOf(start)) {
      if (changed.length + end - start > MAX_PATCH) return undefined;
      for (let number = start; number < end; number += 1) changed.push(number);
    }
    start = end;
  }
  return changed;
}
