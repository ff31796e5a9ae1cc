// Flows at the boundaries of a policy: between its endpoints, to and from the edges of every prefix it speaks of, with
// ports and types on both sides of every border that its rules draw. Deterministic; judges nothing, sends nothing.
import { classifyJointly, type JointClassification } from '../analysis/joint-classes.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { type Cidr, type Family, formatAddress, type IpAddress } from '../model/address.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL, V6_EXTENSION_HEADERS } from '../model/flow.ts';
import { isLinkScopeDiscovery } from '../model/link-scope.ts';
import { L4_BASE } from '../tables/layout.ts';
import type { Partition } from '../tables/number-classes.ts';
import type { GuestSpec, SentFlow } from './arena-spec.ts';

/** The guest that stands for every address that is no endpoint's. */
export const OUTSIDE = 'outside';

/** A packet without its addresses. */
type Service = Pick<Flow, 'protocol' | 'destinationPort' | 'icmpType' | 'icmpCode'>;

/** Kernels choose ephemeral ports from here on. */
const SOURCE_PORT = 32768;
/** How many draws may come to nothing before the policy is taken to have no more to offer. */
const DRAWS_PER_FLOW = 40;
const AUTHENTICATION_HEADER = 51;

/** Whether a router carries packets to and from the address as to any other. */
export function isForwardable({ family, words }: IpAddress): boolean {
  const first = words[0] as number;
  if (family === 6) return first !== 0 && first >>> 24 !== 0xff && first >>> 22 !== 0xfe80 >>> 6;
  const octet = first >>> 24;
  return octet !== 0 && octet !== 127 && octet < 224 && first >>> 16 !== 0xa9fe;
}

/**
 * Up to `count` flows, of which at least one end is a guest and no two are packets of one connection. Guests are named
 * by the keys of their endpoints.
 */
export function boundaryFlows(desired: DesiredState, guests: readonly GuestSpec[], count: number): SentFlow[] {
  const space = new FlowSpace(desired, guests);
  const seen = new Set<string>();
  const flows: SentFlow[] = [];
  for (let draws = 0; flows.length < count && draws < count * DRAWS_PER_FLOW; draws += 1) {
    const sent = space.draw();
    if (sent === undefined || seen.has(connectionKey(sent.flow))) continue;
    seen.add(connectionKey(sent.flow));
    flows.push(sent);
  }
  return flows;
}

interface End {
  readonly address: IpAddress;
  readonly guest: string;
}

class FlowSpace {
  readonly #own: readonly End[];
  readonly #outside: Readonly<Record<Family, readonly End[]>>;
  readonly #services: Readonly<Record<Family, readonly Service[]>>;
  readonly #sourcePorts: readonly number[];
  #state = 1;

  constructor(desired: DesiredState, guests: readonly GuestSpec[]) {
    const classes = classifyJointly([desired]);
    const names = new Set(guests.map(({ name }) => name));
    const endpoints = [...desired.endpoints.values()].map(({ endpoint }) => endpoint);
    const owned = new Set(endpoints.flatMap(({ addresses }) => addresses.map(formatAddress)));
    this.#own = endpoints
      .filter(({ key }) => names.has(key))
      .flatMap(({ key, addresses }) => addresses.map((address) => ({ address, guest: key })))
      .filter(({ address }) => isForwardable(address));
    this.#outside = { 4: edges(classes, 4, owned), 6: edges(classes, 6, owned) };
    const services = borders(classes.l4).map(serviceAt);
    const existing = (family: Family): Service[] =>
      services.filter((service) => exists(service.protocol, family) && isReadAlike(service, family));
    this.#services = { 4: existing(4), 6: existing(6) };
    this.#sourcePorts = [SOURCE_PORT, ...(classes.sourcePorts.ids.length > 1 ? borders(classes.sourcePorts) : [])];
  }

  /** undefined = the two ends drawn say nothing about policy. */
  draw(): SentFlow | undefined {
    if (this.#own.length === 0) return undefined;
    const own = this.#pick(this.#own) as End;
    const { family } = own.address;
    const others = this.#number(2) === 0 ? this.#own : this.#outside[family];
    const peer = this.#pick(others);
    const service = this.#pick(this.#services[family]);
    if (peer === undefined || service === undefined || peer.guest === own.guest || peer.address.family !== family) {
      return undefined;
    }
    const [from, to] = this.#number(2) === 0 ? [own, peer] : [peer, own];
    const sourcePort = hasPorts(service.protocol) ? (this.#pick(this.#sourcePorts) as number) : 0;
    const flow: Flow = { source: from.address, destination: to.address, ...service, sourcePort };
    return isLinkScopeDiscovery(flow) ? undefined : { from: from.guest, flow };
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#number(items.length)];
  }

  /** The same numbers in every run: a failure can be run again. Numerical Recipes' generator, upper bits. */
  #number(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}

/** First and last address of every prefix, and the ones next to them, that no local endpoint has. */
function edges(classes: JointClassification, family: Family, owned: ReadonlySet<string>): End[] {
  const found = new Map<string, IpAddress>();
  for (const { cidr } of classes.prefixes[family]) {
    const [first, last] = rangeOf(cidr);
    for (const number of [first - 1n, first, last, last + 1n]) {
      const address = addressOf(number, family);
      if (address === undefined || !isForwardable(address)) continue;
      const text = formatAddress(address);
      if (!owned.has(text)) found.set(text, address);
    }
  }
  return [...found.values()].map((address) => ({ address, guest: OUTSIDE }));
}

function rangeOf({ family, words, length }: Cidr): readonly [bigint, bigint] {
  const first = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return [first, first + (1n << BigInt((family === 4 ? 32 : 128) - length)) - 1n];
}

function addressOf(number: bigint, family: Family): IpAddress | undefined {
  const count = family === 4 ? 1 : 4;
  if (number < 0n || number >> BigInt(32 * count) !== 0n) return undefined;
  const words = Array.from({ length: count }, (_, index) =>
    Number((number >> BigInt(32 * (count - 1 - index))) & 0xffffffffn),
  );
  return { family, words };
}

/** Numbers on both sides of every border between two classes, and the ends. */
function borders({ classes }: Partition): number[] {
  const found: number[] = [0];
  for (let number = 1; number < classes.length; number += 1) {
    if (classes[number] === classes[number - 1]) continue;
    if (found.at(-1) !== number - 1) found.push(number - 1);
    found.push(number);
  }
  return [...found, classes.length - 1];
}

const WIDE: readonly (readonly [base: number, protocol: number])[] = [
  [L4_BASE.TCP, PROTOCOL.TCP],
  [L4_BASE.UDP, PROTOCOL.UDP],
  [L4_BASE.SCTP, PROTOCOL.SCTP],
  [L4_BASE.UDPLITE, PROTOCOL.UDPLITE],
  [L4_BASE.ICMP, PROTOCOL.ICMP],
  [L4_BASE.ICMPV6, PROTOCOL.ICMPV6],
];

/** The packet with that layer-4 index: the inverse of l4Index. */
function serviceAt(index: number): Service {
  const none = { destinationPort: 0, icmpType: 0, icmpCode: 0 };
  for (const [base, protocol] of WIDE) {
    const number = index - base;
    if (number < 0 || number > 65535) continue;
    if (isIcmp(protocol)) return { ...none, protocol, icmpType: number >>> 8, icmpCode: number & 255 };
    return { ...none, protocol, destinationPort: number };
  }
  return { ...none, protocol: index - L4_BASE.OTHER };
}

/**
 * Whether all deciders see the same protocol. In IPv6 iptables and nftables read on behind an authentication header (RFC
 * 4302), and drop what is no such header; policy is about protocol 51.
 */
export function isReadAlike({ protocol }: Pick<Flow, 'protocol'>, family: Family): boolean {
  return family === 4 || protocol !== AUTHENTICATION_HEADER;
}

/** ICMP of the other family is no packet that anybody sends, and stacks differ in what they do with it. */
function exists(protocol: number, family: Family): boolean {
  if (protocol === (family === 4 ? PROTOCOL.ICMPV6 : PROTOCOL.ICMP)) return false;
  return family === 4 || !V6_EXTENSION_HEADERS.has(protocol);
}

/** Equal for packets that connection tracking may take for one connection, whoever sent first. */
function connectionKey({ source, destination, protocol, sourcePort, destinationPort }: Flow): string {
  const ports = hasPorts(protocol);
  const ends = [
    `${formatAddress(source)} ${ports ? sourcePort : ''}`,
    `${formatAddress(destination)} ${ports ? destinationPort : ''}`,
  ];
  return `${protocol} ${ends.sort().join(' ')}`;
}
