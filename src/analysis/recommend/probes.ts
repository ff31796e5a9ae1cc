// Questions about what nobody was seen to do: the same ends and others, the same services and their neighbours. What the policy
// says it covers besides is told apart from what it should not let through.
import { containsAddress, formatAddress, type IpAddress } from '../../model/address.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL } from '../../model/flow.ts';
import type { Direction } from '../../model/policy.ts';
import { knownPrefixes, outsideAddress } from '../outsiders.ts';
import { KNOWN_SERVICES } from '../protect/well-known.ts';
import type { RecommendedPolicy } from './recommendation.ts';
import type { Need } from './rules.ts';
import { type Conversation, tookPlace } from './traffic.ts';
import { isPublic, PUBLIC_EXAMPLES, type Subject, type Units } from './units.ts';

/** `observed` = the conversation was seen; `widened` = the policy says that it covers this too. */
export type Expectation = 'observed' | 'widened' | 'denied';

export interface Probe {
  readonly policy: RecommendedPolicy;
  readonly direction: Direction;
  readonly flow: Flow;
  readonly expected: Expectation;
}

interface What {
  readonly protocol: number;
  readonly port: number;
  readonly icmpCode: number;
}

const SUBJECTS_PER_GROUP = 1;
const MAX_PEERS = 400;
const MAX_WHATS = 200;
const SOURCE_PORT = 40_001;

/** Probes of all policies, at most `limit`, spread evenly over all there could be. */
export function* probesOf(
  policies: readonly RecommendedPolicy[],
  conversations: readonly Conversation[],
  units: Units,
  limit: number,
): Generator<Probe> {
  const seen = seenKeys(conversations);
  const peers = peerAddresses(conversations, units);
  const whats = whatsOf(conversations);
  const total = policies.length * 2 * peers.length * whats.length;
  const stride = Math.max(1, Math.ceil(total / limit));
  let at = 0;
  for (const policy of policies) {
    for (const own of ownAddresses(policy.group)) {
      for (const peer of peers) {
        if (peer.family !== own.family || formatAddress(peer) === formatAddress(own)) continue;
        for (const what of whats) {
          for (const direction of ['ingress', 'egress'] as const) {
            if (at++ % stride !== 0) continue;
            const flow = flowOf(own, peer, direction, what);
            if (flow !== undefined)
              yield { policy, direction, flow, expected: expect(policy, direction, flow, units, seen) };
          }
        }
      }
    }
  }
}

/** What the policy is meant to say of a flow: by what was seen and by what it covers besides. */
function expect(
  { group, needs }: RecommendedPolicy,
  direction: Direction,
  flow: Flow,
  units: Units,
  seen: ReadonlySet<string>,
): Expectation {
  const other = direction === 'egress' ? flow.destination : flow.source;
  const port = isIcmp(flow.protocol) ? flow.icmpType : flow.destinationPort;
  const service = direction === 'egress' ? `${flow.protocol} ${port}` : undefined;
  const peer = units.at(other, service).id;
  const [from, to] = direction === 'egress' ? [group.id, peer] : [peer, group.id];
  if (seen.has(keyOf(from, to, flow.protocol, port, flow.icmpCode))) return 'observed';
  return needs[direction].some((need) => covers(need, other, peer, flow)) ? 'widened' : 'denied';
}

function covers({ peer, protocol, ports, icmp }: Need, other: IpAddress, id: string, flow: Flow): boolean {
  if (flow.protocol !== protocol) return false;
  if (icmp !== undefined && (icmp.type !== flow.icmpType || icmp.code !== flow.icmpCode)) return false;
  const { destinationPort: port } = flow;
  if (ports !== undefined && !ports.some(({ first, last }) => port >= first && port <= last)) return false;
  if (peer.kind === 'network') return isPublic(other);
  if (peer.kind === 'prefixes') return peer.prefixes.some(({ cidr }) => containsAddress(cidr, other));
  if (peer.kind === 'service') return peer.addresses.some((each) => formatAddress(each) === formatAddress(other));
  if (peer.id === id) return true;
  return peer.kind !== 'workloads' && peer.prefixes.some((prefix) => containsAddress(prefix, other));
}

function seenKeys(conversations: readonly Conversation[]): Set<string> {
  return new Set(
    conversations
      .filter(tookPlace)
      .map(({ source, destination, protocol, port, icmpCode }) =>
        keyOf(source.id, destination.id, protocol, port, icmpCode),
      ),
  );
}

function keyOf(source: string, destination: string, protocol: number, port: number, code: number): string {
  return `${source}\n${destination}\n${protocol} ${port} ${code}`;
}

function ownAddresses({ endpoints }: Subject): IpAddress[] {
  return endpoints.slice(0, SUBJECTS_PER_GROUP).flatMap(({ addresses }) => oneOfEachFamily(addresses));
}

/** One member of each workload, who was seen from outside with their neighbours, and a stranger. */
function peerAddresses(conversations: readonly Conversation[], { groups }: Units): IpAddress[] {
  const known = knownPrefixes(groups.inventory.world);
  const found = new Map<string, IpAddress>();
  const add = (address: IpAddress | undefined): void => {
    if (address !== undefined && found.size < MAX_PEERS) found.set(formatAddress(address), address);
  };
  add(outsideAddress(4, known));
  add(outsideAddress(6, known));
  for (const { endpoints } of groups.all)
    for (const address of oneOfEachFamily(endpoints.at(-1)?.addresses ?? [])) add(address);
  for (const { source, destination } of conversations) {
    for (const unit of [source, destination]) {
      if (unit.kind === 'address') {
        add(unit.address);
        add(sibling(unit.address));
      } else if (unit.kind === 'network') PUBLIC_EXAMPLES.forEach(add);
      else if (unit.kind === 'service') unit.addresses.forEach(add);
      else if (unit.kind !== 'workloads')
        for (const { family, words } of [...unit.prefixes, ...(unit.found ?? [])]) add({ family, words });
    }
  }
  return [...found.values()];
}

/** Services that were seen, their neighbours, and those that everybody tries. */
function whatsOf(conversations: readonly Conversation[]): What[] {
  const found = new Map<string, What>();
  const add = (what: What): void => {
    if (found.size < MAX_WHATS && what.port >= 0 && what.port <= 65_535) found.set(Object.values(what).join(' '), what);
  };
  for (const { protocol, port, icmpCode } of conversations) {
    add({ protocol, port, icmpCode });
    if (hasPorts(protocol)) for (const near of [port - 1, port + 1]) add({ protocol, port: near, icmpCode: 0 });
  }
  add({ protocol: PROTOCOL.ICMP, port: 8, icmpCode: 0 });
  add({ protocol: PROTOCOL.ICMPV6, port: 128, icmpCode: 0 });
  add({ protocol: 47, port: 0, icmpCode: 0 });
  for (const { protocol, port } of KNOWN_SERVICES) add({ protocol, port, icmpCode: 0 });
  add({ protocol: PROTOCOL.TCP, port: 50_000, icmpCode: 0 });
  return [...found.values()];
}

function flowOf(own: IpAddress, peer: IpAddress, direction: Direction, what: What): Flow | undefined {
  const { protocol, port, icmpCode } = what;
  if (protocol === PROTOCOL.ICMP ? own.family !== 4 : protocol === PROTOCOL.ICMPV6 && own.family !== 6)
    return undefined;
  const [source, destination] = direction === 'egress' ? [own, peer] : [peer, own];
  const withPorts = hasPorts(protocol);
  return {
    source,
    destination,
    protocol,
    sourcePort: withPorts ? SOURCE_PORT : 0,
    destinationPort: withPorts ? port : 0,
    icmpType: isIcmp(protocol) ? port : 0,
    icmpCode,
  };
}

function oneOfEachFamily(addresses: readonly IpAddress[]): IpAddress[] {
  return [4, 6].flatMap((family) => addresses.find((address) => address.family === family) ?? []);
}

/** The other half of the pair that the address is of. */
function sibling(address: IpAddress): IpAddress {
  const words = [...address.words];
  words[words.length - 1] = ((words.at(-1) as number) ^ 1) >>> 0;
  return { family: address.family, words };
}
