// Keeps flow logs: reads what is new of each flow every few seconds, and of flows that go as they go, names it and hands it to
// the hub. Off, it has nothing loaded and the programs tell nothing.
import { Reason } from '../../abi/event.gen.ts';
import { FlowReport } from '../../abi/flow.gen.ts';
import type { Logger } from '../../base/log.ts';
import { decodeEvents } from '../../events/decode.ts';
import type { EventKind } from '../../events/event.ts';
import { forEachFlowReport } from '../../events/flow-report.ts';
import { wordsOfReports } from '../../events/report-words.ts';
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
  /** Since the agent began: records, and packets that they tell of, each counted once. */
  readonly records: number;
  readonly packets: number;
  readonly lost: FlowLoss;
  /** More flows came than are described, not long ago: what is lost grows. */
  readonly isSampling: boolean;
}

/** Reports that are described in a second, of each of the two sources: half of a core's work. What would be more is counted. */
const MAX_REPORTS_A_SECOND = 120_000;
/** Events come in bursts, as the agent gets to them: what was not used is good for so long. */
const SAVED_SECONDS = 2;
/** Without anything left out: a flood that comes and goes is said once. */
const CALM_MS = 15_000;
/** Reports that are described before other work comes in between. */
const SLICE_BYTES = 1024 * FlowReport.SIZE;
type SampledOut = 'recordsSampledOut' | 'deniedSampledOut' | 'packetsSampledOut' | 'bytesSampledOut';
const DENIALS: ReadonlySet<EventKind> = new Set(['denied', 'flow-revoked']);

export class FlowLogService {
  readonly #parts: FlowLogParts;
  readonly #describer: FlowDescriber;
  readonly #denied = new DeniedFlows();
  readonly #now: () => number;
  #options: FlowLogOptions;
  #counter: Counter | undefined;
  #failure: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #records = 0;
  #packets = 0;
  /** Reports of older policies that are not described yet. */
  #held = 0;
  #desired: object | undefined;
  #atBegin: { readonly lost: FlowLoss } | undefined;
  /** Of events: reports that may be described as of then. */
  #allowance = { at: 0, reports: 0 };
  /** Of counters that were closed. */
  #leftOut = { reports: 0, packets: 0, bytes: 0 };
  /** When something was left out for the last time, while it is said that the agent samples; and how much there was by then. */
  #sampledAt: number | undefined;
  #sampledOut = 0;

  constructor(parts: FlowLogParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#now = parts.now ?? Date.now;
    this.#describer = new FlowDescriber(parts.names, parts.node);
    parts.hub.countLossBy(() => this.lost);
  }

  /** Begins, if flow logs are on. */
  start(): void {
    this.#failure = undefined;
    if (this.#options.flowLogs === 'off') {
      this.#parts.dataplane.flowCounting.forget();
      return;
    }
    this.#atBegin ??= { lost: this.#kernelLoss() };
    try {
      this.#counter ??= this.#parts.dataplane.flowCounting.open();
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
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
    // First: nothing is counted as told that cannot be told.
    const moment = this.#counter.now();
    const time = this.#now();
    for (const event of decodeEvents(chunk, DENIALS)) this.#denied.add(event, time);
    const reports = this.#counter.settle(chunk, this.#mostNow(time));
    this.#allowance.reports -= reports.byteLength / FlowReport.SIZE;
    this.#noteSampling();
    if (reports.byteLength === 0) return;
    this.#publish(reports, { ...moment, time });
  }

  /**
   * What has been counted so far is the old policy's, if this is another: it is read before a packet meets the new one, and
   * described afterwards, as if the old one were still in force: describing 100,000 flows takes longer than a change may.
   */
  policyChanges(desired: object): void {
    if (this.#counter === undefined || desired === this.#desired) return;
    this.#desired = desired;
    try {
      const moment = this.#counter.now();
      const at = this.#readAt(moment);
      for (const part of this.#counter.sweep(moment, Math.max(0, this.#most() - this.#held))) this.#hold(part, at);
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
    return {
      eventsLost: now.eventsLost - lost.eventsLost,
      packetsLost: now.packetsLost - lost.packetsLost,
      bytesLost: now.bytesLost - lost.bytesLost,
      eventsSuppressed: now.eventsSuppressed - lost.eventsSuppressed,
      bytesSuppressed: now.bytesSuppressed - lost.bytesSuppressed,
      ...this.#sampledOutNow(),
    };
  }

  /** Why there are none although there should be. */
  get failure(): string | undefined {
    return this.#failure;
  }

  status(): FlowLogStatus {
    return {
      isOn: this.#counter !== undefined,
      intervalSeconds: this.#options.flowLogsInterval,
      records: this.#records,
      packets: this.#packets,
      lost: this.lost,
      isSampling: this.#sampledAt !== undefined,
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
      for (const part of counter.sweep(moment, this.#most())) {
        this.#publish(part, this.#readAt(moment));
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#counter !== counter) return;
      }
      this.#noteSampling();
      this.#tellDenied();
    } catch (error) {
      this.#parts.log.error('flows not read', { error: String(error) });
    }
  }

  /** Described in its turn: names are not renewed before, and words keep what they say now. */
  #hold(reports: Uint8Array, at: ReadAt): void {
    if (reports.byteLength === 0 || !this.#parts.hub.hasListeners) return;
    const describer = this.#describer.asNow(wordsOfReports(reports));
    const count = reports.byteLength / FlowReport.SIZE;
    this.#held += count;
    this.#turn = this.#turn.then(async () => {
      try {
        for (let from = 0; from < reports.byteLength; from += SLICE_BYTES) {
          this.#publish(reports.subarray(from, from + SLICE_BYTES), at, describer);
          await new Promise((resolve) => setImmediate(resolve));
        }
      } catch (error) {
        this.#parts.log.error('flows of the policy before not told', { error: String(error) });
      } finally {
        this.#held -= count;
      }
    });
  }

  #publish(reports: Uint8Array, at: ReadAt, describer = this.#describer): void {
    const { hub } = this.#parts;
    if (reports.byteLength === 0 || !hub.hasListeners) return;
    const logs: FlowLog[] = [];
    forEachFlowReport(reports, (report) => {
      const before = logs.length;
      describer.describeReport(report, at, logs);
      if (logs.length > before) this.#packets += report.packets[0] + report.packets[1];
    });
    this.#records += logs.length;
    hub.publish(logs);
  }

  #tellDenied(): void {
    const flows = this.#denied.take();
    if (!this.#parts.hub.hasListeners) return;
    const logs: FlowLog[] = [];
    for (const denied of flows) {
      const described = this.#describer.describeDenied(denied);
      for (const log of described) logs.push(log);
      if (described.length > 0) this.#packets += denied.packets;
    }
    this.#records += logs.length;
    this.#parts.hub.publish(logs);
  }

  #readAt(moment: FlowMoment): ReadAt {
    return { ...moment, time: this.#now() };
  }

  #most(): number {
    return MAX_REPORTS_A_SECOND * this.#options.flowLogsInterval;
  }

  /** What a second allows, and what was not used of those before. */
  #mostNow(time: number): number {
    const elapsed = Math.min(SAVED_SECONDS, Math.max(0, (time - this.#allowance.at) / 1000));
    const reports = Math.floor(this.#allowance.reports + elapsed * MAX_REPORTS_A_SECOND);
    this.#allowance = { at: time, reports: Math.min(SAVED_SECONDS * MAX_REPORTS_A_SECOND, reports) };
    return this.#allowance.reports;
  }

  /** Said once when it begins and once when it is over. */
  #noteSampling(): void {
    const time = this.#now();
    const { recordsSampledOut } = this.#sampledOutNow();
    if (recordsSampledOut > this.#sampledOut) {
      if (this.#sampledAt === undefined)
        this.#parts.log.warn('more flows than flow logs tell of: some are counted only', { recordsSampledOut });
      this.#sampledOut = recordsSampledOut;
      this.#sampledAt = time;
    } else if (this.#sampledAt !== undefined && Math.abs(time - this.#sampledAt) >= CALM_MS) {
      this.#sampledAt = undefined;
      this.#parts.log.info('flow logs tell of all flows again', { recordsSampledOut });
    }
  }

  #sampledOutNow(): Pick<FlowLoss, SampledOut> {
    const { leftOut } = this.#counter ?? { leftOut: { reports: 0, packets: 0, bytes: 0 } };
    const denied = this.#denied.leftOut;
    return {
      recordsSampledOut: this.#leftOut.reports + leftOut.reports + denied.records,
      deniedSampledOut: denied.records,
      packetsSampledOut: this.#leftOut.packets + leftOut.packets + denied.packets,
      bytesSampledOut: this.#leftOut.bytes + leftOut.bytes + denied.bytes,
    };
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
      deniedSampledOut: 0,
      packetsSampledOut: 0,
      bytesSampledOut: 0,
    };
  }
}
