// What IP packets carry: TCP, UDP, SCTP, ICMP, anything else. Addresses are not known here.
import { concat, fields } from './bytes.ts';

export const PROTOCOL = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  NONE: 59,
  SCTP: 132,
  UDPLITE: 136,
} as const;

/** The bytes after the IP header. */
export interface Segment {
  readonly protocol: number;
  readonly bytes: Uint8Array;
  /** Where the checksum over bytes (and the pseudo header) belongs; absent = none is filled in. */
  readonly checksumAt?: number;
  /** IPv4 ICMP has no pseudo header. */
  readonly hasPseudoHeader?: boolean;
}

export type TcpFlag = 'fin' | 'syn' | 'rst' | 'psh' | 'ack';
const TCP_FLAGS: Readonly<Record<TcpFlag, number>> = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 };

export interface Ports {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload?: Uint8Array;
}

export function tcp(options: Ports & { readonly flags: readonly TcpFlag[]; readonly dataOffset?: number }): Segment {
  const { sourcePort, destinationPort, flags, dataOffset = 5, payload = new Uint8Array(0) } = options;
  const flagBits = flags.reduce((bits, flag) => bits | TCP_FLAGS[flag], 0);
  const header = fields(
    [2, sourcePort],
    [2, destinationPort],
    [4, 1000],
    [4, 2000],
    [1, dataOffset << 4],
    [1, flagBits],
    [2, 65535],
    [2, 0],
    [2, 0],
  );
  return { protocol: PROTOCOL.TCP, bytes: concat(header, payload), checksumAt: 16 };
}

export function udp({ sourcePort, destinationPort, payload = new Uint8Array(0) }: Ports): Segment {
  const header = fields([2, sourcePort], [2, destinationPort], [2, 8 + payload.length], [2, 0]);
  return { protocol: PROTOCOL.UDP, bytes: concat(header, payload), checksumAt: 6 };
}

export function udpLite(ports: Ports): Segment {
  return { ...udp(ports), protocol: PROTOCOL.UDPLITE };
}

/** A DATA-less packet: the common header and its (unfilled) CRC32c, which no one here checks. */
export function sctp({ sourcePort, destinationPort, payload = new Uint8Array(0) }: Ports): Segment {
  return {
    protocol: PROTOCOL.SCTP,
    bytes: concat(fields([2, sourcePort], [2, destinationPort], [4, 7], [4, 0]), payload),
  };
}

export interface Icmp {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code?: number;
  /** The four bytes after the checksum. */
  readonly rest?: number;
  readonly payload?: Uint8Array;
}

export function icmp({ family, type, code = 0, rest = 0, payload = new Uint8Array(0) }: Icmp): Segment {
  return {
    protocol: family === 4 ? PROTOCOL.ICMP : PROTOCOL.ICMPV6,
    bytes: concat(fields([1, type], [1, code], [2, 0], [4, rest]), payload),
    checksumAt: 2,
    hasPseudoHeader: family === 6,
  };
}

export function echo(options: {
  readonly family: 4 | 6;
  readonly kind: 'request' | 'reply';
  readonly identifier: number;
}): Segment {
  const { family, kind, identifier } = options;
  const types = family === 4 ? { request: 8, reply: 0 } : { request: 128, reply: 129 };
  return icmp({ family, type: types[kind], rest: ((identifier << 16) | 1) >>> 0 });
}

/** An ICMP error citing the start of a packet, as much of it as routers send. */
export function icmpError(
  options: Omit<Icmp, 'payload'> & { readonly cites: Uint8Array; readonly citedBytes?: number },
): Segment {
  const { cites, citedBytes = cites.length, ...header } = options;
  return icmp({ ...header, payload: cites.subarray(0, citedBytes) });
}

/** A protocol without ports. */
export function bare(protocol: number, bytes: Uint8Array = new Uint8Array(16)): Segment {
  return { protocol, bytes };
}
