// From one partition of a number space to the next: which class of the one before a class lies in. Holds for whoever
// tells no numbers of a former class apart, so that what was computed per class need not be computed again.
import type { Partition } from './number-classes.ts';

export class PartitionStep {
  /** By class id of the later partition; ids not in use lead to 0. */
  readonly #former: Uint32Array;
  readonly after: Partition;
  readonly isSame: boolean;

  constructor(before: Partition, after: Partition) {
    this.after = after;
    this.isSame = before.version === after.version;
    this.#former = new Uint32Array(after.idLimit);
    for (const [id, example] of after.examples) this.#former[id] = before.classes[example] as number;
  }

  /** Values by former class id -> values by class id; 0 for ids not in use. */
  carry(values: Uint32Array): Uint32Array {
    const carried = new Uint32Array(this.after.idLimit);
    for (const id of this.after.ids) carried[id] = values[this.#former[id] as number] as number;
    return carried;
  }
}
