// A filter program as text for iptables-restore or ip6tables-restore. Every match has one value; see case-rules.ts.
import { DataplaneError } from '../../base/errors.ts';
import type { PortRange } from '../../calc/resolved.ts';
import { type Cidr, type Family, formatCidr } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import type { Action, FilterProgram, FilterRule, Match, Side } from './program.ts';
import type { Origin } from './tier-parts.ts';

/** xt_LOG keeps 29 characters of a prefix. */
const LOG_PREFIX = 29;
const MARK = '0x1/0x1';
/** A type that xt_icmp takes for every type. */
const ANY_ICMP_TYPE = 255;
/** Transport header of an IPv4 packet, for u32: past as many words as the header has. */
const U32_TRANSPORT = '0>>22&0x3C@0';
const HAS_OWN_PORTS: ReadonlySet<number> = new Set([PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP]);
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.TCP, 'tcp'],
  [PROTOCOL.UDP, 'udp'],
  [PROTOCOL.SCTP, 'sctp'],
  [PROTOCOL.UDPLITE, 'udplite'],
]);

/** The filter table, built-in policies ACCEPT; '' = nothing is judged in this family. */
export function iptablesText({ family, forward, input, chains }: FilterProgram): string {
  if (forward.length === 0) return '';
  const lines: string[] = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]'];
  for (const { name } of chains) lines.push(`:${name} - [0:0]`);
  const add = (chain: string, rules: readonly FilterRule[]): void => {
    for (const rule of rules) {
      if (rule.comment !== undefined) lines.push(`# ${rule.comment}`);
      lines.push(ruleText(chain, rule, family));
    }
  };
  add('FORWARD', forward);
  add('INPUT', input);
  for (const { name, rules, comment } of chains) {
    if (comment !== undefined) lines.push('', `# ${comment}`);
    add(name, rules);
  }
  lines.push('COMMIT', '');
  return lines.join('\n');
}

/** Throws NOT_EXPRESSIBLE for what iptables has no match for. */
export function checkForIptables(family: Family): (match: Match, origin: Origin, all: readonly Match[]) => void {
  return (match, origin, all) => {
    if (match.kind === 'protocol' && match.protocols.includes(0)) {
      throw notExpressible('protocol', 'iptables takes protocol 0 for every protocol', origin, 'protocol 0');
    }
    if (match.kind !== 'icmp' || family === 4 || protocolOf(all) === PROTOCOL.ICMPV6) return;
    const hint = 'name the protocol ICMPv6, or set ipVersion: 4 where ICMP is meant';
    throw notExpressible('icmp', 'iptables cannot see types of ICMP inside IPv6', origin, `type ${match.type}`, hint);
  };
}

function notExpressible(field: string, what: string, origin: Origin, found: string, hint?: string): DataplaneError {
  const { object, direction, index, file, line } = origin;
  const details = { operation: 'render', target: object, field: `${direction} rule ${index}: ${field}`, found };
  return new DataplaneError('NOT_EXPRESSIBLE', what, {
    ...details,
    hint: hint ?? 'nftables can: --to nftables',
    file,
    line,
  });
}

function ruleText(chain: string, { matches, action }: FilterRule, family: Family): string {
  const protocol = protocolOf(matches);
  return ['-A', chain, ...matches.map((match) => matchText(match, family, protocol)), actionText(action)].join(' ');
}

function matchText(match: Match, family: Family, protocol: number | undefined): string {
  switch (match.kind) {
    case 'protocol':
      return `${not(match)}-p ${protocolText(match.protocols[0] as number)}`;
    case 'address':
      return `${not(match)}-${match.side === 'source' ? 's' : 'd'} ${formatCidr(match.prefixes[0] as Cidr)}`;
    case 'ports':
      return portsText(match.side, match.ranges, protocol, not(match));
    case 'icmp':
      return icmpText(match, family, protocol);
    case 'marked':
      return `-m mark --mark ${MARK}`;
    case 'established':
      return '-m conntrack --ctstate RELATED,ESTABLISHED';
    case 'tuples':
      throw new DataplaneError('INTERNAL', 'tuples need sets', { operation: 'print', target: 'iptables rule' });
  }
}

/** One range of a protocol whose own match knows ports, else multiport. */
function portsText(side: Side, ranges: readonly PortRange[], protocol: number | undefined, negation: string): string {
  const text = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
  const option = side === 'source' ? '--sport' : '--dport';
  if (ranges.length === 1 && protocol !== undefined && HAS_OWN_PORTS.has(protocol)) {
    return `-m ${PROTOCOL_NAMES.get(protocol)} ${negation}${option} ${text}`;
  }
  return `-m multiport ${negation}${option}s ${text}`;
}

function icmpText(match: Extract<Match, { kind: 'icmp' }>, family: Family, protocol: number | undefined): string {
  const { type, code } = match;
  const text = code === undefined ? `${type}` : `${type}/${code}`;
  if (family === 6) return `-m icmp6 ${not(match)}--icmpv6-type ${text}`;
  if (protocol === PROTOCOL.ICMP && type !== ANY_ICMP_TYPE) return `-m icmp ${not(match)}--icmp-type ${text}`;
  const read = code === undefined ? `${U32_TRANSPORT}>>24=${type}` : `${U32_TRANSPORT}>>16=${type * 256 + code}`;
  return `-m u32 ${not(match)}--u32 "${read}"`;
}

function actionText(action: Action): string {
  switch (action.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return `-j ${action.kind.toUpperCase()}`;
    case 'jump':
      return `-j ${action.chain}`;
    case 'goto':
      return `-g ${action.chain}`;
    case 'log':
      return `-j LOG --log-prefix "${action.prefix.slice(0, LOG_PREFIX)}"`;
    case 'mark':
      return `-j MARK --set-xmark ${action.isSet ? '0x1' : '0x0'}/0x1`;
    case 'dispatch':
      throw new DataplaneError('INTERNAL', 'dispatch needs maps', { operation: 'print', target: 'iptables rule' });
  }
}

function protocolOf(matches: readonly Match[]): number | undefined {
  for (const match of matches) if (match.kind === 'protocol' && !match.isNegated) return match.protocols[0];
  return undefined;
}

/** Both families of ICMP are numbers: each command only knows its own by name. */
function protocolText(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? String(protocol);
}

function not({ isNegated }: { readonly isNegated: boolean }): string {
  return isNegated ? '! ' : '';
}
