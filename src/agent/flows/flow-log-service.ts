// Keeps flow logs: reads what is new of each flow every few seconds, and of flows that go as they go, names it and hands it to
// the hub. Off, it has nothing loaded and the programs tell nothing.
import { Reason } from '../../abi/event.gen.ts';
import { FlowReport } from '../../abi/flow.gen.ts';
import type { Logger } from '../../base/log.ts';
import { decodeEvents } from '../../events/decode.ts';
import type { EventKind } from '../../events/event.ts';
import { decodeFlowReports } from '../../events/flow-report.ts';
import type { FlowCounter, FlowMoment } from '../../kernel/flow-counter.ts';
import type { ReasonCount } from '../../kernel/reason-counts.ts';
import type { FlowNames } from '../../model/name-lookup.ts';
import { DeniedFlows } from '../../observe/flows/denied-flows.ts';
import { FlowDescriber, type ReadAt } from '../../observe/flows/flow-describer.ts';
import type { FlowHub, FlowLoss } from '../../observe/flows/flow-hub.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';

export interface FlowLogOptions {
  readonly flowLogs: 'on' | 'off';
  /** Seconds between two looks at the flow table. */
  readonly flowLogsInterval: number;
}

type Counter = Pick<FlowCounter, 'now' | 'flush' | 'sweep' | 'settle' | 'leftOut' | 'close'>;

/** The dataplane's side of it. */
export interface CountingDataplane {
  readonly flowCounting: { open(): Counter; forget(): void };
  /** Ends the reading of events; what was read comes before it returns. */
  closeEvents(): void;
  counters(): ReasonCount[];
}

export interface FlowLogParts {
  readonly dataplane: CountingDataplane;
  readonly hub: FlowHub;
  /** renew: takes over what is in force now; false = it is what it was. */
  readonly names: FlowNames & { renew(): boolean };
  readonly node: string;
  readonly log: Logger;
  readonly options: FlowLogOptions;
  readonly now?: () => number;
}

export interface FlowLogStatus {
  readonly isOn: boolean;
  readonly intervalSeconds: number;
  /** Since the agent began. */
  readonly records: number;
  readonly lost: FlowLoss;
  /** More flows came than are described: what is lost grows. */
  readonly isSampling: boolean;
}

/** Reports that are described in a second, of each of the two sources: half of a core's work. What would be more is counted. */
const MAX_REPORTS_A_SECOND = 60_000;
const DENIALS: ReadonlySet<EventKind> = new Set(['denied', 'flow-revoked']);

export class FlowLogService {
  readonly #parts: FlowLogParts;
  readonly #describer: FlowDescriber;
  readonly #denied = new DeniedFlows();
  readonly #now: () => number;
  #options: FlowLogOptions;
  #counter: Counter | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #records = 0;
  #desired: object | undefined;
  #atBegin: { readonly lost: FlowLoss } | undefined;
  #second = { at: 0, reports: 0 };
  /** Of counters that were closed. */
  #leftOut = { reports: 0, packets: 0, bytes: 0 };
  #isSampling = false;

  constructor(parts: FlowLogParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#now = parts.now ?? Date.now;
    this.#describer = new FlowDescriber(parts.names, parts.node);
    parts.hub.countLossBy(() => this.lost);
  }

  /** Begins, if flow logs are on. */
  start(): void {
    if (this.#options.flowLogs === 'off') {
      this.#parts.dataplane.flowCounting.forget();
      return;
    }
    this.#atBegin ??= { lost: this.#kernelLoss() };
    try {
      this.#counter ??= this.#parts.dataplane.flowCounting.open();
    } catch (error) {
      this.#parts.log.error('no flow logs', { error: String(error) });
      return;
    }
    this.#parts.names.renew();
    this.#schedule();
  }

  /** The dataplane is configured already. */
  async configure(options: FlowLogOptions): Promise<void> {
    const { flowLogs } = this.#options;
    if (options.flowLogs === flowLogs && options.flowLogsInterval === this.#options.flowLogsInterval) return;
    await this.#halt();
    this.#options = options;
    this.start();
  }

  /** What came from the programs' ring buffer. */
  take(chunk: Uint8Array): void {
    if (this.#counter === undefined) return;
    const time = this.#now();
    for (const event of decodeEvents(chunk, DENIALS)) this.#denied.add(event, time);
    const most = this.#mostNow(time);
    const before = this.#counter.leftOut.reports;
    const reports = this.#counter.settle(chunk, most);
    this.#second.reports += reports.byteLength / FlowReport.SIZE;
    this.#noteSampling(this.#counter.leftOut.reports > before);
    if (reports.byteLength === 0) return;
    this.#publish(reports, { ...this.#counter.now(), time: this.#now() });
  }

  /** What has been counted so far is the old policy's, if this is another: it is told before a packet meets the new one. */
  policyChanges(desired: object): void {
    if (this.#counter === undefined || desired === this.#desired) return;
    this.#desired = desired;
    try {
      const moment = this.#counter.now();
      for (const part of this.#counter.sweep(moment, this.#most())) this.#publish(part, this.#readAt(moment));
    } catch (error) {
      // Flow logs keep no policy from coming into force.
      this.#parts.log.error('flows not read before a change of policy', { error: String(error) });
    }
  }

  /** Reads what there is now. */
  async read(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#read());
    await this.#turn;
  }

  get lost(): FlowLoss {
    const now = this.#kernelLoss();
    const { lost } = this.#atBegin ?? { lost: now };
    const { leftOut } = this.#counter ?? { leftOut: { reports: 0, packets: 0, bytes: 0 } };
    const denied = this.#denied.leftOut;
    return {
      eventsLost: now.eventsLost - lost.eventsLost,
      packetsLost: now.packetsLost - lost.packetsLost,
      bytesLost: now.bytesLost - lost.bytesLost,
      eventsSuppressed: now.eventsSuppressed - lost.eventsSuppressed,
      bytesSuppressed: now.bytesSuppressed - lost.bytesSuppressed,
      recordsSampledOut: this.#leftOut.reports + leftOut.reports + denied.records,
      packetsSampledOut: this.#leftOut.packets + leftOut.packets + denied.packets,
      bytesSampledOut: this.#leftOut.bytes + leftOut.bytes + denied.bytes,
    };
  }

  status(): FlowLogStatus {
    return {
      isOn: this.#counter !== undefined,
      intervalSeconds: this.#options.flowLogsInterval,
      records: this.#records,
      lost: this.lost,
      isSampling: this.#isSampling,
    };
  }

  /** Tells what is not told yet. The next agent goes on from there. */
  async stop(): Promise<void> {
    this.#parts.dataplane.closeEvents();
    await this.#halt();
  }

  async #halt(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#counter === undefined) return;
    await this.read();
    const { reports, packets, bytes } = this.#counter.leftOut;
    this.#leftOut = {
      reports: this.#leftOut.reports + reports,
      packets: this.#leftOut.packets + packets,
      bytes: this.#leftOut.bytes + bytes,
    };
    this.#counter.close();
    this.#counter = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.read().finally(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    }, this.#options.flowLogsInterval * 1000);
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    const counter = this.#counter;
    if (counter === undefined) return;
    try {
      if (this.#parts.names.renew()) this.#describer.renew();
      counter.flush(counter.now());
      const moment = counter.now();
      const before = counter.leftOut.reports;
      for (const part of counter.sweep(moment, this.#most())) {
        this.#publish(part, this.#readAt(moment));
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#counter !== counter) return;
      }
      this.#noteSampling(counter.leftOut.reports > before);
      this.#tellDenied();
    } catch (error) {
      this.#parts.log.error('flows not read', { error: String(error) });
    }
  }

  #publish(reports: Uint8Array, at: ReadAt): void {
    const { hub } = this.#parts;
    if (reports.byteLength === 0 || !hub.hasListeners) return;
    const logs: FlowLog[] = [];
    for (const report of decodeFlowReports(reports)) {
      for (const log of this.#describer.describeReport(report, at)) logs.push(log);
    }
    this.#records += logs.length;
    hub.publish(logs);
  }

  #tellDenied(): void {
    const flows = this.#denied.take();
    if (!this.#parts.hub.hasListeners) return;
    const logs: FlowLog[] = [];
    for (const denied of flows) for (const log of this.#describer.describeDenied(denied)) logs.push(log);
    this.#records += logs.length;
    this.#parts.hub.publish(logs);
  }

  #readAt(moment: FlowMoment): ReadAt {
    return { ...moment, time: this.#now() };
  }

  #most(): number {
    return MAX_REPORTS_A_SECOND * this.#options.flowLogsInterval;
  }

  /** Of this second there is so much left. */
  #mostNow(time: number): number {
    const at = Math.floor(time / 1000);
    if (at !== this.#second.at) this.#second = { at, reports: 0 };
    return Math.max(0, MAX_REPORTS_A_SECOND - this.#second.reports);
  }

  /** Said once when it begins and once when it is over. */
  #noteSampling(isSampling: boolean): void {
    if (isSampling === this.#isSampling) return;
    this.#isSampling = isSampling;
    const { recordsSampledOut } = this.lost;
    if (isSampling)
      this.#parts.log.warn('more flows than flow logs tell of: some are counted only', { recordsSampledOut });
    else this.#parts.log.info('flow logs tell of all flows again', { recordsSampledOut });
  }

  #kernelLoss(): FlowLoss {
    const counters = this.#parts.dataplane.counters();
    const of = (reason: number): { packets: number; bytes: number } => ({
      packets: Number(counters[reason]?.packets ?? 0n),
      bytes: Number(counters[reason]?.bytes ?? 0n),
    });
    const events = of(Reason.EVENT_LOST);
    const counts = of(Reason.FLOW_COUNTS_LOST);
    const suppressed = of(Reason.EVENT_SUPPRESSED);
    return {
      eventsLost: events.packets,
      packetsLost: events.packets + counts.packets,
      bytesLost: events.bytes + counts.bytes,
      eventsSuppressed: suppressed.packets,
      bytesSuppressed: suppressed.bytes,
      recordsSampledOut: 0,
      packetsSampledOut: 0,
      bytesSampledOut: 0,
    };
  }
}
