// Address classes as one policy list tells them apart: by the sets that it mentions.
import type { SetId } from '../calc/resolved.ts';
import type { AddressClass } from './address-class.ts';
import type { AddressPartition } from './address-classes.ts';
import type { SetIds } from './set-ids.ts';

/** A list that mentions sets for this part of all classes is asked about each class, others are found by their sets. */
const MANY = 1 / 4;

/** Visits each class that is in at least one of the sets, with those of them that it is in, ascending. */
export function forEachClassIn(
  addresses: AddressPartition,
  sets: SetIds,
  visit: (addressClass: AddressClass, held: readonly SetId[]) => void,
): void {
  for (const each of sets.size > MANY * addresses.classCount ? addresses.classes : classesIn(addresses, sets)) {
    const held = project(each, sets);
    if (held.length > 0) visit(each, held);
  }
}

/** Those of the sets that the class is in, ascending. */
export function project({ sets: own }: AddressClass, sets: SetIds): readonly SetId[] {
  if (own.length > 4 * sets.size) return [...sets].filter((set) => contains(own, set));
  for (let at = 0; at < own.length; at += 1) {
    if (!sets.has(own[at] as SetId)) return own.filter((set) => sets.has(set));
  }
  return own;
}

function classesIn(addresses: AddressPartition, sets: SetIds): Iterable<AddressClass> {
  const found = new Set<AddressClass>();
  for (const set of sets) for (const addressClass of addresses.inSet(set)) found.add(addressClass);
  return found;
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
