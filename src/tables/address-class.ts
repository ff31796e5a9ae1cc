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

/** The sets of what lies within others: ascending, each once. */
export function mergeSets(inherited: readonly SetId[], own: Iterable<SetId>): readonly SetId[] {
  const merged = [...own];
  if (inherited.length === 0) {
    // Without the room that a list has which grew: there are very many of one set.
    return merged.length === 1 ? [merged[0] as SetId] : merged.sort((a, b) => a - b);
  }
  return [...new Set([...inherited, ...merged])].sort((a, b) => a - b);
}
