// Packets that a machine, or whoever administers it, cannot do without, and whether policy of host endpoints would drop one.
// Pure: which sessions there are and what the machine looks like is told.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import type { HostEndpoint } from '../../model/endpoint.ts';
import { type Flow, hasPorts, PROTOCOL, protocolName } from '../../model/flow.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import type { Path, PathFlow, StageVerdict } from '../../model/path.ts';
import { Membership } from '../../model/reference/membership.ts';
import { ReferencePathEvaluator } from '../../model/reference/path-evaluator.ts';
import type { World } from '../../model/world.ts';
import { formatEntry, formatLocation } from '../outcome.ts';
import type { SshSession } from './observation.ts';

/** A TCP connection to this machine that is to live on. */
export interface HeldSession extends SshSession {
  /** Completes `would cut `. */
  readonly what: string;
}

export interface LifelineFacts {
  readonly interfaces: readonly HostInterface[];
  readonly sessions: readonly HeldSession[];
  /** Interfaces whose address a DHCP server gives, and that server where it is known. */
  readonly dhcp: readonly { readonly interfaceName: string; readonly server?: IpAddress }[];
  /** The interface by which the machine reaches an address; undefined = it does not. */
  readonly interfaceTo: (address: IpAddress) => string | undefined;
}

/** A packet, and the one that answers it. */
export interface Lifeline {
  readonly what: string;
  readonly packet: PathFlow;
  /** Of the same connection. undefined = none, or none that policy could keep back. */
  readonly answer?: PathFlow;
}

export interface Cut {
  readonly what: string;
  readonly packet: PathFlow;
  /** The stage that drops it. */
  readonly by: StageVerdict;
}

type IsLocal = (endpoint: { readonly node: string }) => boolean;

const BROADCAST = { family: 4, words: [0xffffffff] } as const satisfies IpAddress;

/** Failsafe ports, neighbour discovery, router advertisements and DHCPv6 are not among them: no policy closes those. */
export function lifelinesOf(facts: LifelineFacts): Lifeline[] {
  return [
    ...facts.sessions.flatMap((session) => sessionLifeline(session, facts)),
    ...facts.dhcp.flatMap((each) => dhcpLifeline(each, facts)),
  ];
}

/** The first packet of each that policy of this host's endpoints drops. Nothing where the host has no endpoints. */
export function cutLifelines(
  world: World,
  lifelines: readonly Lifeline[],
  interfaces: readonly HostInterface[],
  isLocal: IsLocal,
): Cut[] {
  const endpoints = [...world.hostEndpoints.values()].filter(isLocal);
  if (endpoints.length === 0 || lifelines.length === 0) return [];
  const workloads = new Set(interfaces.flatMap(({ name, kind }) => (kind === 'workload' ? name : [])));
  const isOfHost = lifelines.every(
    ({ packet: { path } }) => !workloads.has(path.kind === 'from-host' ? path.out : path.in),
  );
  const evaluator = isOfHost
    ? hostEvaluator(world, endpoints, interfaces)
    : new ReferencePathEvaluator(world, interfaces, isLocal);
  return lifelines.flatMap((lifeline) => cutOf(evaluator, lifeline) ?? []);
}

/** For packets that no workload sends: without whatever does not concern the host, which may be most of the world. */
function hostEvaluator(
  world: World,
  endpoints: readonly HostEndpoint[],
  interfaces: readonly HostInterface[],
): ReferencePathEvaluator {
  const membership = new Membership(world);
  const policies = [...world.policies].filter(([, { selector }]) =>
    endpoints.some((endpoint) => membership.isHolderSelected(endpoint, selector)),
  );
  const judged: ReadonlySet<unknown> = new Set(endpoints);
  return new ReferencePathEvaluator({ ...world, policies: new Map(policies) }, interfaces, (each) => judged.has(each));
}

/** `TCP 198.51.100.7:50000 to 192.0.2.1:22 in by eth0, denied by default|gnp:locked|deny|-1 (policy.yaml:3)`. */
export function describeCut({ packet, by }: Cut): string {
  const { flow, path } = packet;
  const entry = by.trace.at(-1);
  const place = entry === undefined ? undefined : formatLocation(entry);
  const who = entry === undefined ? by.stage : formatEntry(entry);
  return `${describeFlow(flow)} ${describePath(path)}, denied by ${who}${place === undefined ? '' : ` (${place})`}`;
}

/**
 * What the first packet opens, the answer needs no rule of its own for; where it was let through without a connection, or
 * rules without connections are asked about the answer, it does.
 */
function cutOf(evaluator: ReferencePathEvaluator, { what, packet, answer }: Lifeline): Cut | undefined {
  const first = evaluator.evaluatePath(packet);
  const last = first.stages.at(-1);
  if (first.verdict === 'deny' && last !== undefined) return { what, packet, by: last };
  if (answer === undefined) return undefined;
  const back = evaluator.evaluatePath(answer);
  const by = back.stages.at(-1);
  if (back.verdict === 'allow' || by === undefined) return undefined;
  return last?.stage === 'untracked' || by.stage === 'untracked' ? { what, packet: answer, by } : undefined;
}

function sessionLifeline(session: HeldSession, { interfaceTo, interfaces }: LifelineFacts): Lifeline[] {
  const { what, client, clientPort, server, serverPort } = session;
  const name = interfaceTo(client) ?? holderOf(server, interfaces);
  if (name === undefined) return [];
  const flow = transport(PROTOCOL.TCP, client, clientPort, server, serverPort);
  return [{ what, packet: toHost(flow, name), answer: fromHost(reverse(flow), name) }];
}

/** The lease is renewed so; the first one is asked for past every hook. */
function dhcpLifeline(
  { interfaceName, server }: LifelineFacts['dhcp'][number],
  { interfaces }: LifelineFacts,
): Lifeline[] {
  const own = interfaces.find(({ name }) => name === interfaceName)?.addresses.find(({ family }) => family === 4);
  if (own === undefined) return [];
  const flow = transport(PROTOCOL.UDP, own, 68, server ?? BROADCAST, 67);
  const back = server === undefined ? undefined : toHost(reverse(flow), interfaceName);
  return [{ what: 'DHCP, which gives this machine its address', packet: fromHost(flow, interfaceName), answer: back }];
}

function holderOf(address: IpAddress, interfaces: readonly HostInterface[]): string | undefined {
  const text = formatAddress(address);
  return interfaces.find(({ addresses }) => addresses.some((each) => formatAddress(each) === text))?.name;
}

function toHost(flow: Flow, name: string): PathFlow {
  return { flow, path: { kind: 'to-host', in: name } };
}

function fromHost(flow: Flow, name: string): PathFlow {
  return { flow, path: { kind: 'from-host', out: name } };
}

function transport(
  protocol: number,
  source: IpAddress,
  sourcePort: number,
  destination: IpAddress,
  destinationPort: number,
): Flow {
  return { source, destination, protocol, sourcePort, destinationPort, icmpType: 0, icmpCode: 0 };
}

function reverse({ source, destination, sourcePort, destinationPort, ...rest }: Flow): Flow {
  const ends = { source: destination, destination: source };
  return { ...rest, ...ends, sourcePort: destinationPort, destinationPort: sourcePort };
}

function describeFlow({ source, destination, protocol, sourcePort, destinationPort, icmpType }: Flow): string {
  const [from, to] = [source, destination].map((address) =>
    address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address),
  );
  if (hasPorts(protocol)) return `${protocolName(protocol)} ${from}:${sourcePort} to ${to}:${destinationPort}`;
  return `${protocolName(protocol)} type ${icmpType} ${from} to ${to}`;
}

function describePath(path: Path): string {
  if (path.kind === 'to-host') return `in by ${path.in}`;
  if (path.kind === 'from-host') return `out by ${path.out}`;
  return `from ${path.in} to ${path.out}`;
}
