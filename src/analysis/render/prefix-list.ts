// Lists of prefixes of one family as rule sets need them: no prefix inside another, in order. Pure arithmetic; what a
// list stands for is the caller's business.
import { prefixKey } from '../../calc/address-sets.ts';
import { type Cidr, cidrOf, compareCidrs, containsCidr, type IpAddress } from '../../model/address.ts';

/** Prefixes of one family, sorted, none of which contains another. */
export type PrefixList = readonly Cidr[];

/** Answers whether a prefix lies inside the list, in as many steps as the list has prefix lengths. */
export class PrefixIndex {
  readonly #keys: ReadonlySet<string | number>;
  readonly #lengths: readonly number[];

  constructor(prefixes: PrefixList) {
    this.#keys = new Set(prefixes.map(prefixKey));
    this.#lengths = [...new Set(prefixes.map(({ length }) => length))];
  }

  /** Whether some prefix of the list contains all of this one. */
  contains(cidr: Cidr): boolean {
    return this.#lengths.some((length) => length <= cidr.length && this.#keys.has(prefixKey(cidrOf(cidr, length))));
  }
}

/** The prefixes in order, without those inside others. */
export function prefixList(prefixes: Iterable<Cidr>): PrefixList {
  const result: Cidr[] = [];
  for (const cidr of [...prefixes].sort(compareCidrs)) {
    const last = result.at(-1);
    if (last === undefined || !containsCidr(last, cidr)) result.push(cidr);
  }
  return result;
}

/** Addresses in both lists. */
export function intersection(a: PrefixList, b: PrefixList): PrefixList {
  const [inA, inB] = [new PrefixIndex(a), new PrefixIndex(b)];
  return prefixList([...a.filter((cidr) => inB.contains(cidr)), ...b.filter((cidr) => inA.contains(cidr))]);
}

/** `a` without the prefixes that `b` contains whole; parts of prefixes stay. */
export function withoutCovered(a: PrefixList, b: PrefixList): PrefixList {
  const inB = new PrefixIndex(b);
  return a.filter((cidr) => !inB.contains(cidr));
}

/** The prefixes of `a` that lie inside prefixes of `b`. */
export function inside(a: PrefixList, b: PrefixList): PrefixList {
  const inB = new PrefixIndex(b);
  return a.filter((cidr) => inB.contains(cidr));
}

/** Whether the list is every address of its family. */
export function isEverything(list: PrefixList): boolean {
  return list[0]?.length === 0;
}

/** The /32 or /128 of each address, in order. */
export function hostList(addresses: Iterable<IpAddress>): PrefixList {
  return prefixList([...addresses].map((address) => cidrOf(address, address.words.length * 32)));
}
