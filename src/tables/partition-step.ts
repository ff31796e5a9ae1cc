// From one partition of a number space to the next: which class of the one before a class lies in. Holds for whoever
// tells no numbers of a former class apart, so that what was computed per class need not be computed again.
import type { Partition } from './number-classes.ts';

export class PartitionStep {
  /** By id of the later partition, spare ids included: id of the one before. */
  readonly #former: Uint32Array;
  readonly after: Partition;
  readonly isSame: boolean;
  /** Values by former id are values by id already, spare ids included. */
  readonly isCompatible: boolean;

  constructor(before: Partition, after: Partition) {
    this.after = after;
    this.isSame = before.version === after.version;
    this.#former = new Uint32Array(after.idLimit);
    for (const [id, example] of after.examples) this.#former[id] = before.classOf(example);
    for (let id = 0; id < after.idLimit; id += 1) {
      this.#former[id] = this.#former[after.parents[id] as number] as number;
    }
    this.isCompatible = this.isSame || (before.idLimit === after.idLimit && this.#keepsValues(before));
  }

  /** Values by former id -> values by id; a spare id gets its parent's. */
  carry(values: Uint32Array): Uint32Array {
    const carried = new Uint32Array(this.after.idLimit);
    for (let id = 0; id < carried.length; id += 1) carried[id] = values[this.#former[id] as number] as number;
    return carried;
  }

  /** Each id had the values of a class whose numbers share a class with its own. */
  #keepsValues(before: Partition): boolean {
    for (let id = 0; id < this.after.idLimit; id += 1) {
      const had = before.parents[id] as number;
      if (had === this.#former[id]) continue;
      const example = before.examples.get(had) as number;
      if (this.after.classOf(example) !== this.after.parents[id]) return false;
    }
    return true;
  }
}
