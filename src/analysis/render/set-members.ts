// The prefixes of each address set that rules speak of, by family. A view of one DesiredState.
import type { PrefixMembership, SetId } from '../../calc/resolved.ts';
import type { Cidr, Family } from '../../model/address.ts';
import { type PrefixList, prefixList } from './prefix-list.ts';

export class SetMembers {
  readonly #members: Readonly<Record<Family, Map<SetId, Cidr[]>>> = { 4: new Map(), 6: new Map() };
  readonly #lists: Readonly<Record<Family, Map<SetId, PrefixList>>> = { 4: new Map(), 6: new Map() };

  constructor(prefixes: Iterable<PrefixMembership>) {
    for (const { cidr, sets } of prefixes) {
      const members = this.#members[cidr.family];
      for (const set of sets.keys()) {
        const known = members.get(set);
        if (known === undefined) members.set(set, [cidr]);
        else known.push(cidr);
      }
    }
  }

  /** Empty for a set that has no address of the family. */
  of(set: SetId, family: Family): PrefixList {
    const known = this.#lists[family].get(set);
    if (known !== undefined) return known;
    const list = prefixList(this.#members[family].get(set) ?? []);
    this.#lists[family].set(set, list);
    return list;
  }
}
