// Addresses that stand for what is no workload: an outsider that no manifest speaks of, and one address for every
// region of a network that policy may treat in its own way.
import {
  type Cidr,
  compareCidrs,
  containsAddress,
  type Family,
  formatAddress,
  formatCidr,
  hostCidr,
  type IpAddress,
  parseCidr,
} from '../model/address.ts';
import type { EntityMatch, Rule } from '../model/policy.ts';
import type { World } from '../model/world.ts';

/** Private = RFC 1918; as in Calico's flow logs every IPv6 address that is in no set counts as public. */
export type NetworkScope = 'public' | 'private';

/** More regions than this are not looked at one by one. */
export const MAX_REGIONS = 256;

const PRIVATE_NETS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(requireCidr);
/** Tried first: addresses that documentation uses for anybody (RFC 5737, RFC 3849), and ends of private ranges. */
const PREFERRED: readonly IpAddress[] = [
  '203.0.113.1',
  '198.51.100.1',
  '192.0.2.1',
  '2001:db8:ffff::1',
  '10.255.255.254',
  '172.31.255.254',
  '192.168.255.254',
].map((text) => requireCidr(text));

export function networkScope(address: IpAddress): NetworkScope {
  return PRIVATE_NETS.some((net) => containsAddress(net, address)) ? 'private' : 'public';
}

/** Every prefix that policies, network sets, endpoints or services mention, once, sorted. */
export function knownPrefixes(world: World): readonly Cidr[] {
  const known = new Map<string, Cidr>();
  const add = (cidr: Cidr): unknown => known.set(formatCidr(cidr), cidr);
  for (const cidr of rulePrefixes(world)) add(cidr);
  for (const { nets } of world.networkSets.values()) nets.forEach(add);
  const owners = [
    ...world.workloadEndpoints.values(),
    ...world.hostEndpoints.values(),
    ...world.serviceSlices.values(),
  ];
  for (const { addresses } of owners) for (const address of addresses) add(hostCidr(address));
  return [...known.values()].sort(compareCidrs);
}

/** The address of the family that as few known prefixes as possible contain; always the same for the same prefixes. */
export function outsideAddress(family: Family, known: readonly Cidr[]): IpAddress {
  const candidates = PREFERRED.filter((address) => address.family === family);
  const afterwards = known.map(addressAfter).filter((address) => address?.family === family);
  let best: IpAddress | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of [...candidates, ...afterwards]) {
    if (candidate === undefined) continue;
    const count = known.filter((cidr) => containsAddress(cidr, candidate)).length;
    if (count < fewest) [best, fewest] = [candidate, count];
    if (fewest === 0) break;
  }
  return best as IpAddress;
}

/**
 * One address for each part of the nets that the known prefixes tell apart, at most MAX_REGIONS. Addresses that are
 * taken, by workloads for example, stand for themselves only and are left out.
 */
export function regionsWithin(
  nets: readonly Cidr[],
  known: readonly Cidr[],
  isTaken: (address: IpAddress) => boolean,
): readonly IpAddress[] {
  const found = new Map<string, IpAddress>();
  const add = (address: IpAddress | undefined): void => {
    if (address === undefined || found.size >= MAX_REGIONS || isTaken(address)) return;
    if (nets.some((net) => containsAddress(net, address))) found.set(formatAddress(address), address);
  };
  for (const { family, words } of nets) add({ family, words });
  for (const cidr of known) {
    add({ family: cidr.family, words: cidr.words });
    add(addressAfter(cidr));
  }
  return [...found.values()];
}

/** Addresses of the scope for each region that known prefixes tell apart, without those that `isTaken`. */
export function regionsOfScope(
  scope: NetworkScope,
  known: readonly Cidr[],
  isTaken: (address: IpAddress) => boolean,
): readonly IpAddress[] {
  const everywhere = scope === 'private' ? PRIVATE_NETS : ['0.0.0.0/0', '::/0'].map(requireCidr);
  const outside = PREFERRED.find((address) => networkScope(address) === scope && !isTaken(address));
  const isElsewhere = (address: IpAddress): boolean =>
    networkScope(address) !== scope || isTaken(address) || isUnspecified(address);
  const regions = regionsWithin(everywhere, known, isElsewhere);
  return outside === undefined ? regions : [outside, ...regions];
}

function rulePrefixes(world: World): Cidr[] {
  const rules: Rule[] = [];
  for (const { rules: own } of world.policies.values()) rules.push(...own.ingress, ...own.egress);
  for (const { rules: own } of world.profiles.values()) rules.push(...own.ingress, ...own.egress);
  const netsOf = ({ nets, notNets }: EntityMatch): Cidr[] => [...nets, ...notNets];
  return rules.flatMap(({ source, destination }) => [...netsOf(source), ...netsOf(destination)]);
}

/** The first address past the prefix; undefined at the end of the family's space. */
function addressAfter({ family, words, length }: Cidr): IpAddress | undefined {
  if (length === 0) return undefined;
  const next = [...words];
  let index = (length - 1) >>> 5;
  let step = 2 ** (31 - ((length - 1) & 31));
  while (index >= 0) {
    const sum = (next[index] as number) + step;
    next[index] = sum >>> 0;
    if (sum < 2 ** 32) return { family, words: next };
    step = 1;
    index -= 1;
  }
  return undefined;
}

function isUnspecified({ words }: IpAddress): boolean {
  return words.every((word) => word === 0);
}

function requireCidr(text: string): Cidr {
  return parseCidr(text) as Cidr;
}
