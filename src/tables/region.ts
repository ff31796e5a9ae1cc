// Regions of an array of 32-bit words, and of which array. Plain data.
import type { TableLimits } from './limits.ts';

export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** Words to change, by position in a region. */
export interface RegionPatch {
  readonly positions: readonly number[];
  readonly words: readonly number[];
}

export interface RegionStoreOptions {
  /** For errors, e.g. `tt_heap`. */
  readonly name: string;
  /** Words the kernel array holds. */
  readonly capacity: number;
  /** Sizes are rounded up to a multiple of this; regions start at multiples of it. */
  readonly granularity: number;
  /** Words at the start that no region may take, so that offset 0 is never valid. */
  readonly reserved: number;
  /** The setting that raises the capacity, for the error's hint. */
  readonly setting: string;
  /** Capacity beyond which that setting cannot be raised. */
  readonly most: number;
  /** Sizes that room is set aside for from the start, one for each time that it is there; small regions never take it. */
  readonly slots?: readonly number[];
  /** Words that an image has to leave, see requireHeadroom. */
  readonly headroom?: number;
  readonly limits?: TableLimits;
}
