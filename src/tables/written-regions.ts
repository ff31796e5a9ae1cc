// Which parts of an array an image writes: as few and long ones as possible. Part of RegionStore.
import type { Region } from './region.ts';

export class WrittenRegions {
  readonly #extents: { offset: number; length: number }[] = [];
  #count = 0;

  /** Neighbours are joined when they come one after the other. */
  get extents(): readonly Region[] {
    return this.#extents;
  }

  /** Regions before they were joined. */
  get count(): number {
    return this.#count;
  }

  add(offset: number, length: number): void {
    this.#count += 1;
    const last = this.#extents.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else this.#extents.push({ offset, length });
  }
}
