// First packets of flows, as bytes on the wire: what the kernel engine asks the programs about.
import type { IpAddress } from '../model/address.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL } from '../model/flow.ts';

const ETHERNET_BYTES = 14;
const TCP_SYN = 0x02;
/** What neighbour discovery must have (RFC 4861, 7.1), and nothing else minds. */
const TTL = 255;

/** An Ethernet frame: no options, no fragments, valid header checksum, TCP with SYN. */
export function probePacket(flow: Flow): Uint8Array {
  const payload = transportBytes(flow);
  const isV4 = flow.source.family === 4;
  const header = isV4 ? v4Header(flow, payload.length) : v6Header(flow, payload.length);
  const packet = new Uint8Array(ETHERNET_BYTES + header.length + payload.length);
  new DataView(packet.buffer).setUint16(12, isV4 ? 0x0800 : 0x86dd);
  packet.set(header, ETHERNET_BYTES);
  packet.set(payload, ETHERNET_BYTES + header.length);
  return packet;
}

function v4Header({ source, destination, protocol }: Flow, payloadBytes: number): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, 20 + payloadBytes);
  view.setUint8(8, TTL);
  view.setUint8(9, protocol);
  writeAddress(view, 12, source);
  writeAddress(view, 16, destination);
  view.setUint16(10, checksum(view));
  return header;
}

function v6Header({ source, destination, protocol }: Flow, payloadBytes: number): Uint8Array {
  const header = new Uint8Array(40);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x60000000);
  view.setUint16(4, payloadBytes);
  view.setUint8(6, protocol);
  view.setUint8(7, TTL);
  writeAddress(view, 8, source);
  writeAddress(view, 24, destination);
  return header;
}

/** 20 bytes are enough for the header of every protocol that the programs look into. */
function transportBytes(flow: Flow): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  if (hasPorts(flow.protocol)) {
    view.setUint16(0, flow.sourcePort);
    view.setUint16(2, flow.destinationPort);
    if (flow.protocol === PROTOCOL.UDP || flow.protocol === PROTOCOL.UDPLITE) view.setUint16(4, bytes.length);
    if (flow.protocol === PROTOCOL.TCP) {
      view.setUint8(12, 0x50);
      view.setUint8(13, TCP_SYN);
    }
  } else if (isIcmp(flow.protocol)) {
    view.setUint8(0, flow.icmpType);
    view.setUint8(1, flow.icmpCode);
  }
  return bytes;
}

function writeAddress(view: DataView, at: number, { words }: IpAddress): void {
  for (const [index, word] of words.entries()) view.setUint32(at + 4 * index, word);
}

/** RFC 1071 over the whole view, whose checksum field is zero. */
function checksum(view: DataView): number {
  let sum = 0;
  for (let at = 0; at < view.byteLength; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
