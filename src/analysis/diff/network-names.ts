// Words for addresses that are no endpoint's: network sets and host endpoints by name, prefixes, everything outside.
import { type Cidr, type Family, formatCidr, hostCidr } from '../../model/address.ts';
import type { World } from '../../model/world.ts';
import type { AddressGroup, Both } from './address-groups.ts';
import { type AddressRanges, addressNumber, cidrsOf, rangeOf, subtract, unite } from './address-ranges.ts';
import { listShortly, type Part } from './part.ts';

/** Prefixes without some of the prefixes inside them. */
export interface Networks {
  readonly networks: readonly string[];
  readonly except: readonly string[];
}

interface Named {
  readonly text: string;
  readonly ranges: AddressRanges;
}

export class NetworkNames {
  readonly #family: Family;
  readonly #named: readonly Named[];
  /** Numbers of endpoints' addresses, ascending: descriptions may hold them or not. */
  readonly #owned: readonly bigint[];
  readonly #everything: AddressRanges;

  constructor(groups: readonly AddressGroup[], worlds: Both<World>, family: Family) {
    this.#family = family;
    this.#owned = groups
      .flatMap(({ owned }) => owned.map(({ address }) => addressNumber(address)))
      .sort((a, b) => (a < b ? -1 : 1));
    this.#named = namedNetworks(worlds, family).filter(({ ranges }) => !this.#isOwnedOnly(ranges));
    this.#everything = unite(groups.flatMap(({ ranges }) => ranges));
  }

  /** Exactly the addresses of these groups that are no endpoint's, in words. */
  describe(groups: readonly AddressGroup[]): Part[] {
    if (groups.length === 0) return [];
    const ranges = unite(groups.flatMap((group) => group.ranges));
    const missing = this.#withoutOwned(subtract(this.#everything, ranges));
    if (missing.length === 0) return [{ text: 'everything outside the cluster' }];
    const direct = this.#texts(ranges);
    const left = this.#texts(missing);
    if (left.length < direct.length) return [{ text: `everything outside the cluster but ${listShortly(left)}` }];
    return [{ text: listShortly(direct) }];
  }

  /** The same as prefixes. */
  networks(groups: readonly AddressGroup[]): Networks {
    if (groups.length === 0) return { networks: [], except: [] };
    const ranges = unite(groups.flatMap((group) => group.ranges));
    const direct = cidrsOf(ranges, this.#family).map(formatCidr);
    const missing = this.#withoutOwned(subtract(this.#everything, ranges));
    const left = cidrsOf(missing, this.#family).map(formatCidr);
    if (left.length + 1 >= direct.length) return { networks: direct, except: [] };
    return { networks: cidrsOf(this.#everything, this.#family).map(formatCidr), except: left };
  }

  #texts(ranges: AddressRanges): string[] {
    const texts: string[] = [];
    let rest = ranges;
    for (const { text, ranges: own } of this.#named) {
      if (this.#withoutOwned(subtract(own, rest)).length > 0) continue;
      texts.push(text);
      rest = this.#withoutOwned(subtract(rest, own));
    }
    return [...texts, ...cidrsOf(rest, this.#family).map(shortCidr)];
  }

  /** Without ranges in which every address is an endpoint's. */
  #withoutOwned(ranges: AddressRanges): AddressRanges {
    return ranges.filter((range) => !this.#isOwnedOnly([range]));
  }

  #isOwnedOnly(ranges: AddressRanges): boolean {
    return ranges.every(({ first, last }) => {
      const size = last - first + 1n;
      return size <= this.#owned.length && BigInt(this.#rank(last + 1n) - this.#rank(first)) === size;
    });
  }

  /** How many owned addresses are below. */
  #rank(number: bigint): number {
    let low = 0;
    let high = this.#owned.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#owned[middle] as bigint) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Sets and hosts whose addresses are the same on both sides, the largest first. */
function namedNetworks(worlds: Both<World>, family: Family): Named[] {
  const [before, after] = worlds.map((world) => networksOf(world, family)) as [Map<string, Named>, Map<string, Named>];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .flatMap((name) => {
      const [then, now] = [before.get(name), after.get(name)];
      if (then !== undefined && now !== undefined && textOf(then) !== textOf(now)) return [];
      return [(now ?? then) as Named];
    })
    .sort((a, b) => Number(sizeOf(b) - sizeOf(a)));
}

function networksOf({ networkSets, hostEndpoints }: World, family: Family): Map<string, Named> {
  const named = new Map<string, Named>();
  const add = (text: string, cidrs: readonly Cidr[]): void => {
    const own = cidrs.filter((cidr) => cidr.family === family);
    if (own.length > 0) named.set(text, { text, ranges: unite(own.map(rangeOf)) });
  };
  for (const { namespace, name, nets } of networkSets.values()) {
    add(`network set ${namespace === undefined ? '' : `${namespace}/`}${name}`, nets);
  }
  for (const { name, addresses } of hostEndpoints.values()) add(`host endpoint ${name}`, addresses.map(hostCidr));
  return named;
}

function textOf({ ranges }: Named): string {
  return ranges.map(({ first, last }) => `${first}-${last}`).join();
}

function sizeOf({ ranges }: Named): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

function shortCidr(cidr: Cidr): string {
  return formatCidr(cidr).replace(cidr.family === 4 ? /\/32$/ : /\/128$/, '');
}
