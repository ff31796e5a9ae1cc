// A class of addresses: what rows of policy are computed for.
import type { SetId } from '../calc/resolved.ts';
import type { Family } from '../model/address.ts';

/** Stays the same object for as long as the class exists. */
export interface AddressClass {
  readonly id: number;
  readonly family: Family;
  /** The sets that contain it, ascending. */
  readonly sets: readonly SetId[];
}
