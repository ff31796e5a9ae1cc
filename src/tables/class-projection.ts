// Address classes as one policy list tells them apart: by the sets that it mentions.
import type { SetId } from '../calc/resolved.ts';
import type { AddressClass } from './address-class.ts';
import type { AddressPartition } from './address-classes.ts';

/** Classes that are in at least one of the sets, each once. */
export function classesIn(addresses: AddressPartition, sets: ReadonlySet<SetId>): Iterable<AddressClass> {
  const found = new Set<AddressClass>();
  for (const set of sets) for (const addressClass of addresses.inSet(set)) found.add(addressClass);
  return found;
}

/** Those of the sets that the class is in, ascending. */
export function project({ sets: own }: AddressClass, sets: ReadonlySet<SetId>): readonly SetId[] {
  if (own.length <= 4 * sets.size) return own.filter((set) => sets.has(set));
  return [...sets].filter((set) => contains(own, set)).sort((a, b) => a - b);
}

function contains(ascending: readonly SetId[], set: SetId): boolean {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < set) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === set;
}
