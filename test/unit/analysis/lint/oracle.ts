// Lint's claims the slow way: every packet that could matter, judged by the reference evaluator. Two packets that agree in
// every prefix edge, every layer-4 class and every source-port class are the same to every rule.
import { classifyJointly } from '../../../../src/analysis/joint-classes.ts';
import { entryKey, type RuleSubject } from '../../../../src/analysis/lint/context.ts';
import { CalcGraph } from '../../../../src/calc/graph.ts';
import { type Cidr, cidrOf, type Family, formatAddress, type IpAddress } from '../../../../src/model/address.ts';
import type { WorkloadEndpoint } from '../../../../src/model/endpoint.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL } from '../../../../src/model/flow.ts';
import { isLinkScopeDiscovery } from '../../../../src/model/link-scope.ts';
import { DIRECTIONS, type Direction, type Policy } from '../../../../src/model/policy.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import { Membership } from '../../../../src/model/reference/membership.ts';
import { ruleMatches } from '../../../../src/model/reference/rule-match.ts';
import { policyTraceEntry } from '../../../../src/model/trace.ts';
import type { World } from '../../../../src/model/world.ts';
import { L4_BASE } from '../../../../src/tables/layout.ts';

/** A packet as one endpoint's policy sees it. */
export interface Side {
  readonly endpoint: WorkloadEndpoint;
  readonly direction: Direction;
  readonly flow: Flow;
}

/** Every side that policy of this world could tell apart from others. */
export function* everySide(world: World): Iterable<Side> {
  const graph = new CalcGraph(() => true);
  for (const objects of Object.values(world)) graph.apply(objects.values(), []);
  const desired = graph.flush();
  const joint = classifyJointly([desired]);
  const peers = new Map<number, IpAddress>();
  for (const address of edgeAddresses([...desired.prefixes.values()].map(({ cidr }) => cidr))) {
    const { id } = joint.classOf(address);
    // Neighbour discovery with these passes before policy: they would not stand for the rest of their class.
    if (!peers.has(id) || isLinkScope(peers.get(id) as IpAddress)) peers.set(id, address);
  }
  const layer4 = [...joint.l4.examples.values()].map(packetAt);
  const sourcePorts = [...joint.sourcePorts.examples.values()];
  for (const { endpoint } of desired.endpoints.values()) {
    for (const own of endpoint.addresses) {
      for (const peer of peers.values()) {
        if (peer.family !== own.family) continue;
        for (const packet of layer4) {
          for (const sourcePort of hasPorts(packet.protocol) ? sourcePorts : [0]) {
            const ends = { ingress: { source: peer, destination: own }, egress: { source: own, destination: peer } };
            for (const direction of DIRECTIONS) {
              const flow = { ...ends[direction], ...packet, sourcePort };
              if (!isLinkScopeDiscovery(flow)) yield { endpoint, direction, flow };
            }
          }
        }
      }
    }
  }
}

/** Unspecified, link-local or multicast. */
function isLinkScope({ family, words }: IpAddress): boolean {
  const first = words[0] as number;
  return family === 6 && (words.every((word) => word === 0) || first >>> 22 === 0x3fa || first >>> 24 === 0xff);
}

/** First and last address of every prefix, and their neighbours: one in every region that prefixes divide. */
function edgeAddresses(prefixes: readonly Cidr[]): IpAddress[] {
  const found = new Map<string, IpAddress>();
  for (const family of [4, 6] as const) {
    const bits = family === 4 ? 32n : 128n;
    const edges = new Set([0n, (1n << bits) - 1n]);
    for (const cidr of prefixes.filter((prefix) => prefix.family === family)) {
      const first = numberOf(cidr);
      const last = first + (1n << (bits - BigInt(cidr.length))) - 1n;
      for (const edge of [first - 1n, first, last, last + 1n]) if (edge >= 0n && edge < 1n << bits) edges.add(edge);
    }
    for (const edge of edges) {
      const address = addressOf(edge, family);
      found.set(formatAddress(address), address);
    }
  }
  return [...found.values()];
}

function numberOf({ words }: IpAddress): bigint {
  return words.reduce((value, word) => (value << 32n) + BigInt(word), 0n);
}

function addressOf(value: bigint, family: Family): IpAddress {
  const words = Array.from({ length: family === 4 ? 1 : 4 }, (_, index) =>
    Number((value >> BigInt(32 * ((family === 4 ? 1 : 4) - 1 - index))) & 0xffffffffn),
  );
  return cidrOf({ family, words }, family === 4 ? 32 : 128);
}

const WIDE = [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE, PROTOCOL.ICMP, PROTOCOL.ICMPV6] as const;
const BASES = [L4_BASE.TCP, L4_BASE.UDP, L4_BASE.SCTP, L4_BASE.UDPLITE, L4_BASE.ICMP, L4_BASE.ICMPV6] as const;

function packetAt(index: number): Pick<Flow, 'protocol' | 'destinationPort' | 'icmpType' | 'icmpCode'> {
  const none = { destinationPort: 0, icmpType: 0, icmpCode: 0 };
  const wide = BASES.findIndex((base) => base <= index && index < base + 65536);
  if (wide < 0) return { protocol: index - L4_BASE.OTHER, ...none };
  const protocol = WIDE[wide] as number;
  const value = index - (BASES[wide] as number);
  return isIcmp(protocol)
    ? { ...none, protocol, icmpType: value >>> 8, icmpCode: value & 255 }
    : { ...none, protocol, destinationPort: value };
}

export interface SlowFate {
  isMet: boolean;
  isTaken: boolean;
}

/** For every rule of an enforced policy that governs some endpoint with an address: is it ever met, does it ever decide? */
export function slowFates(world: World, sides: readonly Side[]): Map<string, SlowFate> {
  const enforced = { ...world, policies: withoutStaged(world.policies) };
  const membership = new Membership(enforced);
  const evaluator = new ReferenceEvaluator(enforced);
  const governing = new Map<string, Policy[]>();
  const fates = new Map<string, SlowFate>();
  for (const { endpoint, direction, flow } of sides) {
    const place = `${endpoint.key} ${direction}`;
    const policies = governing.get(place) ?? policiesOf(enforced, membership, endpoint, direction);
    governing.set(place, policies);
    const { trace } = evaluator.evaluateSide(endpoint, direction, flow);
    const decided = new Set(trace.map((entry) => entryKey(entry, direction)));
    for (const policy of policies) {
      for (const [index, rule] of policy.rules[direction].entries()) {
        const key = entryKey(policyTraceEntry(policy, 'pass', index, rule.location), direction);
        const fate = fates.get(key) ?? { isMet: false, isTaken: false };
        fates.set(key, fate);
        if (!ruleMatches(rule, flow, membership)) continue;
        fate.isMet = true;
        fate.isTaken ||= decided.has(key);
      }
    }
  }
  return fates;
}

/** Whether verdicts and log marks of all sides stay as they are without the rule. */
export function isWithoutEffect(
  world: World,
  sides: readonly Side[],
  { owner, direction, index }: Pick<RuleSubject, 'owner' | 'direction' | 'index'>,
): boolean {
  const policies = withoutStaged(world.policies);
  const policy = policies.get(owner.resource.id) as Policy;
  const rules = { ...policy.rules, [direction]: policy.rules[direction].toSpliced(index, 1) };
  const before = new ReferenceEvaluator({ ...world, policies });
  const after = new ReferenceEvaluator({ ...world, policies: new Map(policies).set(policy.key, { ...policy, rules }) });
  return sides.every((side) => {
    const [a, b] = [before, after].map((evaluator) => evaluator.evaluateSide(side.endpoint, side.direction, side.flow));
    return a?.verdict === b?.verdict && a?.isLogged === b?.isLogged;
  });
}

function policiesOf(world: World, membership: Membership, endpoint: WorkloadEndpoint, direction: Direction): Policy[] {
  return [...world.policies.values()].filter(
    (policy) =>
      policy.governs[direction] &&
      !policy.doNotTrack &&
      !policy.preDnat &&
      membership.isHolderSelected(endpoint, policy.selector),
  );
}

function withoutStaged(policies: World['policies']): Map<string, Policy> {
  return new Map([...policies].filter(([, { staged }]) => !staged));
}
