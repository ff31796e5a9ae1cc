// Reports and denials -> flow logs: names, labels and traces are put in here, once for each end and word, not for each flow.
import { FlowState, flowStateName } from '../../abi/flow.gen.ts';
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
const STATES: readonly string[] = Object.values(FlowState).map((state) => flowStateName(state).toLowerCase());

interface KnownEnd {
  readonly end: FlowEnd;
  /** Here, with a hook of its own. */
  readonly isWorkload: boolean;
  /** This host, by an address of one of its endpoints. */
  readonly isHost: boolean;
  /** The end with the port that it had last: of servers it is nearly always the same. */
  served: FlowEnd;
}

interface KnownTrace {
  readonly enforced: readonly string[];
  readonly pending: readonly string[];
}

/** A report, when it was read, and its ends. */
interface Told {
  readonly report: FlowReport;
  readonly at: ReadAt;
  readonly source: KnownEnd;
  readonly destination: KnownEnd;
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

  /** One that goes on saying of these words what they say now, and of ends what is known until the names are renewed. */
  asNow(words: Iterable<number>): FlowDescriber {
    const describer = new FlowDescriber(this.#names, this.#node);
    describer.#ends = this.#ends;
    for (const word of words) describer.#traces.set(word, this.#traceOf(word));
    return describer;
  }

  /** Names, labels or policies may have changed. What a word said is kept where nobody knows it any more. */
  renew(): void {
    this.#ends = new Map();
    for (const [word, before] of this.#traces) {
      const now = this.#tell(word);
      this.#traces.set(word, now.enforced.length === 0 ? before : now);
    }
  }

  /**
   * One record for each end whose policy let the flow pass; one without a trace where no policy was asked. They are put at the
   * end of `logs`, which is returned. Nothing of the report is kept.
   */
  describeReport(report: FlowReport, at: ReadAt, logs: FlowLog[] = []): FlowLog[] {
    const told = { report, at, source: this.#endOf(report.source), destination: this.#endOf(report.destination) };
    const { egressWord, ingressWord, hostWord } = report;
    const { source, destination } = told;
    if (report.isUnmet) {
      // What only the host's lists have seen is theirs to tell, unless a workload's hook sees it too: that one counts it.
      const isTheirs = !source.isWorkload && !destination.isWorkload && hostWord !== 0;
      const side = source.isHost && !destination.isHost ? 'src' : 'dst';
      if (isTheirs) logs.push(this.#describeSide(side, hostWord, told));
    } else if (egressWord === 0 && ingressWord === 0) {
      // A flow that nobody judged was opened by the host, and is its workload's.
      logs.push(this.#describeSide(source.isWorkload && !destination.isWorkload ? 'src' : 'dst', 0, told));
    } else {
      const isPaired = (egressWord !== 0 && ingressWord !== 0) || undefined;
      if (egressWord !== 0) logs.push(this.#describeSide('src', egressWord, told, isPaired));
      if (ingressWord !== 0) logs.push(this.#describeSide('dst', ingressWord, told, isPaired));
    }
    return logs;
  }

  #describeSide(side: Side, word: number, { report, at, source, destination }: Told, isPaired?: true): FlowLog {
    const toward = side === 'dst' ? 0 : 1;
    const back = side === 'dst' ? 1 : 0;
    const trace = this.#traceOf(word);
    return {
      startTime: timeOf(report.since, at),
      endTime: timeOf(report.until, at),
      phase: phaseOf(report),
      node: this.#node,
      reporter: side,
      isPaired,
      action: 'allow',
      source: withPort(source.end, report.sourcePort),
      destination: serving(destination, report.destinationPort),
      protocol: protocolName(report.protocol),
      icmpType: report.icmpType,
      icmpCode: report.icmpCode,
      service: this.#names.serviceAt(report.destination, report.protocol, report.destinationPort),
      enforced: trace.enforced,
      pending: trace.pending,
      state: STATES[report.state] ?? flowStateName(report.state),
      tcpFlags: report.protocol === PROTOCOL.TCP ? report.tcpFlags : undefined,
      packetsIn: report.packets[toward],
      packetsOut: report.packets[back],
      bytesIn: report.bytes[toward],
      bytesOut: report.bytes[back],
      flowsStarted: report.isStart ? 1 : 0,
      flowsCompleted: report.isEnd ? 1 : 0,
      flowsLive: report.isEnd || report.isLate ? 0 : 1,
    };
  }

  /**
   * The record of the side that denied; and, where one hook judged both ends, that of the sender, whose policy let the
   * packets pass. Denied replies are of the flow that the other end opened.
   */
  describeDenied(denied: DeniedFlow): FlowLog[] {
    const { event } = denied;
    if (event.source === undefined || event.destination === undefined) return [];
    const sides = deniedSides(event);
    const isPaired = sides.length > 1 || undefined;
    return sides.map((one) => this.#describeDeniedSide(denied, one, isPaired));
  }

  #describeDeniedSide(denied: DeniedFlow, { side, word, action }: DeniedSide, isPaired: true | undefined): FlowLog {
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
      isPaired,
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
    return { end: end as FlowEnd, isWorkload: false, isHost: false, served: end as FlowEnd };
  }
  const { type, namespace, name, aggregatedName, labels, isLocal } = named;
  const end = { type, namespace, name, aggregatedName, address: text, port: 0, labels };
  return { end, isWorkload: isLocal && type === 'wep', isHost: isLocal && type === 'hep', served: end };
}

function serving(known: KnownEnd, port: number): FlowEnd {
  if (known.served.port !== port) known.served = withPort(known.end, port);
  return known.served;
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

const DENYING_SIDE: Readonly<Record<string, Side>> = {
  drop_egress_policy: 'src',
  drop_host_egress: 'src',
};

interface DeniedSide {
  readonly side: Side;
  readonly word: number;
  readonly action: FlowLog['action'];
}

/** By the reason; where a revoked flow is denied, by the word that does. */
function deniedSides(event: FlowEvent): readonly DeniedSide[] {
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
