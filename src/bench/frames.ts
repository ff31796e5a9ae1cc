// First packets of flows as frames between two MACs, each with a number that tells where it arrived. Valid checksums, so that
// connection tracking takes them for what they are. Pure.
import { probePacket } from '../kernel/probe-packet.ts';
import { type Flow, PROTOCOL } from '../model/flow.ts';

/** Numbers are 1 to this: in the identification of IPv4, in the flow label of IPv6. */
export const MAX_TAG = 65535;

const ETHERNET_BYTES = 14;
const HEADER_BYTES = { 4: 20, 6: 40 } as const;
const V4_TOTAL_LENGTH = ETHERNET_BYTES + 2;
const V4_IDENTIFICATION = ETHERNET_BYTES + 4;
const V4_CHECKSUM = ETHERNET_BYTES + 10;
const V4_ADDRESSES = ETHERNET_BYTES + 12;
const V6_FLOW_LABEL = ETHERNET_BYTES + 2;
const V6_PAYLOAD_LENGTH = ETHERNET_BYTES + 4;
const V6_ADDRESSES = ETHERNET_BYTES + 8;
const UDP_LENGTH = 4;
/** TTL as senders set it; a probe's own is what neighbour discovery needs. */
const TTL_AT = { 4: ETHERNET_BYTES + 8, 6: ETHERNET_BYTES + 7 } as const;
const TTL = 64;

/** By protocol: where the checksum is in its header, and whether addresses are summed with it in IPv4. */
const CHECKSUMS: ReadonlyMap<number, { readonly at: number; readonly hasPseudoHeader: boolean }> = new Map([
  [PROTOCOL.TCP, { at: 16, hasPseudoHeader: true }],
  [PROTOCOL.UDP, { at: 6, hasPseudoHeader: true }],
  [PROTOCOL.UDPLITE, { at: 6, hasPseudoHeader: true }],
  [PROTOCOL.ICMP, { at: 2, hasPseudoHeader: false }],
  [PROTOCOL.ICMPV6, { at: 2, hasPseudoHeader: true }],
]);

export interface FrameOptions {
  /** 1 to MAX_TAG. */
  readonly tag: number;
  readonly sourceMac: string;
  readonly destinationMac: string;
  /** Length to fill up to, Ethernet header included; shorter than the flow's headers = as long as those need. */
  readonly bytes?: number;
}

export function flowFrame(flow: Flow, { tag, sourceMac, destinationMac, bytes = 0 }: FrameOptions): Uint8Array {
  const probe = probePacket(flow);
  const { family } = flow.source;
  const shortest = ETHERNET_BYTES + HEADER_BYTES[family] + (flow.protocol === PROTOCOL.UDP ? 8 : 20);
  const frame = new Uint8Array(bytes === 0 ? probe.length : Math.max(bytes, shortest));
  frame.set(probe.subarray(0, frame.length));
  frame.set(parseMac(destinationMac), 0);
  frame.set(parseMac(sourceMac), 6);
  const view = new DataView(frame.buffer);
  const payloadAt = ETHERNET_BYTES + HEADER_BYTES[family];
  view.setUint8(TTL_AT[family], isNeighbourDiscovery(flow) ? 255 : TTL);
  if (flow.protocol === PROTOCOL.UDP || flow.protocol === PROTOCOL.UDPLITE) {
    view.setUint16(payloadAt + UDP_LENGTH, frame.length - payloadAt);
  }
  if (family === 4) finishV4(view, tag);
  else finishV6(view, tag, payloadAt);
  finishTransport(view, flow, payloadAt);
  return frame;
}

/** `aa:bb:cc:dd:ee:ff` as six bytes. */
export function parseMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

function isNeighbourDiscovery({ protocol, icmpType }: Flow): boolean {
  return protocol === PROTOCOL.ICMPV6 && icmpType >= 133 && icmpType <= 137;
}

function finishV4(view: DataView, tag: number): void {
  view.setUint16(V4_TOTAL_LENGTH, view.byteLength - ETHERNET_BYTES);
  view.setUint16(V4_IDENTIFICATION, tag);
  view.setUint16(V4_CHECKSUM, 0);
  view.setUint16(V4_CHECKSUM, fold(sumWords(view, ETHERNET_BYTES, ETHERNET_BYTES + HEADER_BYTES[4])));
}

function finishV6(view: DataView, tag: number, payloadAt: number): void {
  view.setUint16(V6_PAYLOAD_LENGTH, view.byteLength - payloadAt);
  view.setUint16(V6_FLOW_LABEL, tag);
}

function finishTransport(view: DataView, { protocol, source }: Flow, payloadAt: number): void {
  const rule = CHECKSUMS.get(protocol);
  if (rule === undefined) return;
  const addresses = source.family === 4 ? V4_ADDRESSES : V6_ADDRESSES;
  const length = view.byteLength - payloadAt;
  const pseudoHeader = rule.hasPseudoHeader ? sumWords(view, addresses, payloadAt) + protocol + length : 0;
  view.setUint16(payloadAt + rule.at, 0);
  const sum = fold(pseudoHeader + sumWords(view, payloadAt, view.byteLength));
  // Zero would say that there is none.
  view.setUint16(payloadAt + rule.at, sum === 0 ? 0xffff : sum);
}

/** RFC 1071, before folding. An odd last byte counts as the high one of a word. */
function sumWords(view: DataView, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at + 1 < to; at += 2) sum += view.getUint16(at);
  return (to - from) % 2 === 0 ? sum : sum + (view.getUint8(to - 1) << 8);
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
