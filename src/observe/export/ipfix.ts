// Flow logs as IPFIX (RFC 7011): a template for each family, flows with the counts of both directions as RFC 5103 has them.
// Standard elements only. What goes from here is sets; the header of a message belongs to a session, and to whoever sends.
//
//   message: u16 version 10 | u16 length | u32 export time | u32 sequence number | u32 observation domain | sets
//   set:     u16 id | u16 length | records; id 2 = templates, from 256 on = data of that template
import { type IpAddress, parseAddress } from '../../model/address.ts';
import type { FlowLog } from '../flows/flow-log.ts';
import { forwardCounts, reverseCounts } from './text.ts';

const VERSION = 10;
export const MESSAGE_HEADER_BYTES = 16;
const SET_HEADER_BYTES = 4;
const TEMPLATE_SET = 2;
const TEMPLATE_IDS = { 4: 256, 6: 257 } as const;
type Family = keyof typeof TEMPLATE_IDS;
/** Of RFC 5103: an element with it says of the way back what the plain one says of the way there. */
const REVERSE = 29305;
const ENTERPRISE_BIT = 0x8000;
/** With its header a message of one set fits into a datagram that no network on the way has to split. */
const MAX_SET_BYTES = 1280 - 48 - MESSAGE_HEADER_BYTES;

/** Element number, bytes, and whether it is about the way back. */
type Element = readonly [id: number, bytes: number, isReverse?: true];

const ADDRESS_ELEMENTS: Readonly<Record<Family, readonly Element[]>> = {
  4: [
    [8, 4], // sourceIPv4Address
    [12, 4], // destinationIPv4Address
    [32, 2], // icmpTypeCodeIPv4
  ],
  6: [
    [27, 16], // sourceIPv6Address
    [28, 16], // destinationIPv6Address
    [139, 2], // icmpTypeCodeIPv6
  ],
};

/** In the order in which writeRecord writes them. */
const COMMON_ELEMENTS: readonly Element[] = [
  [7, 2], // sourceTransportPort
  [11, 2], // destinationTransportPort
  [4, 1], // protocolIdentifier
  [6, 2], // tcpControlBits
  [61, 1], // flowDirection
  [89, 1], // forwardingStatus
  [233, 1], // firewallEvent
  [136, 1], // flowEndReason
  [152, 8], // flowStartMilliseconds
  [153, 8], // flowEndMilliseconds
  [1, 8], // octetDeltaCount
  [2, 8], // packetDeltaCount
  [1, 8, true],
  [2, 8, true],
];

const FORWARDING_STATUS = { allow: 64, deny: 129 } as const; // forwarded; dropped by an access list
const FIREWALL_EVENT = { start: 1, end: 2, denied: 3, update: 5 } as const;
const FLOW_END_REASON = { active: 2, ended: 3 } as const;
const DIRECTION = { dst: 0, src: 1 } as const;
const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
};

export interface EncodedSets {
  /** Data sets one behind the other, each short enough for a message of its own. */
  readonly bytes: Uint8Array;
  /** Flow logs that are in there: those without addresses are not. */
  readonly records: number;
}

function elementsOf(family: Family): readonly Element[] {
  return [...ADDRESS_ELEMENTS[family], ...COMMON_ELEMENTS];
}

function recordBytes(family: Family): number {
  return elementsOf(family).reduce((sum, [, bytes]) => sum + bytes, 0);
}

const RECORD_BYTES: Readonly<Record<Family, number>> = { 4: recordBytes(4), 6: recordBytes(6) };

/** The set that tells a collector what data sets look like. */
export function templateSet(): Uint8Array {
  const fieldBytes = (family: Family) =>
    elementsOf(family).reduce((sum, [, , isReverse]) => sum + (isReverse ? 8 : 4), 4);
  const length = SET_HEADER_BYTES + fieldBytes(4) + fieldBytes(6);
  const view = new DataView(new ArrayBuffer(length));
  view.setUint16(0, TEMPLATE_SET);
  view.setUint16(2, length);
  let at = SET_HEADER_BYTES;
  for (const family of [4, 6] as const) {
    const elements = elementsOf(family);
    view.setUint16(at, TEMPLATE_IDS[family]);
    view.setUint16(at + 2, elements.length);
    at += 4;
    for (const [id, bytes, isReverse] of elements) {
      view.setUint16(at, isReverse ? id | ENTERPRISE_BIT : id);
      view.setUint16(at + 2, bytes);
      if (isReverse) view.setUint32(at + 4, REVERSE);
      at += isReverse ? 8 : 4;
    }
  }
  return new Uint8Array(view.buffer);
}

/** Flow logs as data sets. Flows that were put together have no addresses, and are left out. */
export function encodeDataSets(logs: readonly FlowLog[]): EncodedSets {
  const flows = logs.flatMap((log) => {
    const source = parseAddress(log.source.address);
    const destination = parseAddress(log.destination.address);
    return source === undefined || destination?.family !== source.family ? [] : [{ log, source, destination }];
  });
  const sets = ([4, 6] as const).flatMap((family) => {
    const own = flows.filter(({ source }) => source.family === family);
    const most = Math.floor((MAX_SET_BYTES - SET_HEADER_BYTES) / RECORD_BYTES[family]);
    const chunks = Array.from({ length: Math.ceil(own.length / most) }, (_, n) => own.slice(n * most, (n + 1) * most));
    return chunks.map((chunk) => encodeSet(family, chunk));
  });
  const bytes = new Uint8Array(sets.reduce((sum, set) => sum + set.length, 0));
  let at = 0;
  for (const set of sets) {
    bytes.set(set, at);
    at += set.length;
  }
  return { bytes, records: flows.length };
}

interface AddressedFlow {
  readonly log: FlowLog;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

function encodeSet(family: Family, flows: readonly AddressedFlow[]): Uint8Array {
  const length = SET_HEADER_BYTES + flows.length * RECORD_BYTES[family];
  const view = new DataView(new ArrayBuffer(length));
  view.setUint16(0, TEMPLATE_IDS[family]);
  view.setUint16(2, length);
  for (const [index, flow] of flows.entries()) {
    writeRecord(view, SET_HEADER_BYTES + index * RECORD_BYTES[family], flow);
  }
  return new Uint8Array(view.buffer);
}

function writeRecord(view: DataView, start: number, { log, source, destination }: AddressedFlow): void {
  let at = start;
  for (const word of [...source.words, ...destination.words]) {
    view.setUint32(at, word);
    at += 4;
  }
  view.setUint16(at, ((log.icmpType ?? 0) << 8) | (log.icmpCode ?? 0));
  view.setUint16(at + 2, log.source.port);
  view.setUint16(at + 4, log.destination.port);
  view.setUint8(at + 6, PROTOCOL_NUMBERS[log.protocol] ?? Number(log.protocol));
  view.setUint16(at + 7, log.tcpFlags ?? 0);
  view.setUint8(at + 9, DIRECTION[log.reporter]);
  view.setUint8(at + 10, FORWARDING_STATUS[log.action]);
  view.setUint8(at + 11, FIREWALL_EVENT[log.action === 'deny' ? 'denied' : (log.phase ?? 'update')]);
  view.setUint8(at + 12, log.phase === 'end' ? FLOW_END_REASON.ended : FLOW_END_REASON.active);
  const there = forwardCounts(log);
  const back = reverseCounts(log);
  const longs = [log.startTime, log.endTime, there.bytes, there.packets, back.bytes, back.packets];
  for (const [index, value] of longs.entries()) view.setBigUint64(at + 13 + index * 8, BigInt(Math.trunc(value)));
}

/** Each set of what encodeDataSets has made, with the number of its records. */
export function* splitSets(bytes: Uint8Array): Generator<{ readonly set: Uint8Array; readonly records: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + SET_HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(at + 2);
    if (length < SET_HEADER_BYTES || at + length > bytes.length) return;
    const family = view.getUint16(at) === TEMPLATE_IDS[6] ? 6 : 4;
    yield {
      set: bytes.subarray(at, at + length),
      records: Math.floor((length - SET_HEADER_BYTES) / RECORD_BYTES[family]),
    };
    at += length;
  }
}

export interface MessageHeader {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Data records that the session has sent before. */
  readonly sequence: number;
  readonly domain: number;
}

export function ipfixMessage(set: Uint8Array, { time, sequence, domain }: MessageHeader): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + set.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, VERSION);
  view.setUint16(2, bytes.length);
  view.setUint32(4, Math.trunc(time / 1000));
  view.setUint32(8, sequence >>> 0);
  view.setUint32(12, domain);
  bytes.set(set, MESSAGE_HEADER_BYTES);
  return bytes;
}
