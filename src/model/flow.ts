// A question to policy: one new flow, as its first packet shows it. Protocol numbers per IANA.
import type { IpAddress } from './address.ts';

export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58, SCTP: 132, UDPLITE: 136 } as const;

/** IPv6 extension headers: they precede a packet's protocol and are never it (RFC 8200, 4.1). */
export const V6_EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 44, 60]);

export interface Flow {
  readonly source: IpAddress;
  /** Same family as source. */
  readonly destination: IpAddress;
  /** 0-255. */
  readonly protocol: number;
  /** 0 for protocols without ports. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** 0 for protocols other than ICMP and ICMPv6. */
  readonly icmpType: number;
  readonly icmpCode: number;
}

const PORT_PROTOCOLS: ReadonlySet<number> = new Set([PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE]);

/** Whether packets of the protocol start with source and destination port. */
export function hasPorts(protocol: number): boolean {
  return PORT_PROTOCOLS.has(protocol);
}

/** Whether the protocol has ICMP type and code, whatever the family it is carried in. */
export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6;
}

const PROTOCOL_LABELS: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.ICMP, 'ICMP'],
  [PROTOCOL.TCP, 'TCP'],
  [PROTOCOL.UDP, 'UDP'],
  [PROTOCOL.ICMPV6, 'ICMPv6'],
  [PROTOCOL.SCTP, 'SCTP'],
  [PROTOCOL.UDPLITE, 'UDPLite'],
]);

/** The protocol's name as policies spell it, or its number. */
export function protocolName(protocol: number): string {
  return PROTOCOL_LABELS.get(protocol) ?? String(protocol);
}
