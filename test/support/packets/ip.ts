// IPv4 and IPv6 packets around a segment, whole or in fragments. Every field that a test may want to lie about has a name.
import { addressBytes, concat, fields, internetChecksum } from './bytes.ts';
import type { Segment } from './transport.ts';

export interface IpPacket {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly segment: Segment;
}

export interface Ipv4 extends Ends {
  readonly ttl?: number;
  /** A multiple of 4 bytes. */
  readonly options?: Uint8Array;
  readonly identification?: number;
  /** Bytes; a multiple of 8. */
  readonly fragmentOffset?: number;
  readonly hasMoreFragments?: boolean;
  /** Lies. */
  readonly version?: number;
  readonly headerWords?: number;
  readonly totalLength?: number;
}

export function ipv4(packet: Ipv4): IpPacket {
  const { source, destination, ttl = 64, options = new Uint8Array(0), identification = 1 } = packet;
  const { version = 4, headerWords = 5 + options.length / 4, fragmentOffset = 0, hasMoreFragments = false } = packet;
  const isFragment = fragmentOffset > 0 || hasMoreFragments;
  const payload = isFragment ? packet.segment.bytes : withChecksum(packet.segment, source, destination);
  const header = concat(
    fields(
      [1, (version << 4) | headerWords],
      [1, 0],
      [2, packet.totalLength ?? 20 + options.length + payload.length],
      [2, identification],
      [2, (hasMoreFragments ? 0x2000 : 0) | (fragmentOffset >> 3)],
      [1, ttl],
      [1, packet.segment.protocol],
      [2, 0],
    ),
    addressBytes(source),
    addressBytes(destination),
    options,
  );
  new DataView(header.buffer).setUint16(10, internetChecksum(header));
  return { family: 4, bytes: concat(header, payload) };
}

/** An extension header before it knows what follows. */
export interface Extension {
  readonly number: number;
  /** All bytes; the first becomes the next header. */
  readonly bytes: Uint8Array;
}

export interface Ipv6 extends Ends {
  readonly hopLimit?: number;
  readonly extensions?: readonly Extension[];
  /** Lies. */
  readonly version?: number;
  readonly payloadLength?: number;
}

export function ipv6(packet: Ipv6): IpPacket {
  const { source, destination, segment, hopLimit = 64, extensions = [], version = 6 } = packet;
  const isFragment = extensions.some(
    ({ number, bytes }) => number === EXTENSION.FRAGMENT && ((bytes[2] ?? 0) | (bytes[3] ?? 0)) !== 0,
  );
  const chain = extensions.map(({ bytes }, index) => {
    const copy = bytes.slice();
    copy[0] = extensions[index + 1]?.number ?? segment.protocol;
    return copy;
  });
  const payload = concat(...chain, isFragment ? segment.bytes : withChecksum(segment, source, destination));
  const header = concat(
    fields(
      [4, (version << 28) >>> 0],
      [2, packet.payloadLength ?? payload.length],
      [1, extensions[0]?.number ?? segment.protocol],
      [1, hopLimit],
    ),
    addressBytes(source),
    addressBytes(destination),
  );
  return { family: 6, bytes: concat(header, payload) };
}

export const EXTENSION = { HOP_BY_HOP: 0, ROUTING: 43, FRAGMENT: 44, DESTINATION: 60 } as const;

/** A hop-by-hop, routing or destination header of pad bytes. */
export function padding(number: number, bytes = 8): Extension {
  const header = new Uint8Array(bytes);
  header[1] = bytes / 8 - 1;
  return { number, bytes: header };
}

export interface FragmentFields {
  readonly identification: number;
  /** Bytes; a multiple of 8. */
  readonly offset: number;
  readonly hasMore: boolean;
}

export function fragmentHeader({ identification, offset, hasMore }: FragmentFields): Extension {
  return {
    number: EXTENSION.FRAGMENT,
    bytes: fields([1, 0], [1, 0], [2, offset | (hasMore ? 1 : 0)], [4, identification]),
  };
}

/** The segment with its checksum as senders fill it in. */
function withChecksum(segment: Segment, source: string, destination: string): Uint8Array {
  const { bytes, checksumAt, protocol, hasPseudoHeader = true } = segment;
  if (checksumAt === undefined || checksumAt + 2 > bytes.length) return bytes;
  const pseudo = concat(addressBytes(source), addressBytes(destination), fields([4, bytes.length], [4, protocol]));
  const filled = bytes.slice();
  new DataView(filled.buffer).setUint16(
    checksumAt,
    internetChecksum(hasPseudoHeader ? pseudo : new Uint8Array(0), bytes),
  );
  return filled;
}
