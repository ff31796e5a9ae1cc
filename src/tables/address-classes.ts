// Divides addresses into classes: two addresses are in one class when every set in use contains both or neither.
// Families never share a class.

import type { PrefixMembership, SetId } from '../calc/resolved.ts';
import { type Cidr, compareCidrs, containsCidr, type Family } from '../model/address.ts';
import { IdPool } from './id-pool.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';

/** Stays the same object for as long as the class exists. */
export interface AddressClass {
  readonly id: number;
  readonly family: Family;
  /** Ascending. */
  readonly sets: readonly SetId[];
}

/** Addresses under the prefix belong to the class, unless a longer prefix says otherwise. */
export interface ClassifiedPrefix {
  readonly cidr: Cidr;
  readonly class: AddressClass;
}

export interface AddressPartition {
  /** Class of every address that no prefix covers. */
  readonly outside: Readonly<Record<Family, AddressClass>>;
  /** Each after all prefixes that contain it; within a family ordered by address, then length. */
  readonly prefixes: Readonly<Record<Family, readonly ClassifiedPrefix[]>>;
  readonly classes: readonly AddressClass[];
  readonly bySet: ReadonlyMap<SetId, readonly AddressClass[]>;
  /** Class ids are below this. */
  readonly idLimit: number;
}

export class AddressClasses {
  readonly #pool = new IdPool();
  readonly #classes = new Map<string, AddressClass>();
  readonly #limits: TableLimits;
  /** Pairs of a prefix and a set, in this update. */
  #pairs = 0;

  constructor(limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#limits = limits;
  }

  /** The partition for these prefixes. Throws LIMIT_EXCEEDED. */
  update(memberships: Iterable<PrefixMembership>): AddressPartition {
    this.#pool.beginRound();
    this.#pairs = 0;
    const used = new Set<AddressClass>();
    const outside = { 4: this.#class(4, [], used), 6: this.#class(6, [], used) };
    const byFamily: Record<Family, PrefixMembership[]> = { 4: [], 6: [] };
    for (const membership of memberships) byFamily[membership.cidr.family].push(membership);
    const prefixes = {
      4: this.#classify(byFamily[4], outside[4], used),
      6: this.#classify(byFamily[6], outside[6], used),
    };
    this.#pool.endRound((key) => this.#classes.delete(key));
    this.#pool.shrink();
    const classes = [...used].sort((a, b) => a.id - b.id);
    return { outside, prefixes, classes, bySet: indexBySet(classes), idLimit: this.#pool.limit };
  }

  /** Walks prefixes in order with the chain of those that contain the current one. */
  #classify(memberships: PrefixMembership[], outside: AddressClass, used: Set<AddressClass>): ClassifiedPrefix[] {
    memberships.sort((a, b) => compareCidrs(a.cidr, b.cidr));
    const chain: ClassifiedPrefix[] = [];
    return memberships.map(({ cidr, sets }) => {
      while (chain.length > 0 && !containsCidr((chain.at(-1) as ClassifiedPrefix).cidr, cidr)) chain.pop();
      const around = chain.at(-1)?.class ?? outside;
      const merged = [...new Set([...around.sets, ...sets.keys()])].sort((a, b) => a - b);
      this.#pairs += merged.length;
      requireWithin('prefixSets', this.#pairs, this.#limits);
      const classified = { cidr, class: this.#class(cidr.family, merged, used) };
      chain.push(classified);
      return classified;
    });
  }

  #class(family: Family, sets: readonly SetId[], used: Set<AddressClass>): AddressClass {
    const key = `${family}:${sets.join()}`;
    const id = this.#pool.idOf(key);
    let found = this.#classes.get(key);
    if (found === undefined) {
      found = { id, family, sets };
      this.#classes.set(key, found);
    }
    used.add(found);
    requireWithin('addressClasses', used.size, this.#limits);
    return found;
  }
}

function indexBySet(classes: readonly AddressClass[]): Map<SetId, AddressClass[]> {
  const bySet = new Map<SetId, AddressClass[]>();
  for (const addressClass of classes) {
    for (const set of addressClass.sets) {
      const inSet = bySet.get(set);
      if (inSet === undefined) bySet.set(set, [addressClass]);
      else inSet.push(addressClass);
    }
  }
  return bySet;
}
