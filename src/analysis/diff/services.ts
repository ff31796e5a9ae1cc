// Sets of packets in words: `TCP 443`, `every TCP port but 22`, `everything but ICMP type 8`. And one packet of a set.
import type { Family } from '../../model/address.ts';
import { hasPorts, isIcmp, PROTOCOL, protocolName } from '../../model/flow.ts';
import { complement, type IntervalSet, intersect } from '../../tables/interval-sets.ts';
import { l4Index, protocolSet } from '../../tables/l4-space.ts';
import { L4_ENTRIES } from '../../tables/layout.ts';
import { exists, type PacketSlice, protocols } from './packet-space.ts';

/** A packet without its addresses. */
export interface Service {
  readonly protocol: number;
  readonly destinationPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** undefined = any. */
  readonly sourcePort?: number;
}

/** Exact, one text for each kind of packet; nothing is left out. */
export function describeServices(slices: readonly PacketSlice[], family: Family): string[] {
  return slices.flatMap(({ l4, sourcePorts }) => {
    const texts = describeIndexes(l4, family);
    if (sourcePorts === undefined) return texts;
    return texts.map((text) => `${text} from source ${ranges(sourcePorts, 'port', 'ports')}`);
  });
}

function describeIndexes(l4: IntervalSet, family: Family): string[] {
  const all = protocols((protocol) => exists(protocol, family));
  const missing = intersect(all, complement(l4, L4_ENTRIES));
  if (missing.length === 0) return ['everything'];
  const direct = listed(l4, family);
  const left = listed(missing, family);
  return left.length < direct.length || (left.length === direct.length && isMostOf(l4, missing))
    ? [`everything but ${left.join(', ')}`]
    : direct;
}

function isMostOf(l4: IntervalSet, missing: IntervalSet): boolean {
  return sizeOf(l4) > sizeOf(missing);
}

/** A text for each protocol, and for each run of protocols that have neither ports nor types. */
function listed(l4: IntervalSet, family: Family): string[] {
  const texts: string[] = [];
  const bare: number[] = [];
  for (const protocol of namedFirst()) {
    const space = protocolSet(protocol);
    const inside = intersect(l4, space);
    if (inside.length === 0 || !exists(protocol, family)) continue;
    if (hasPorts(protocol) || isIcmp(protocol)) texts.push(describeProtocol(protocol, inside, space));
    else bare.push(protocol);
  }
  const runs = joinNumbers(bare, (between) => !exists(between, family));
  if (runs.length > 0) texts.push(ranges(runs, 'protocol', 'protocols'));
  return texts;
}

/** Ascending numbers as ranges, over gaps in which no number matters. */
function joinNumbers(numbers: readonly number[], isGap: (number: number) => boolean): number[] {
  const runs: number[] = [];
  for (const number of numbers) {
    let next = runs.length === 0 ? number : (runs.at(-1) as number) + 1;
    while (next < number && isGap(next)) next += 1;
    if (runs.length > 0 && next === number) runs[runs.length - 1] = number;
    else runs.push(number, number);
  }
  return runs;
}

const WIDE = [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE, PROTOCOL.ICMP, PROTOCOL.ICMPV6];

function namedFirst(): number[] {
  const isWide = (protocol: number): boolean => (WIDE as readonly number[]).includes(protocol);
  return [...WIDE, ...Array.from({ length: 256 }, (_, protocol) => protocol).filter((protocol) => !isWide(protocol))];
}

function describeProtocol(protocol: number, inside: IntervalSet, space: IntervalSet): string {
  const name = protocolName(protocol);
  const base = space[0] as number;
  const size = 65536;
  const own = inside.map((index) => index - base);
  if (sizeOf(own) === size) return `all ${name}`;
  const left = complement(own, size);
  if (isIcmp(protocol)) {
    return left.length < own.length ? `all ${name} but ${icmp(left)}` : `${name} ${icmp(own)}`;
  }
  return left.length < own.length || (left.length === own.length && sizeOf(left) < sizeOf(own))
    ? `every ${name} port but ${ranges(left)}`
    : `${name} ${ranges(own)}`;
}

/** Whole types, and single codes of the others. */
function icmp(set: IntervalSet): string {
  const types: number[] = [];
  const codes: string[] = [];
  for (let type = 0; type < 256; type += 1) {
    const inside = intersect(set, [type * 256, type * 256 + 255]).map((index) => index - type * 256);
    if (inside.length === 0) continue;
    if (sizeOf(inside) < 256) codes.push(`type ${type} ${ranges(inside, 'code', 'codes')}`);
    else if (types.at(-1) === type - 1) types[types.length - 1] = type;
    else types.push(type, type);
  }
  return [...(types.length === 0 ? [] : [ranges(types, 'type', 'types')]), ...codes].join(', ');
}

function ranges(set: IntervalSet, one?: string, many?: string): string {
  const texts: string[] = [];
  for (let at = 0; at < set.length; at += 2) {
    texts.push(set[at] === set[at + 1] ? `${set[at]}` : `${set[at]}-${set[at + 1]}`);
  }
  const noun = texts.length === 1 && set[0] === set[1] ? one : many;
  return noun === undefined ? texts.join(', ') : `${noun} ${texts.join(', ')}`;
}

function sizeOf(set: IntervalSet): number {
  let size = 0;
  for (let at = 0; at < set.length; at += 2) size += (set[at + 1] as number) - (set[at] as number) + 1;
  return size;
}

/** What people try first. */
const USUAL: readonly Omit<Service, 'sourcePort'>[] = [
  ...[80, 443, 8080].map((port) => service(PROTOCOL.TCP, port)),
  service(PROTOCOL.UDP, 53),
  { ...service(PROTOCOL.ICMP, 0), icmpType: 8 },
  { ...service(PROTOCOL.ICMPV6, 0), icmpType: 128 },
];

/** Packets of the set, the most usual first; never empty for a set that is not. */
export function exampleServices(slices: readonly PacketSlice[]): Service[] {
  const examples: Service[] = [];
  for (const { l4, sourcePorts } of slices) {
    const contains = (index: number): boolean => intersect(l4, [index, index]).length > 0;
    const sourcePort = sourcePorts === undefined ? undefined : usualPort(sourcePorts);
    const usual = USUAL.filter((one) =>
      contains(l4Index(one.protocol, one.destinationPort, one.icmpType, one.icmpCode)),
    );
    for (const one of [...usual, ...firstOfEachRange(l4)]) examples.push({ ...one, sourcePort });
  }
  return examples;
}

/** Not port 0 where there is another. */
function firstOfEachRange(l4: IntervalSet): Omit<Service, 'sourcePort'>[] {
  const services: Omit<Service, 'sourcePort'>[] = [];
  for (const protocol of namedFirst()) {
    const base = protocolSet(protocol)[0] as number;
    const inside = intersect(l4, protocolSet(protocol));
    for (let at = 0; at < inside.length; at += 2) {
      const [first, last] = [(inside[at] as number) - base, (inside[at + 1] as number) - base];
      const number = first === 0 && last > 0 ? 1 : first;
      if (isIcmp(protocol)) {
        services.push({ protocol, destinationPort: 0, icmpType: number >>> 8, icmpCode: number & 255 });
      } else services.push(service(protocol, hasPorts(protocol) ? number : 0));
    }
  }
  return services;
}

function service(protocol: number, destinationPort: number): Omit<Service, 'sourcePort'> {
  return { protocol, destinationPort, icmpType: 0, icmpCode: 0 };
}

/** A port that kernels choose for clients, if there is one. */
function usualPort(ports: IntervalSet): number {
  const ephemeral = intersect(ports, [32768, 60999]);
  return (ephemeral[0] ?? ports.at(-1)) as number;
}
