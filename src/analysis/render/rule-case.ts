// One resolved rule as cases: each fixes the protocol where ports or ICMP types are compared, and speaks of prefixes
// instead of sets. A rule matches a packet if one of its cases does. No chains, no text.
import type { ResolvedRule } from '../../calc/resolved.ts';
import type { Family } from '../../model/address.ts';
import { hasPorts, isIcmp, PROTOCOL, V6_EXTENSION_HEADERS } from '../../model/flow.ts';
import type { Direction, IcmpMatch } from '../../model/policy.ts';
import type { PrefixList } from './prefix-list.ts';
import type { Side } from './program.ts';
import type { SetMembers } from './set-members.ts';
import { type SideCase, sideCases } from './side-case.ts';

/** Exactly this protocol, or all but these. */
export type ProtocolCase = { readonly is: number } | { readonly not: readonly number[] };

export interface RuleCase {
  readonly protocol: ProtocolCase;
  readonly sides: Readonly<Record<Side, SideCase>>;
  /** Only where the protocol is ICMP or ICMPv6. */
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
}

/** Where the rule stands: one direction of endpoints with these addresses, in this family. */
export interface RulePlace {
  readonly family: Family;
  readonly direction: Direction;
  /** Own addresses of the endpoints that the rule is for; a packet's local end is one of them. */
  readonly local: PrefixList;
  readonly members: SetMembers;
}

const PORT_PROTOCOLS: readonly number[] = [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE];
const ICMP_PROTOCOLS: readonly number[] = [PROTOCOL.ICMP, PROTOCOL.ICMPV6];

/** Every case of the rule that some packet can meet; none = the rule never matches there. */
export function ruleCases(rule: ResolvedRule, place: RulePlace): RuleCase[] {
  if (place.family === 4 ? !rule.matchesV4 : !rule.matchesV6) return [];
  return protocolCases(rule, place.family).flatMap((protocol) => casesOf(rule, protocol, place));
}

/** Whether every packet meets the case. */
export function isUnconditional({ protocol, sides, icmp, notIcmp }: RuleCase): boolean {
  if ('is' in protocol || protocol.not.length > 0 || icmp !== undefined || notIcmp !== undefined) return false;
  return [sides.source, sides.destination].every(
    ({ within, without, ports, notPorts, holders, notHolders }) =>
      within === undefined &&
      ports === undefined &&
      holders === undefined &&
      without.length + notPorts.length + notHolders.length === 0,
  );
}

function protocolCases(rule: ResolvedRule, family: Family): ProtocolCase[] {
  const canBe = (protocol: number): boolean => family === 4 || !V6_EXTENSION_HEADERS.has(protocol);
  const { protocol, notProtocol } = rule;
  if (protocol !== undefined) return protocol === notProtocol || !canBe(protocol) ? [] : [{ is: protocol }];
  const excluded = notProtocol === undefined || !canBe(notProtocol) ? [] : [notProtocol];
  const special = [...(asksPorts(rule) ? PORT_PROTOCOLS : []), ...(asksIcmp(rule) ? ICMP_PROTOCOLS : [])];
  const fixed = special.filter((one) => !excluded.includes(one));
  return [...fixed.map((is) => ({ is })), { not: [...new Set([...special, ...excluded])] }];
}

function asksPorts({ source, destination }: ResolvedRule): boolean {
  return [source, destination].some(
    ({ ports, notPorts, backends }) => ports !== undefined || notPorts !== undefined || backends !== undefined,
  );
}

function asksIcmp({ icmp, notIcmp }: ResolvedRule): boolean {
  return icmp !== undefined || notIcmp !== undefined;
}

function casesOf(rule: ResolvedRule, protocol: ProtocolCase, place: RulePlace): RuleCase[] {
  const icmp = icmpCase(rule, protocol);
  if (icmp === undefined) return [];
  const withPorts = 'is' in protocol && hasPorts(protocol.is) ? protocol.is : undefined;
  const isIngress = place.direction === 'ingress';
  const sources = sideCases(rule.source, withPorts, { ...place, isLocal: !isIngress });
  const destinations = sideCases(rule.destination, withPorts, { ...place, isLocal: isIngress });
  return sources.flatMap((source) =>
    destinations.map((destination) => ({ protocol, sides: { source, destination }, ...icmp })),
  );
}

/** undefined = no packet of the protocol meets the conditions. */
function icmpCase(
  { icmp, notIcmp }: ResolvedRule,
  protocol: ProtocolCase,
): Pick<RuleCase, 'icmp' | 'notIcmp'> | undefined {
  if (!('is' in protocol) || !isIcmp(protocol.is)) return icmp === undefined ? {} : undefined;
  if (icmp === undefined || notIcmp === undefined) return { icmp, notIcmp };
  if (icmp.type !== notIcmp.type) return { icmp };
  if (notIcmp.code === undefined || notIcmp.code === icmp.code) return undefined;
  return icmp.code === undefined ? { icmp, notIcmp } : { icmp };
}
