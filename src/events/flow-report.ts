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

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
type Pair = [number, number];

/** Throws RangeError if the reports are not whole. */
export function decodeFlowReports(reports: Uint8Array): FlowReport[] {
  const decoded: FlowReport[] = [];
  forEachFlowReport(reports, ({ source, destination, icmpType, icmpCode, packets, bytes, ...others }) => {
    decoded.push({
      ...others,
      source: copyOf(source),
      destination: copyOf(destination),
      ...(icmpType === undefined ? undefined : { icmpType, icmpCode }),
      packets: [packets[0], packets[1]],
      bytes: [bytes[0], bytes[1]],
    });
  });
  return decoded;
}

/**
 * The same for very many, one after the other: all are one object, which says something else the next time, and so are its
 * addresses and pairs. Throws RangeError if the reports are not whole.
 */
export function forEachFlowReport(reports: Uint8Array, use: (report: FlowReport) => void): void {
  const view = new DataView(reports.buffer, reports.byteOffset, reports.byteLength);
  const report = blankReport();
  const room = [new AddressRoom(), new AddressRoom()] as const;
  for (let at = 0; at < reports.byteLength; at += SIZE) {
    readReport(view, at, report, room);
    use(report);
  }
}

/** An address of either family, used again and again. */
class AddressRoom {
  readonly #v4: number[] = [0];
  readonly #v6: number[] = [0, 0, 0, 0];
  readonly #address4: IpAddress = { family: 4, words: this.#v4 };
  readonly #address6: IpAddress = { family: 6, words: this.#v6 };

  /** IPv4 is stored as ::ffff:a.b.c.d. */
  read(view: DataView, at: number): IpAddress {
    const [first, second, third] = [view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8)];
    const fourth = view.getUint32(at + 12);
    if (third === V4_MARK && first === 0 && second === 0) {
      this.#v4[0] = fourth;
      return this.#address4;
    }
    this.#v6[0] = first;
    this.#v6[1] = second;
    this.#v6[2] = third;
    this.#v6[3] = fourth;
    return this.#address6;
  }
}

function copyOf({ family, words }: IpAddress): IpAddress {
  return { family, words: [...words] };
}

/** Every field is there from the beginning, so that all reports are of one shape. */
function blankReport(): Mutable<FlowReport> {
  const nowhere: IpAddress = { family: 4, words: [0] };
  return {
    source: nowhere,
    destination: nowhere,
    sourcePort: 0,
    destinationPort: 0,
    protocol: 0,
    icmpType: undefined,
    icmpCode: undefined,
    egressWord: 0,
    ingressWord: 0,
    hostWord: 0,
    isUnmet: false,
    isStart: false,
    isEnd: false,
    isLate: false,
    state: 0,
    tcpFlags: 0,
    since: 0,
    until: 0,
    packets: [0, 0],
    bytes: [0, 0],
  };
}

function readReport(
  view: DataView,
  at: number,
  report: Mutable<FlowReport>,
  room: readonly [AddressRoom, AddressRoom],
): void {
  const flags = view.getUint8(at + OFFSET.flags);
  const phase = view.getUint8(at + OFFSET.phase);
  const initiator = flags & FlowFlags.FROM_HIGH ? 1 : 0;
  const key = at + OFFSET.key;
  report.source = room[0].read(view, key + initiator * ADDRESS_BYTES);
  report.destination = room[1].read(view, key + (1 - initiator) * ADDRESS_BYTES);
  readPorts(view, key + 2 * ADDRESS_BYTES, initiator, report);
  report.egressWord = view.getUint32(at + OFFSET.egress_word, true);
  report.ingressWord = view.getUint32(at + OFFSET.ingress_word, true);
  report.hostWord = view.getUint32(at + OFFSET.host_word, true);
  report.isUnmet = (flags & FlowFlags.UNMET) !== 0;
  report.isStart = (phase & FlowPhase.PHASE_START) !== 0;
  report.isEnd = (phase & FlowPhase.PHASE_END) !== 0;
  report.isLate = (phase & FlowPhase.PHASE_COUNTS) !== 0;
  report.state = view.getUint8(at + OFFSET.state);
  report.tcpFlags = view.getUint8(at + OFFSET.tcp_flags);
  report.since = wideAt(view, at + OFFSET.since_jiffies);
  report.until = wideAt(view, at + OFFSET.until_jiffies);
  readPair(view, at + OFFSET.packets, report.packets as Pair);
  readPair(view, at + OFFSET.bytes, report.bytes as Pair);
}

/** Ports, and what ICMP has in their place; `at` is where those of the key begin. */
function readPorts(view: DataView, at: number, initiator: number, report: Mutable<FlowReport>): void {
  const protocol = view.getUint8(at + 4);
  const kind = view.getUint8(at + 5);
  const hasPorts = kind === FlowKind.PORTS;
  report.protocol = protocol;
  report.sourcePort = hasPorts ? view.getUint16(at + 2 * initiator) : 0;
  report.destinationPort = hasPorts ? view.getUint16(at + 2 - 2 * initiator) : 0;
  report.icmpType = undefined;
  report.icmpCode = undefined;
  if (kind === FlowKind.ECHO) {
    report.icmpType = protocol === 1 ? 8 : 128;
    report.icmpCode = 0;
  } else if (kind === FlowKind.ICMP_OTHER) {
    report.icmpType = view.getUint16(at);
    report.icmpCode = view.getUint16(at + 2);
  }
}

function readPair(view: DataView, at: number, pair: Pair): void {
  pair[0] = wideAt(view, at);
  pair[1] = wideAt(view, at + 8);
}

/** Exact up to 2^53. */
function wideAt(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
