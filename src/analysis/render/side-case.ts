// One side of a rule in one case of its protocol: prefixes, ports, and addresses that hold a port. What cannot fail for
// the endpoints at hand is left out. Part of rule-case.ts.
import type { PortRange, PortSet, ResolvedPorts, ResolvedSide } from '../../calc/resolved.ts';
import { type Cidr, type Family, formatCidr } from '../../model/address.ts';
import { joinRanges, subtractRanges } from './port-ranges.ts';
import {
  inside,
  intersection,
  isEverything,
  PrefixIndex,
  type PrefixList,
  prefixList,
  withoutCovered,
} from './prefix-list.ts';
import type { SetMembers } from './set-members.ts';

/** An address that offers a port, of the case's protocol. */
export interface Holder {
  readonly cidr: Cidr;
  readonly port: number;
}

/** All must hold. */
export interface SideCase {
  /** undefined = any address. */
  readonly within?: PrefixList;
  readonly without: PrefixList;
  /** undefined = any port; disjoint. */
  readonly ports?: readonly PortRange[];
  readonly notPorts: readonly PortRange[];
  /** Address and port are one of these. */
  readonly holders?: readonly Holder[];
  readonly notHolders: readonly Holder[];
}

/** A side that nothing is asked of. */
export const ANY_SIDE: SideCase = { without: [], notPorts: [], notHolders: [] };

export interface SidePlace {
  readonly family: Family;
  /** Whether this is the end whose address is one of `local`. */
  readonly isLocal: boolean;
  readonly local: PrefixList;
  readonly members: SetMembers;
}

interface Addresses {
  readonly within?: PrefixList;
  readonly without: PrefixList;
}

/** The side's cases, of which a packet must meet one. `protocol` undefined = packets without ports. */
export function sideCases(side: ResolvedSide, protocol: number | undefined, place: SidePlace): SideCase[] {
  if (asksNothing(side)) return [ANY_SIDE];
  const addresses = addressesOf(side, place);
  if (addresses === undefined) return [];
  const isPortless = protocol === undefined;
  if (isPortless && (side.ports !== undefined || side.backends !== undefined)) return [];
  const holdersIn = (sets: readonly PortSet[]): Holder[] =>
    isPortless ? [] : holdersOf(sets, protocol, addresses, place);
  const excluded = splitHolders(holdersIn(side.notPorts?.named ?? []), addresses, place);
  const notPorts = isPortless ? [] : joinRanges([...(side.notPorts?.ranges ?? []), ...excluded.ranges]);
  const common = { ...addresses, notPorts, notHolders: excluded.holders };
  const offered = side.backends === undefined ? undefined : holdersIn([side.backends]);
  if (side.ports === undefined) return offered === undefined ? [common] : narrowed(common, { offered }, place);
  return portCases(side.ports, holdersIn).flatMap((ports) => narrowed(common, { ...ports, offered }, place));
}

function asksNothing({ within, without, ports, notPorts, backends }: ResolvedSide): boolean {
  const asksPorts = ports !== undefined || notPorts !== undefined || backends !== undefined;
  return within.length + without.length === 0 && !asksPorts;
}

interface PortCase {
  readonly ranges?: readonly PortRange[];
  readonly holders?: readonly Holder[];
  readonly offered?: readonly Holder[];
}

function portCases({ ranges, named }: ResolvedPorts, holdersIn: (sets: readonly PortSet[]) => Holder[]): PortCase[] {
  const holders = holdersIn(named);
  return [...(ranges.length > 0 ? [{ ranges }] : []), ...(holders.length > 0 ? [{ holders }] : [])];
}

/** The case with what is asked of ports, or none if nothing is left. */
function narrowed(common: SideCase, { ranges, holders, offered }: PortCase, place: SidePlace): SideCase[] {
  if (ranges !== undefined && offered === undefined) return withRanges(common, ranges);
  const candidates = [holders, offered].filter((list) => list !== undefined);
  const refused = new Set(common.notHolders.map(holderKey));
  const kept = candidates
    .reduce((a, b) => sameHolders(a, b))
    .filter(({ port }) => !isIn(common.notPorts, port) && (ranges === undefined || isIn(ranges, port)))
    .filter((holder) => !refused.has(holderKey(holder)));
  const split = splitHolders(kept, common, place);
  const nothingElse = { without: [], notPorts: [], notHolders: [] };
  return [
    ...withRanges({ ...common, notPorts: [], notHolders: [] }, split.ranges),
    ...(split.holders.length > 0 ? [{ ...nothingElse, holders: split.holders }] : []),
  ];
}

function withRanges(common: SideCase, ranges: readonly PortRange[]): SideCase[] {
  const ports = subtractRanges(ranges, common.notPorts);
  return ports.length === 0 ? [] : [{ ...common, ports, notPorts: [] }];
}

/** undefined = no address is left. A local end is one of few: exclusions are taken out of it at once. */
function addressesOf({ within, without }: ResolvedSide, place: SidePlace): Addresses | undefined {
  const { family, isLocal, local, members } = place;
  const lists = within.map((set) => members.of(set, family));
  const asked = lists.length === 0 ? undefined : lists.reduce(intersection);
  const excluded = prefixList(without.flatMap((set) => members.of(set, family)));
  if (isEverything(excluded) || asked?.length === 0) return undefined;
  if (isLocal) {
    const left = withoutCovered(asked === undefined ? local : inside(local, asked), excluded);
    if (left.length === 0) return undefined;
    return left.length === local.length ? { without: [] } : { within: left, without: [] };
  }
  if (asked === undefined || isEverything(asked)) return { without: excluded };
  const left = withoutCovered(asked, excluded);
  return left.length === 0 ? undefined : { within: left, without: inside(excluded, left) };
}

/** Holders of a port of the protocol that the side's address may be, each once. */
function holdersOf(sets: readonly PortSet[], protocol: number, addresses: Addresses, place: SidePlace): Holder[] {
  const { family, isLocal, local, members } = place;
  const allowed = addresses.within ?? (isLocal ? local : undefined);
  const index = allowed === undefined ? undefined : new PrefixIndex(allowed);
  const excluded = new PrefixIndex(addresses.without);
  const found = new Map<string, Holder>();
  for (const { points } of sets) {
    for (const [point, set] of points) {
      if (point >>> 16 !== protocol) continue;
      for (const cidr of members.of(set, family)) {
        if (excluded.contains(cidr) || index?.contains(cidr) === false) continue;
        const holder = { cidr, port: point & 0xffff };
        found.set(holderKey(holder), holder);
      }
    }
  }
  return [...found.values()];
}

/** Ports that every local address holds need no address. */
function splitHolders(
  holders: readonly Holder[],
  { within }: Pick<Addresses, 'within'>,
  { isLocal, local }: SidePlace,
): { readonly ranges: PortRange[]; readonly holders: readonly Holder[] } {
  if (!isLocal) return { ranges: [], holders };
  const everyone = (within ?? local).length;
  const counts = new Map<number, number>();
  for (const { port } of holders) counts.set(port, (counts.get(port) ?? 0) + 1);
  const isCommon = (port: number): boolean => counts.get(port) === everyone;
  const common = [...counts.keys()].filter(isCommon);
  return {
    ranges: joinRanges(common.map((port) => ({ first: port, last: port }))),
    holders: holders.filter(({ port }) => !isCommon(port)),
  };
}

function sameHolders(a: readonly Holder[], b: readonly Holder[]): readonly Holder[] {
  const keys = new Set(b.map(holderKey));
  return a.filter((holder) => keys.has(holderKey(holder)));
}

function holderKey({ cidr, port }: Holder): string {
  return `${formatCidr(cidr)} ${port}`;
}

function isIn(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ first, last }) => first <= port && port <= last);
}
