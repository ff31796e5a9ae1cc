// What a Log rule says of a packet: the prefix of the reference, then the fields that log readers know of netfilter's LOG.
import type { FlowEvent } from '../../events/event.ts';
import { formatAddress } from '../../model/address.ts';
import { hasPorts, isIcmp, protocolName } from '../../model/flow.ts';

/** The rule whose action is Log. */
export interface LoggedRule {
  readonly tier: string;
  /** Short kind, as in traces. */
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly direction: 'ingress' | 'egress';
  /** 0-based; undefined = of this policy, but not known which. */
  readonly index?: number;
  /** `file:line`. */
  readonly location?: string;
}

export interface PacketNames {
  readonly inInterface: string;
  /** '' = none. */
  readonly outInterface: string;
  readonly sourceEndpoint?: string;
  readonly destinationEndpoint?: string;
}

/** One line of the log. */
export interface PacketEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** With the prefix. */
  readonly text: string;
  readonly rule: LoggedRule;
  /** Of the packet; undefined = the line only says how many were left out. */
  readonly packet?: Readonly<Record<string, string | number>>;
  /** Packets of the rule that were not logged since the last line. */
  readonly suppressed: number;
}

/** `namespace/name`, or the name alone. */
export function policyName({ namespace, name }: LoggedRule): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** Names one rule among all. */
export function ruleKey(rule: LoggedRule): string {
  return `${rule.tier}|${rule.kind}:${policyName(rule)}|${rule.direction}|${rule.index ?? ''}`;
}

/** %t = tier, %k = short kind, %n = name, %p = namespace/name; anything else stays as it is. Ends in `: `. */
export function expandPrefix(prefix: string, rule: LoggedRule): string {
  const parts: Readonly<Record<string, string>> = {
    t: rule.tier,
    k: rule.kind,
    n: rule.name,
    p: policyName(rule),
  };
  return `${prefix.replace(/%([tknp])/g, (_, letter: string) => parts[letter] as string)}: `;
}

/** By the names that netfilter's LOG has for them, in its order. */
export function describePacket(event: FlowEvent, names: PacketNames): Readonly<Record<string, string | number>> {
  return {
    IN: names.inInterface,
    OUT: names.outInterface,
    SRC: event.source === undefined ? '' : formatAddress(event.source),
    DST: event.destination === undefined ? '' : formatAddress(event.destination),
    LEN: event.length,
    PROTO: protocolName(event.protocol),
    ...(hasPorts(event.protocol) && { SPT: event.sourcePort, DPT: event.destinationPort }),
    ...(isIcmp(event.protocol) && { TYPE: event.icmpType, CODE: event.icmpCode }),
    VERDICT: event.kind === 'log' ? 'allow' : 'deny',
    ...(names.sourceEndpoint !== undefined && { SRCEP: names.sourceEndpoint }),
    ...(names.destinationEndpoint !== undefined && { DSTEP: names.destinationEndpoint }),
  };
}

/** `IN=eth0 OUT= SRC=192.0.2.1 ...` */
export function formatPacket(packet: Readonly<Record<string, string | number>>): string {
  return Object.entries(packet)
    .map(([name, value]) => `${name}=${String(value).replaceAll(ENDING, escapeOf)}`)
    .join(' ');
}

/** What would end a value, or the line, or act where it is shown. */
const ENDING = /[\s\p{Cc}\p{Cf}\p{Surrogate}]/gu;

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
