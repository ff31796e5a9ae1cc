// A captured frame -> the fields of its packet that policy asks about. Link layers and VLAN tags are taken off, what is
// inside tunnels is not looked at. Every length is checked; what is cut off or not IP is told apart from what is whole.
import type { IpAddress } from '../../model/address.ts';
import { hasPorts, isIcmp, PROTOCOL } from '../../model/flow.ts';
import type { CapturedFrame } from './capture-file.ts';
import type { Skipped } from './recorded-flow.ts';

export interface Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  /** 0 for protocols without ports; of an echo both are its identifier. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** Of TCP; 0 for others. */
  readonly tcpFlags: number;
}

export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const;

/** LINKTYPE_* numbers, see the registry at tcpdump.org. */
const LINK = {
  NULL: 0,
  ETHERNET: 1,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;
const ETHERTYPE = { IPV4: 0x0800, IPV6: 0x86dd } as const;
const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const MAX_VLAN_TAGS = 4;
const MAX_EXTENSIONS = 8;
/** Hop-by-hop, routing, destination options: length in units of eight bytes. */
const SIZED_EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT_EXTENSION = 44;
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const ICMPV6_ERRORS: ReadonlySet<number> = new Set([1, 2, 3, 4]);

const NOT_IP: Skipped = { skipped: 'notIp' };
const TRUNCATED: Skipped = { skipped: 'truncated' };
const LATER_FRAGMENT: Skipped = { skipped: 'laterFragment' };
const ICMP_ERROR: Skipped = { skipped: 'icmpError' };

type Headers = Pick<Packet, 'source' | 'destination' | 'protocol'>;

/** The packet, or why the frame says nothing about policy. */
export function parseFrame({ linkType, bytes }: CapturedFrame): Packet | Skipped {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = networkOffset(linkType, view);
  if (at === undefined) return NOT_IP;
  if (at >= view.byteLength) return TRUNCATED;
  const version = view.getUint8(at) >>> 4;
  if (version === 4) return parseIpv4(view, at);
  return version === 6 ? parseIpv6(view, at) : NOT_IP;
}

/** Where the IP header begins; undefined = there is none. */
function networkOffset(linkType: number, view: DataView): number | undefined {
  switch (linkType) {
    case LINK.ETHERNET:
      return behindEthertype(view, 12);
    case LINK.LINUX_SLL:
      return behindEthertype(view, 14);
    case LINK.LINUX_SLL2:
      return view.byteLength >= 20 && isIpType(view.getUint16(0)) ? 20 : undefined;
    case LINK.NULL:
    case LINK.LOOP:
      return 4;
    case LINK.RAW:
    case LINK.RAW_BSD:
    case LINK.RAW_OPENBSD:
    case LINK.IPV4:
    case LINK.IPV6:
      return 0;
    default:
      return undefined;
  }
}

function behindEthertype(view: DataView, first: number): number | undefined {
  let at = first;
  for (let tags = 0; tags <= MAX_VLAN_TAGS && at + 2 <= view.byteLength; tags++) {
    const type = view.getUint16(at);
    if (isIpType(type)) return at + 2;
    if (!VLAN_TYPES.has(type)) return undefined;
    at += 4;
  }
  return undefined;
}

function isIpType(type: number): boolean {
  return type === ETHERTYPE.IPV4 || type === ETHERTYPE.IPV6;
}

function parseIpv4(view: DataView, at: number): Packet | Skipped {
  if (at + 20 > view.byteLength) return TRUNCATED;
  const header = (view.getUint8(at) & 15) * 4;
  if (header < 20) return NOT_IP;
  if ((view.getUint16(at + 6) & 0x1fff) !== 0) return LATER_FRAGMENT;
  const total = view.getUint16(at + 2);
  // 0 stands for a packet that the card was to cut into segments.
  const end = total === 0 ? view.byteLength : Math.min(view.byteLength, at + total);
  const source: IpAddress = { family: 4, words: [view.getUint32(at + 12)] };
  const destination: IpAddress = { family: 4, words: [view.getUint32(at + 16)] };
  return parseTransport({ source, destination, protocol: view.getUint8(at + 9) }, view, at + header, end);
}

function parseIpv6(view: DataView, start: number): Packet | Skipped {
  if (start + 40 > view.byteLength) return TRUNCATED;
  const payload = view.getUint16(start + 4);
  const end = payload === 0 ? view.byteLength : Math.min(view.byteLength, start + 40 + payload);
  let protocol = view.getUint8(start + 6);
  let at = start + 40;
  for (let count = 0; SIZED_EXTENSIONS.has(protocol) || protocol === FRAGMENT_EXTENSION; count++) {
    if (count === MAX_EXTENSIONS) return NOT_IP;
    if (at + 8 > end) return TRUNCATED;
    if (protocol === FRAGMENT_EXTENSION && (view.getUint16(at + 2) & 0xfff8) !== 0) return LATER_FRAGMENT;
    const length = protocol === FRAGMENT_EXTENSION ? 8 : (view.getUint8(at + 1) + 1) * 8;
    protocol = view.getUint8(at);
    at += length;
  }
  const source = ipv6At(view, start + 8);
  const destination = ipv6At(view, start + 24);
  return parseTransport({ source, destination, protocol }, view, at, end);
}

function ipv6At(view: DataView, at: number): IpAddress {
  return { family: 6, words: [0, 4, 8, 12].map((offset) => view.getUint32(at + offset)) };
}

function parseTransport({ source, destination, protocol }: Headers, view: DataView, at: number, end: number) {
  // One literal with every field: captures have many packets.
  let sourcePort = 0;
  let destinationPort = 0;
  let icmpType = 0;
  let icmpCode = 0;
  let tcpFlags = 0;
  if (hasPorts(protocol)) {
    const isTcp = protocol === PROTOCOL.TCP;
    if (at + (isTcp ? 14 : 4) > end) return TRUNCATED;
    sourcePort = view.getUint16(at);
    destinationPort = view.getUint16(at + 2);
    if (isTcp) tcpFlags = view.getUint8(at + 13);
  } else if (isIcmp(protocol)) {
    if (at + 8 > end) return TRUNCATED;
    icmpType = view.getUint8(at);
    icmpCode = view.getUint8(at + 1);
    if ((protocol === PROTOCOL.ICMP ? ICMP_ERRORS : ICMPV6_ERRORS).has(icmpType)) return ICMP_ERROR;
    if (isEcho(protocol, icmpType)) sourcePort = destinationPort = view.getUint16(at + 4);
  }
  return { source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode, tcpFlags };
}

/** Echo requests and replies. */
export function isEcho(protocol: number, icmpType: number): boolean {
  if (protocol === PROTOCOL.ICMP) return icmpType === 8 || icmpType === 0;
  return protocol === PROTOCOL.ICMPV6 && (icmpType === 128 || icmpType === 129);
}
