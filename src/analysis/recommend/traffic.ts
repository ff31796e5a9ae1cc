// Flows that were seen, by who speaks to whom about what: what rules are made of. Bounded; what finds no room is counted.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL } from '../../model/flow.ts';
import type { EndpointNames } from '../endpoint-names.ts';
import type { RecordedEnd, RecordedFlow } from '../flow-logs/recorded-flow.ts';
import type { EndResolver } from '../simulate-resolve.ts';
import { PUBLIC_EXAMPLES, PUBLIC_NETWORK, type Unit, type Units } from './units.ts';

/** Flows of two units about one service. */
export interface Conversation {
  readonly source: Unit;
  readonly destination: Unit;
  readonly protocol: number;
  /** Destination port, or ICMP type; 0 for other protocols. */
  readonly port: number;
  readonly icmpCode: number;
  /** By what each end's policy said; flows that both ends report are in both. */
  readonly seen: { source: number; destination: number };
  readonly denied: { source: number; destination: number };
  /** Milliseconds since 1970, where records have times. */
  first?: number;
  last?: number;
}

/** Why a record says nothing that a policy could be made of. */
export type UnusedReason =
  | 'unknownEnd'
  | 'noAddress'
  | 'severalWorkloads'
  | 'noFamilyInCommon'
  | 'noRoom'
  | 'elsewhere';

export const UNUSED_REASONS: Readonly<Record<UnusedReason, string>> = {
  unknownEnd: 'of ends that are not known (any more)',
  noAddress: 'to or from hosts or networks outside without an address: the records are aggregated',
  severalWorkloads: 'whose name may be of several workloads',
  noFamilyInCommon: 'between ends without a common address family',
  noRoom: 'that found no room',
  elsewhere: 'of other workloads',
};

/** Flows for these reasons took place, and what denies all that has no rule denies them. */
const LEFT_OUT: ReadonlySet<UnusedReason> = new Set(['noAddress', 'severalWorkloads', 'noRoom']);

export interface TrafficLimits {
  readonly conversations: number;
  /** Different flows that are kept to be judged again. */
  readonly replayed: number;
}

export interface TrafficOptions extends Partial<TrafficLimits> {
  /** Records that name a public network and no address are of all of it. */
  readonly isPublicNamed?: boolean;
  /** Hosts are recommended for, so that a host without an address may be one of those. */
  readonly isForHosts?: boolean;
}

export const TRAFFIC_LIMITS: TrafficLimits = Object.freeze({ conversations: 200_000, replayed: 200_000 });
const MAX_PAIRS = 64;
const EPHEMERAL_PORT = 40_000;

interface ResolvedUnit {
  readonly unit: Unit;
  readonly addresses: readonly IpAddress[];
}

export class Traffic {
  readonly #units: Units;
  readonly #resolver: EndResolver;
  readonly #names: EndpointNames;
  readonly #isSubject: (unit: Unit) => boolean;
  readonly #limits: TrafficLimits;
  readonly #isPublicNamed: boolean;
  readonly #isForHosts: boolean;
  readonly #conversations = new Map<string, Conversation>();
  readonly #flows = new Map<string, { readonly flow: Flow; readonly conversation: Conversation }>();
  readonly #unused = new Map<UnusedReason, number>();
  #used = 0;
  #leftOut = 0;
  #unkept = 0;

  constructor(
    units: Units,
    ends: { readonly resolver: EndResolver; readonly names: EndpointNames },
    isSubject: (unit: Unit) => boolean,
    options: TrafficOptions = {},
  ) {
    this.#units = units;
    this.#resolver = ends.resolver;
    this.#names = ends.names;
    this.#isSubject = isSubject;
    this.#limits = { ...TRAFFIC_LIMITS, ...options };
    this.#isPublicNamed = options.isPublicNamed === true;
    this.#isForHosts = options.isForHosts === true;
  }

  add(recorded: RecordedFlow): void {
    const reason = this.#take(recorded);
    if (reason === undefined) {
      this.#used += recorded.count;
      return;
    }
    this.#unused.set(reason, (this.#unused.get(reason) ?? 0) + recorded.count);
    if (LEFT_OUT.has(reason) && recorded.verdict !== 'deny') this.#leftOut += recorded.count;
  }

  /** Records, by why they are not used. */
  get unused(): Readonly<Partial<Record<UnusedReason, number>>> {
    return Object.fromEntries(this.#unused);
  }

  /** Those of them that passed, and that there is no rule for. */
  get leftOut(): number {
    return this.#leftOut;
  }

  get used(): number {
    return this.#used;
  }

  /** Flows that found no room to be judged again. */
  get unkept(): number {
    return this.#unkept;
  }

  conversations(): Conversation[] {
    return [...this.#conversations.values()];
  }

  /** Different flows, by whose conversation they are of. */
  flows(): readonly { readonly flow: Flow; readonly conversation: Conversation }[] {
    return [...this.#flows.values()];
  }

  /** Why it is not used; undefined = it is. */
  #take(recorded: RecordedFlow): UnusedReason | undefined {
    const from = this.#resolve(recorded.source);
    const places = this.#destinations(recorded);
    if (typeof from === 'string') return this.#isOfOthers(recorded.source, from, places) ? 'elsewhere' : from;
    if (typeof places === 'string')
      return this.#isOfOthers(recorded.destination, places, [from]) ? 'elsewhere' : places;
    if (!this.#isSubject(from.unit) && !places.some(({ unit }) => this.#isSubject(unit))) return 'elsewhere';
    let reason: UnusedReason | undefined = 'noFamilyInCommon';
    for (const to of places) {
      const pairs = pairsOf(from.addresses, to.addresses, recorded.protocol);
      if (pairs.length === 0) continue;
      const conversation = this.#conversation(from.unit, to.unit, recorded);
      if (conversation === undefined) return 'noRoom';
      count(conversation, recorded);
      for (const [a, b] of pairs) this.#keep(conversation, flowOf(a, b, recorded));
      reason = undefined;
    }
    return reason;
  }

  /** Nobody who is recommended for: one end is known to be another, and the one without an address cannot be one. */
  #isOfOthers({ name }: RecordedEnd, reason: UnusedReason, others: readonly ResolvedUnit[] | UnusedReason): boolean {
    if (reason !== 'noAddress' || typeof others === 'string' || (name?.kind === 'host' && this.#isForHosts))
      return false;
    return !others.some(({ unit }) => this.#isSubject(unit));
  }

  /** One; of a service without an address each that it has: which of them it was is not recorded. */
  #destinations({ destination, protocol, destinationPort, service }: RecordedFlow): ResolvedUnit[] | UnusedReason {
    const port = `${protocol} ${destinationPort}`;
    const isNamed = destination.address === undefined && service !== undefined;
    const addresses = isNamed ? this.#units.addressesOf(service) : [];
    const to = destination.name?.kind === 'network' && addresses.length > 0 ? 'noAddress' : undefined;
    const found = to ?? this.#resolve(destination, port);
    if (found !== 'noAddress' || addresses.length === 0) return typeof found === 'string' ? found : [found];
    return addresses.map((address) => ({ unit: this.#units.at(address, port), addresses: [address] }));
  }

  #resolve(end: RecordedEnd, port?: string): ResolvedUnit | UnusedReason {
    const { name, address } = end;
    if (address === undefined && name?.kind === 'networkSet') {
      const unit = this.#units.set(name.namespace, name.name);
      if (unit === undefined) return 'noAddress';
      return { unit, addresses: unit.prefixes.map(({ family, words }) => ({ family, words })) };
    }
    if (address === undefined && name?.kind === 'network') {
      const isKnown = this.#isPublicNamed && name.name === 'public';
      return isKnown ? { unit: PUBLIC_NETWORK, addresses: PUBLIC_EXAMPLES } : 'noAddress';
    }
    const resolved = this.#resolver.resolve(end);
    // Of a host that lists no addresses the manifests know none.
    if ('unresolved' in resolved) return address === undefined && name?.kind === 'host' ? 'noAddress' : 'unknownEnd';
    const { addresses } = resolved;
    if (!resolved.isWorkload) {
      const [first] = address === undefined ? addresses : [address];
      return first === undefined ? 'noAddress' : { unit: this.#units.at(first, port), addresses: [first] };
    }
    const groups = new Set(
      addresses.map((each) => this.#names.at(each)).map((one) => one && this.#units.groups.of(one)),
    );
    const [unit] = groups;
    if (unit === undefined) return 'unknownEnd';
    return groups.size > 1 ? 'severalWorkloads' : { unit, addresses };
  }

  #conversation(source: Unit, destination: Unit, recorded: RecordedFlow): Conversation | undefined {
    const { protocol, destinationPort, icmpType, icmpCode } = recorded;
    const port = isIcmp(protocol) ? icmpType : destinationPort;
    const key = `${source.id}\n${destination.id}\n${protocol} ${port} ${icmpCode}`;
    const known = this.#conversations.get(key);
    if (known !== undefined) return known;
    if (this.#conversations.size >= this.#limits.conversations) return undefined;
    const conversation: Conversation = {
      source,
      destination,
      protocol,
      port,
      icmpCode,
      seen: { source: 0, destination: 0 },
      denied: { source: 0, destination: 0 },
    };
    this.#conversations.set(key, conversation);
    return conversation;
  }

  #keep(conversation: Conversation, flow: Flow): void {
    const { source, destination, protocol, destinationPort, icmpType, icmpCode } = flow;
    const key = [formatAddress(source), formatAddress(destination), protocol, destinationPort, icmpType, icmpCode];
    const text = key.join(' ');
    if (this.#flows.has(text)) return;
    if (this.#flows.size >= this.#limits.replayed) this.#unkept += 1;
    else this.#flows.set(text, { flow, conversation });
  }
}

/** Whether it took place: a denial by either end is one, unless the destination let others of the kind in. */
export function tookPlace({ seen, denied }: Conversation): boolean {
  if (seen.destination > 0) return true;
  return seen.source > 0 && denied.destination === 0;
}

/** Flows, counted once where both ends reported them. */
export function flowsOf({ seen }: Conversation): number {
  return Math.max(seen.source, seen.destination);
}

function count(conversation: Conversation, { reporter, verdict, count: flows, from, until }: RecordedFlow): void {
  const counts = verdict === 'deny' ? conversation.denied : conversation.seen;
  if (reporter !== 'destination') counts.source += flows;
  if (reporter !== 'source') counts.destination += flows;
  if (from !== undefined) conversation.first = Math.min(conversation.first ?? from, from);
  if (until !== undefined) conversation.last = Math.max(conversation.last ?? until, until);
}

function pairsOf(
  sources: readonly IpAddress[],
  destinations: readonly IpAddress[],
  protocol: number,
): (readonly [IpAddress, IpAddress])[] {
  const pairs: (readonly [IpAddress, IpAddress])[] = [];
  for (const source of sources) {
    if (protocol === PROTOCOL.ICMP ? source.family !== 4 : protocol === PROTOCOL.ICMPV6 && source.family !== 6)
      continue;
    for (const destination of destinations) {
      if (source.family !== destination.family) continue;
      pairs.push([source, destination]);
      if (pairs.length === MAX_PAIRS) return pairs;
    }
  }
  return pairs;
}

function flowOf(source: IpAddress, destination: IpAddress, recorded: RecordedFlow): Flow {
  const { protocol, sourcePort = EPHEMERAL_PORT, destinationPort, icmpType, icmpCode } = recorded;
  const ports = hasPorts(protocol) ? { sourcePort, destinationPort } : { sourcePort: 0, destinationPort: 0 };
  return { source, destination, protocol, ...ports, icmpType, icmpCode };
}
