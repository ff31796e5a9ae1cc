// Generated flows of a world: between its workloads, to and from the edges of its prefixes, with its ports and their
// neighbours, often aimed at a rule or at a port that something offers. Every protocol and port 0 come up too.
import type { Family, IpAddress } from '../../../src/model/address.ts';
import { type Flow, hasPorts, isIcmp, V6_EXTENSION_HEADERS } from '../../../src/model/flow.ts';
import { address, anyFamily, farAddress } from './addresses.ts';
import type { Random } from './random.ts';
import {
  type ByFamily,
  knownAddress,
  type Offer,
  type SideTarget,
  type Surroundings,
  type Target,
} from './surroundings.ts';
import { ICMP_CODES, ICMP_TYPES } from './vocabulary.ts';

const ANYWHERE: SideTarget = { addresses: { 4: [], 6: [] }, ports: [], offers: [] };
const ANYTHING: Target = { protocol: undefined, icmp: {}, source: ANYWHERE, destination: ANYWHERE };

export function flowAmong(random: Random, around: Surroundings): Flow {
  const target = aim(random, around);
  const family = familyOf(random, target);
  const protocol = protocolOf(random, family, target);
  const withPorts = hasPorts(protocol);
  const withIcmp = isIcmp(protocol);
  const [source, destination] = ends(random, family, target, around);
  return {
    source,
    destination,
    protocol,
    sourcePort: withPorts ? portOf(random, target.source, around) : 0,
    destinationPort: withPorts ? portOf(random, target.destination, around) : 0,
    icmpType: withIcmp ? icmpField(random, target.icmp.type, ICMP_TYPES) : 0,
    icmpCode: withIcmp ? icmpField(random, target.icmp.code, ICMP_CODES) : 0,
  };
}

/** At nothing, at a rule, at an offered port, or from one. */
function aim(random: Random, { targets, offers }: Surroundings): Target {
  return random.weighted<Target>(
    [4, () => ANYTHING],
    [targets.length > 0 ? 6 : 0, () => withOffers(random, random.pick(targets))],
    [offers.length > 0 ? 2 : 0, () => aimAt(ANYTHING, 'destination', random.pick(offers))],
    [offers.length > 0 ? 1 : 0, () => aimAt(ANYTHING, 'source', random.pick(offers))],
  );
}

/** Where the rule asks for names or services, at one that is offered. */
function withOffers(random: Random, target: Target): Target {
  const { source, destination } = target;
  const aimed = source.offers.length > 0 ? aimAt(target, 'source', random.pick(source.offers)) : target;
  if (destination.offers.length === 0) return aimed;
  return aimAt(aimed, 'destination', random.pick(destination.offers));
}

function aimAt(target: Target, side: 'source' | 'destination', { addresses, protocol, port }: Offer): Target {
  return { ...target, protocol: target.protocol ?? protocol, [side]: { addresses, ports: [port], offers: [] } };
}

/** Mostly one in which the target has addresses and its protocol is at home. */
function familyOf(random: Random, { protocol, source, destination }: Target): Family {
  const isPossible = (family: Family): boolean =>
    protocol !== (family === 4 ? 58 : 1) && [source, destination].every(({ addresses }) => isIn(addresses, family));
  const possible = ([4, 6] as const).filter(isPossible);
  return possible.length > 0 && random.chance(85) ? random.pick(possible) : anyFamily(random);
}

function isIn(addresses: ByFamily, family: Family): boolean {
  return addresses[family].length > 0 || addresses[4].length + addresses[6].length === 0;
}

function protocolOf(random: Random, family: Family, { protocol }: Target): number {
  const chosen =
    protocol !== undefined && random.chance(90)
      ? protocol
      : random.weighted(
          [12, () => random.pick([6, 6, 17, 132, 136])],
          [3, () => random.pick([1, 58])],
          [1, () => random.pick([2, 47, 255])],
          [2, () => random.between(0, 255)],
        );
  return family === 6 && V6_EXTENSION_HEADERS.has(chosen) ? 6 : chosen;
}

/** One end, most of the time, is a workload: nothing else is judged. */
function ends(
  random: Random,
  family: Family,
  target: Target,
  around: Surroundings,
): readonly [source: IpAddress, destination: IpAddress] {
  const source = end(random, family, target.source.addresses, around);
  const destination = end(random, family, target.destination.addresses, around);
  const owned = around.owned[family];
  if (owned.length === 0 || random.chance(10)) return [source, destination];
  if (owned.includes(source) || owned.includes(destination)) return [source, destination];
  return random.chance(50) ? [source, random.pick(owned)] : [random.pick(owned), destination];
}

function end(random: Random, family: Family, aimed: ByFamily, { owned, edges }: Surroundings): IpAddress {
  const [targets, workloads, others] = [aimed[family], owned[family], edges[family]];
  return random.weighted(
    [targets.length > 0 ? 30 : 0, () => random.pick(targets)],
    [workloads.length > 0 ? 10 : 0, () => random.pick(workloads)],
    [others.length > 0 ? 4 : 0, () => random.pick(others)],
    [2, () => knownAddress(address(random, family))],
    [1, () => knownAddress(farAddress(random, family))],
  );
}

function portOf(random: Random, { ports: aimed }: SideTarget, { ports }: Surroundings): number {
  if (aimed.length > 0 && random.chance(80)) return random.pick(aimed);
  return random.chance(90) ? random.pick(ports) : random.between(0, 65535);
}

function icmpField(random: Random, aimed: number | undefined, usual: readonly number[]): number {
  if (aimed !== undefined && random.chance(70)) return aimed;
  return random.chance(90) ? random.pick(usual) : random.between(0, 255);
}
