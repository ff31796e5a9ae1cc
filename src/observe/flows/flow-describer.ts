// Reports and denials -> flow logs: names, labels and traces are put in here, once for each end and word, not for each flow.
import { flowStateName } from '../../abi/flow.gen.ts';
import { WordBits } from '../../abi/heap.gen.ts';
import type { FlowEvent } from '../../events/event.ts';
import type { FlowReport } from '../../events/flow-report.ts';
import { formatAddress, type IpAddress } from '../../model/address.ts';
import { isIcmp, PROTOCOL, protocolName } from '../../model/flow.ts';
import type { FlowNames, NamedEnd } from '../../model/name-lookup.ts';
import { formatTrace } from '../../model/trace.ts';
import type { FlowEnd, FlowLog, FlowPhase } from './flow-log.ts';

/** Ends that are remembered: strangers come in any number. */
const MAX_ENDS = 65_536;
const MAX_TRACES = 65_536;
const NONE: readonly string[] = Object.freeze([]);
const NO_LABELS = Object.freeze({});

interface KnownEnd {
  readonly end: FlowEnd;
  readonly isLocal: boolean;
}

interface KnownTrace {
  readonly enforced: readonly string[];
  readonly pending: readonly string[];
}

/** When a report was read: jiffies become time by it. */
export interface ReadAt {
  readonly jiffies: number;
  readonly hz: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Denied packets of one flow and direction, put together. */
export interface DeniedFlow {
  readonly event: FlowEvent;
  readonly firstTime: number;
  lastTime: number;
  packets: number;
  bytes: number;
  tcpFlags: number;
}

type Side = 'src' | 'dst';

export class FlowDescriber {
  readonly #names: FlowNames;
  readonly #node: string;
  #ends = new Map<number | string, KnownEnd>();
  #traces = new Map<number, KnownTrace>();

  constructor(names: FlowNames, node: string) {
    this.#names = names;
    this.#node = node;
  }

  /** Names, labels or policies may have changed. What a word said is kept where nobody knows it any more. */
  renew(): void {
    this.#ends = new Map();
    for (const [word, before] of this.#traces) {
      const now = this.#tell(word);
      this.#traces.set(word, now.enforced.length === 0 ? before : now);
    }
  }

  /** One record for each end whose policy let the flow pass; one without a trace where no policy was asked. */
  describeReport(report: FlowReport, at: ReadAt): FlowLog[] {
    const source = this.#endOf(report.source);
    const destination = this.#endOf(report.destination);
    const sides = sidesOf(report, source.isLocal, destination.isLocal);
    return sides.map(({ side, word }) => {
      const [toward, back] = side === 'dst' ? ([0, 1] as const) : ([1, 0] as const);
      const trace = this.#traceOf(word);
      return {
        startTime: timeOf(report.since, at),
        endTime: timeOf(report.until, at),
        phase: phaseOf(report),
        node: this.#node,
        reporter: side,
        action: 'allow',
        source: withPort(source.end, report.sourcePort),
        destination: withPort(destination.end, report.destinationPort),
        protocol: protocolName(report.protocol),
        icmpType: report.icmpType,
        icmpCode: report.icmpCode,
        service: this.#names.serviceAt(report.destination, report.protocol, report.destinationPort),
        enforced: trace.enforced,
        pending: trace.pending,
        state: flowStateName(report.state).toLowerCase(),
        tcpFlags: report.protocol === PROTOCOL.TCP ? report.tcpFlags : undefined,
        packetsIn: report.packets[toward],
        packetsOut: report.packets[back],
        bytesIn: report.bytes[toward],
        bytesOut: report.bytes[back],
        flowsStarted: Number(report.isStart),
        flowsCompleted: Number(report.isEnd),
        flowsLive: Number(!report.isEnd && !report.isLate),
      };
    });
  }

  /**
   * The record of the side that denied; and, where one hook judged both ends, that of the sender, whose policy let the
   * packets pass. Denied replies are of the flow that the other end opened.
   */
  describeDenied(denied: DeniedFlow): FlowLog[] {
    const { event } = denied;
    if (event.source === undefined || event.destination === undefined) return [];
    return deniedSides(event).map(({ side, word, action }) => this.#describeDeniedSide(denied, side, word, action));
  }

  #describeDeniedSide(denied: DeniedFlow, side: Side, word: number, action: FlowLog['action']): FlowLog {
    const { event, packets, bytes } = denied;
    const { isReply } = event;
    const opened = isReply ? turned(event) : event;
    const isIn = (side === 'dst') !== isReply;
    const trace = this.#traceOf(word);
    return {
      startTime: denied.firstTime,
      endTime: denied.lastTime,
      phase: 'end',
      node: this.#node,
      reporter: side,
      action,
      source: withPort(this.#endOf(opened.source as IpAddress).end, opened.sourcePort),
      destination: withPort(this.#endOf(opened.destination as IpAddress).end, opened.destinationPort),
      protocol: protocolName(event.protocol),
      ...(isIcmp(event.protocol) ? { icmpType: event.icmpType, icmpCode: event.icmpCode } : undefined),
      service: this.#names.serviceAt(opened.destination as IpAddress, event.protocol, opened.destinationPort),
      enforced: trace.enforced,
      pending: trace.pending,
      reason: action === 'deny' ? event.reason : undefined,
      tcpFlags: event.protocol === PROTOCOL.TCP ? denied.tcpFlags : undefined,
      packetsIn: isIn ? packets : 0,
      packetsOut: isIn ? 0 : packets,
      bytesIn: isIn ? bytes : 0,
      bytesOut: isIn ? 0 : bytes,
      flowsStarted: 1,
      flowsCompleted: 1,
      flowsLive: 0,
    };
  }

  #endOf(address: IpAddress): KnownEnd {
    const key = address.words.length === 1 ? (address.words[0] as number) : address.words.join();
    let known = this.#ends.get(key);
    if (known === undefined) {
      if (this.#ends.size >= MAX_ENDS) this.#ends.clear();
      known = describeEnd(address, this.#names.endAt(address));
      this.#ends.set(key, known);
    }
    return known;
  }

  #traceOf(word: number): KnownTrace {
    let known = this.#traces.get(word);
    if (known === undefined) {
      if (this.#traces.size >= MAX_TRACES) this.#traces.clear();
      known = this.#tell(word);
      this.#traces.set(word, known);
    }
    return known;
  }

  #tell(word: number): KnownTrace {
    if (word === 0) return { enforced: NONE, pending: NONE };
    const { trace, pending } = this.#names.verdict(word);
    const enforced = formatTrace(trace);
    return { enforced, pending: pending === undefined ? enforced : formatTrace(pending.trace) };
  }
}

function describeEnd(address: IpAddress, named: NamedEnd | undefined): KnownEnd {
  const text = formatAddress(address);
  if (named === undefined) {
    const name = isPrivate(address) ? 'pvt' : 'pub';
    const end = { type: 'net', namespace: '', name, aggregatedName: name, address: text, port: 0, labels: NO_LABELS };
    return { end: end as FlowEnd, isLocal: false };
  }
  const { type, namespace, name, aggregatedName, labels, isLocal } = named;
  return { end: { type, namespace, name, aggregatedName, address: text, port: 0, labels }, isLocal };
}

/** Field by field: a spread costs several times as much, and there are very many flows. */
function withPort(end: FlowEnd, port: number): FlowEnd {
  const { type, namespace, name, aggregatedName, address, labels } = end;
  return { type, namespace, name, aggregatedName, address, port, labels };
}

/** RFC 1918, and what is its like in IPv6: unique local addresses (RFC 4193). */
function isPrivate({ family, words }: IpAddress): boolean {
  const first = words[0] as number;
  if (family === 6) return first >>> 25 === 0x7e;
  return first >>> 24 === 10 || first >>> 20 === 0xac1 || first >>> 16 === 0xc0a8;
}

/**
 * Whose policy has spoken. What only the host's lists have seen is theirs to tell, unless a workload's hook sees it too: that
 * one counts it. A flow that nobody judged was opened by the host, and is its workload's.
 */
function sidesOf(
  report: FlowReport,
  isSourceLocal: boolean,
  isDestinationLocal: boolean,
): readonly { readonly side: Side; readonly word: number }[] {
  const { egressWord, ingressWord, hostWord } = report;
  if (report.isUnmet) {
    if (isSourceLocal || isDestinationLocal || hostWord === 0) return [];
    return [{ side: 'dst', word: hostWord }];
  }
  if (egressWord === 0 && ingressWord === 0) {
    return [{ side: isSourceLocal && !isDestinationLocal ? 'src' : 'dst', word: 0 }];
  }
  return [
    ...(egressWord === 0 ? [] : [{ side: 'src' as const, word: egressWord }]),
    ...(ingressWord === 0 ? [] : [{ side: 'dst' as const, word: ingressWord }]),
  ];
}

const DENYING_SIDE: Readonly<Record<string, Side>> = {
  drop_egress_policy: 'src',
  drop_host_egress: 'src',
};

/** By the reason; where a revoked flow is denied, by the word that does. */
function deniedSides(event: FlowEvent): readonly { side: Side; word: number; action: FlowLog['action'] }[] {
  const { egressWord, ingressWord, reason, hook } = event;
  const isEgress =
    DENYING_SIDE[reason] === 'src' || (reason === 'drop_revoked' && ingressWord === 0) || isDenyWord(egressWord);
  if (isEgress) return [{ side: 'src', word: egressWord, action: 'deny' }];
  const denied = { side: 'dst' as const, word: ingressWord, action: 'deny' as const };
  const isJudgedForBoth = hook === 'from_workload' && egressWord !== 0 && !event.isReply;
  return isJudgedForBoth ? [{ side: 'src', word: egressWord, action: 'allow' }, denied] : [denied];
}

function isDenyWord(word: number): boolean {
  return (word & WordBits.DENY) !== 0;
}

function turned(event: FlowEvent): Pick<FlowEvent, 'source' | 'destination' | 'sourcePort' | 'destinationPort'> {
  return {
    source: event.destination,
    destination: event.source,
    sourcePort: event.destinationPort,
    destinationPort: event.sourcePort,
  };
}

function phaseOf({ isStart, isEnd }: FlowReport): FlowPhase {
  if (isEnd) return 'end';
  return isStart ? 'start' : 'update';
}

function timeOf(jiffies: number, { jiffies: now, hz, time }: ReadAt): number {
  return Math.round(time - (Math.max(0, now - jiffies) * 1000) / hz);
}
