// Reports of the flow ledger, decoded: what is new of one flow, by its initiator and responder.
import { FlowFlags, FlowKind, FlowPhase, FlowReport as Layout } from '../abi/flow.gen.ts';
import type { IpAddress } from '../model/address.ts';

const { OFFSET, SIZE } = Layout;
const ADDRESS_BYTES = 16;
const V4_MARK = 0xffff;

export interface FlowReport {
  /** Who opened it. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** 0 where there are none. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  /** Of ICMP that nobody answers; of an echo the request's. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Verdict words of the two sides; 0 = not judged. */
  readonly egressWord: number;
  readonly ingressWord: number;
  /** What the host's lists said; 0 = nothing. */
  readonly hostWord: number;
  /** Only hooks of the host have seen it. */
  readonly isUnmet: boolean;
  readonly isStart: boolean;
  readonly isEnd: boolean;
  /** Counts that come after the end. */
  readonly isLate: boolean;
  readonly state: number;
  readonly tcpFlags: number;
  /** Jiffies since the counts are counted, and when they were read. */
  readonly since: number;
  readonly until: number;
  /** From the initiator, and back. */
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
}

/** Throws RangeError if the reports are not whole. */
export function decodeFlowReports(reports: Uint8Array): FlowReport[] {
  const view = new DataView(reports.buffer, reports.byteOffset, reports.byteLength);
  const decoded: FlowReport[] = [];
  for (let at = 0; at < reports.byteLength; at += SIZE) decoded.push(decodeReport(view, at));
  return decoded;
}

function decodeReport(view: DataView, at: number): FlowReport {
  const flags = view.getUint8(at + OFFSET.flags);
  const phase = view.getUint8(at + OFFSET.phase);
  const initiator = flags & FlowFlags.FROM_HIGH ? 1 : 0;
  const key = at + OFFSET.key;
  const ports = key + 2 * ADDRESS_BYTES;
  const kind = view.getUint8(ports + 5);
  const protocol = view.getUint8(ports + 4);
  const hasPorts = kind === FlowKind.PORTS;
  return {
    source: addressAt(view, key + initiator * ADDRESS_BYTES),
    destination: addressAt(view, key + (1 - initiator) * ADDRESS_BYTES),
    sourcePort: hasPorts ? view.getUint16(ports + 2 * initiator) : 0,
    destinationPort: hasPorts ? view.getUint16(ports + 2 - 2 * initiator) : 0,
    protocol,
    ...(kind === FlowKind.ECHO ? { icmpType: protocol === 1 ? 8 : 128, icmpCode: 0 } : undefined),
    ...(kind === FlowKind.ICMP_OTHER
      ? { icmpType: view.getUint16(ports), icmpCode: view.getUint16(ports + 2) }
      : undefined),
    egressWord: view.getUint32(at + OFFSET.egress_word, true),
    ingressWord: view.getUint32(at + OFFSET.ingress_word, true),
    hostWord: view.getUint32(at + OFFSET.host_word, true),
    isUnmet: (flags & FlowFlags.UNMET) !== 0,
    isStart: (phase & FlowPhase.PHASE_START) !== 0,
    isEnd: (phase & FlowPhase.PHASE_END) !== 0,
    isLate: (phase & FlowPhase.PHASE_COUNTS) !== 0,
    state: view.getUint8(at + OFFSET.state),
    tcpFlags: view.getUint8(at + OFFSET.tcp_flags),
    since: wideAt(view, at + OFFSET.since_jiffies),
    until: wideAt(view, at + OFFSET.until_jiffies),
    packets: [wideAt(view, at + OFFSET.packets), wideAt(view, at + OFFSET.packets + 8)],
    bytes: [wideAt(view, at + OFFSET.bytes), wideAt(view, at + OFFSET.bytes + 8)],
  };
}

/** Exact up to 2^53. */
function wideAt(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** IPv4 is stored as ::ffff:a.b.c.d. */
function addressAt(view: DataView, at: number): IpAddress {
  const third = view.getUint32(at + 8);
  if (third === V4_MARK && view.getUint32(at) === 0 && view.getUint32(at + 4) === 0) {
    return { family: 4, words: [view.getUint32(at + 12)] };
  }
  return { family: 6, words: [view.getUint32(at), view.getUint32(at + 4), third, view.getUint32(at + 12)] };
}
