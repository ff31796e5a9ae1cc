// Conversations of one workload in one direction -> what its policy must let through, each with what it is made of.
import { compareCidrs, formatAddress, type IpAddress } from '../../model/address.ts';
import { hasPorts, isIcmp, PROTOCOL } from '../../model/flow.ts';
import type { Direction } from '../../model/policy.ts';
import type { WorkloadGroup } from './groups.ts';
import { DEFAULT_PORT_MERGING, mergePorts, type PortMerging, type PortRange } from './port-ranges.ts';
import { DEFAULT_SUMMARISING, type SummarisedPrefix, type Summarising, summarise } from './prefixes.ts';
import { type Conversation, flowsOf, tookPlace } from './traffic.ts';
import type { AddressUnit, NetworkUnit, ServiceUnit, SetUnit } from './units.ts';

export type Peer =
  | WorkloadGroup
  | SetUnit
  | ServiceUnit
  | NetworkUnit
  | { readonly kind: 'prefixes'; readonly prefixes: readonly SummarisedPrefix[]; readonly hosts: readonly string[] };

/** What one rule lets through. */
export interface Need {
  readonly peer: Peer;
  readonly protocol: number;
  /** undefined = the protocol has no ports. */
  readonly ports?: readonly PortRange[];
  readonly icmp?: { readonly type: number; readonly code: number };
  readonly evidence: Evidence;
}

export interface Evidence {
  readonly flows: number;
  /** Different pairs of ends and services. */
  readonly conversations: number;
  readonly first?: number;
  readonly last?: number;
}

export interface Merging {
  readonly ports: PortMerging;
  readonly addresses: Summarising;
}

export const DEFAULT_MERGING: Merging = Object.freeze({ ports: DEFAULT_PORT_MERGING, addresses: DEFAULT_SUMMARISING });

/** In a fixed order; the same conversations always make the same needs. */
export function needsOf(
  group: { readonly id: string },
  direction: Direction,
  conversations: readonly Conversation[],
  merging: Merging,
): Need[] {
  const own = direction === 'egress' ? 'source' : 'destination';
  const other = direction === 'egress' ? 'destination' : 'source';
  const labelled = new Map<string, Conversation[]>();
  const addressed: Conversation[] = [];
  for (const conversation of conversations) {
    if (conversation[own].id !== group.id || !tookPlace(conversation)) continue;
    const peer = conversation[other];
    if (peer.kind === 'address') addressed.push(conversation);
    else addTo(labelled, `${peer.id}\n${whatKey(conversation)}`, conversation);
  }
  const needs = [...labelled.values()].flatMap((some): Need[] => {
    const peer = (some[0] as Conversation)[other] as Exclude<Peer, { kind: 'prefixes' }>;
    const what = { ...whatOf(some, merging.ports), evidence: evidenceOf(some) };
    const isUnknownToSelectors = peer.kind === 'host' && peer.found !== undefined;
    return (isUnknownToSelectors ? byAddress(peer, what.protocol) : [peer]).map((each) => ({ peer: each, ...what }));
  });
  return [...needs, ...addressNeeds(addressed, other, merging)].sort(byPlace);
}

/** A host by all addresses that it has; those of one rule are of one family. */
function byAddress({ name, prefixes, found = [] }: SetUnit, protocol: number): Peer[] {
  return ([4, 6] as const).flatMap((family): Peer[] => {
    if (protocol === (family === 4 ? PROTOCOL.ICMPV6 : PROTOCOL.ICMP)) return [];
    const own = [...prefixes, ...found].filter((cidr) => cidr.family === family).sort(compareCidrs);
    if (own.length === 0) return [];
    return [{ kind: 'prefixes', prefixes: own.map((cidr) => ({ cidr, seen: 1 })), hosts: [`host ${name}`] }];
  });
}

/** Services that the same addresses were seen to speak, put together; addresses summarised by family. */
function addressNeeds(
  conversations: readonly Conversation[],
  other: 'source' | 'destination',
  merging: Merging,
): Need[] {
  const peerOf = (conversation: Conversation): AddressUnit => conversation[other] as AddressUnit;
  const byService = new Map<string, Conversation[]>();
  for (const conversation of conversations) {
    const { family } = peerOf(conversation).address;
    addTo(byService, `${family} ${whatKey(conversation)} ${conversation.port}`, conversation);
  }
  const byAddresses = new Map<string, Conversation[]>();
  for (const some of byService.values()) {
    const [first] = some as [Conversation];
    const { family } = peerOf(first).address;
    const texts = some.map((each) => formatAddress(peerOf(each).address)).sort();
    for (const each of some) addTo(byAddresses, `${family} ${whatKey(first)}\n${texts.join(' ')}`, each);
  }
  return [...byAddresses.values()].map((some): Need => {
    const peers = some.map(peerOf);
    const prefixes = summarise(
      peers.map(({ address }): IpAddress => address),
      merging.addresses,
    );
    const hosts = [...new Set(peers.flatMap(({ label }) => label ?? []))].sort();
    const others = peers.filter(({ label }) => label === undefined).length;
    if (hosts.length > 0 && others > 0) hosts.push(outsideWords(others));
    const peer: Peer = { kind: 'prefixes', prefixes, hosts };
    return { peer, ...whatOf(some, merging.ports), evidence: evidenceOf(some) };
  });
}

export function outsideWords(addresses: number): string {
  return addresses === 1 ? 'an address outside' : `${addresses} addresses outside`;
}

/** Conversations of one key can be one rule. */
function whatKey({ protocol, port, icmpCode }: Conversation): string {
  return isIcmp(protocol) ? `${protocol} ${port} ${icmpCode}` : String(protocol);
}

function whatOf(some: readonly Conversation[], merging: PortMerging): Pick<Need, 'protocol' | 'ports' | 'icmp'> {
  const [{ protocol, port, icmpCode }] = some as [Conversation];
  if (isIcmp(protocol)) return { protocol, icmp: { type: port, code: icmpCode } };
  if (!hasPorts(protocol)) return { protocol };
  return {
    protocol,
    ports: mergePorts(
      some.map((each) => each.port),
      merging,
    ),
  };
}

function evidenceOf(some: readonly Conversation[]): Evidence {
  const firsts = some.flatMap(({ first }) => first ?? []);
  const lasts = some.flatMap(({ last }) => last ?? []);
  return {
    flows: some.reduce((sum, each) => sum + flowsOf(each), 0),
    conversations: some.length,
    ...(firsts.length === 0 ? {} : { first: Math.min(...firsts) }),
    ...(lasts.length === 0 ? {} : { last: Math.max(...lasts) }),
  };
}

/** Workloads first, addresses last. */
function byPlace(a: Need, b: Need): number {
  const [left, right] = [placeOf(a), placeOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const ORDER: Readonly<Record<Peer['kind'], number>> = {
  workloads: 0,
  set: 1,
  service: 2,
  host: 3,
  prefixes: 4,
  network: 5,
};

function placeOf({ peer, protocol, ports = [], icmp }: Need): string {
  const id = peer.kind === 'prefixes' ? peer.prefixes.map(({ cidr }) => formatAddress(cidr)).join(' ') : peer.id;
  const number = ports[0]?.first ?? icmp?.type ?? 0;
  return [ORDER[peer.kind], id, String(protocol).padStart(3, '0'), String(number).padStart(5, '0')].join('\n');
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
