// The layer-4 index: one number for every (protocol, destination port), (ICMP type, code) and other protocol, as
// enum tt_l4_base lays them out. Rules become interval sets over it.

import type { PortRange, ResolvedRule } from '../calc/resolved.ts';
import { isIcmp, PROTOCOL } from '../model/flow.ts';
import type { IcmpMatch } from '../model/policy.ts';
import { complement, type IntervalSet, intersect, unionOf } from './interval-sets.ts';
import { L4_BASE, L4_ENTRIES } from './layout.ts';

/** First index of each protocol that has 65536 of its own. */
const WIDE_BASE: ReadonlyMap<number, number> = new Map([
  [PROTOCOL.TCP, L4_BASE.TCP],
  [PROTOCOL.UDP, L4_BASE.UDP],
  [PROTOCOL.SCTP, L4_BASE.SCTP],
  [PROTOCOL.UDPLITE, L4_BASE.UDPLITE],
  [PROTOCOL.ICMP, L4_BASE.ICMP],
  [PROTOCOL.ICMPV6, L4_BASE.ICMPV6],
]);

/** Protocols whose ports rules can name: those that have ports. */
const RULE_PORT_PROTOCOLS = [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE];

export const EVERYTHING: IntervalSet = [0, L4_ENTRIES - 1];

/** Index of a packet; port is the destination port. */
export function l4Index(protocol: number, port: number, icmpType: number, icmpCode: number): number {
  const base = WIDE_BASE.get(protocol);
  if (base === undefined) return L4_BASE.OTHER + protocol;
  return base + (isIcmp(protocol) ? icmpType * 256 + icmpCode : port);
}

/** All indexes of a protocol. */
export function protocolSet(protocol: number): IntervalSet {
  const base = WIDE_BASE.get(protocol);
  return base === undefined ? [L4_BASE.OTHER + protocol, L4_BASE.OTHER + protocol] : [base, base + 65535];
}

/** One destination port. */
export function pointSet(protocol: number, port: number): IntervalSet {
  const index = l4Index(protocol, port, 0, 0);
  return [index, index];
}

/** Destination ports in the ranges, whatever the protocol. */
export function portSet(ranges: readonly PortRange[]): IntervalSet {
  return unionOf(
    RULE_PORT_PROTOCOLS.flatMap((protocol) => {
      const base = WIDE_BASE.get(protocol) as number;
      return ranges.map(({ first, last }) => [base + first, base + last] as const);
    }),
  );
}

/** What the rule's protocol and ICMP conditions leave, ports apart. */
export function protocolConditions(
  rule: Pick<ResolvedRule, 'protocol' | 'notProtocol' | 'icmp' | 'notIcmp'>,
): IntervalSet {
  let set = rule.protocol === undefined ? EVERYTHING : protocolSet(rule.protocol);
  if (rule.notProtocol !== undefined) set = intersect(set, complement(protocolSet(rule.notProtocol), L4_ENTRIES));
  if (rule.icmp !== undefined) set = intersect(set, icmpSet(rule.icmp));
  if (rule.notIcmp !== undefined) set = intersect(set, complement(icmpSet(rule.notIcmp), L4_ENTRIES));
  return set;
}

function icmpSet({ type, code }: IcmpMatch): IntervalSet {
  const first = type * 256 + (code ?? 0);
  const last = code === undefined ? type * 256 + 255 : first;
  return unionOf([L4_BASE.ICMP, L4_BASE.ICMPV6].map((base) => [base + first, base + last] as const));
}
