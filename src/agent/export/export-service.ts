// All exporters of flow logs, as the settings have them. Each has its own queue, connection and place on disk: one that is slow
// or has failed holds nobody up.
import { join } from 'node:path';
import type { Logger } from '../../base/log.ts';
import { flowToSyslog, formatLocalSyslog, formatSyslog } from '../../observe/export/syslog.ts';
import { FlowAggregator } from '../../observe/flows/aggregator.ts';
import type { FlowHub } from '../../observe/flows/flow-hub.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { type ExportCounters, Exporter } from './exporter.ts';
import { MetricPush, type ReadMetrics } from './metric-push.ts';
import type { Sink } from './sink.ts';
import { FileSink } from './sinks/file-sink.ts';
import { IpfixSink } from './sinks/ipfix-sink.ts';
import { OtlpLogSink } from './sinks/otlp-sink.ts';
import { SyslogSink } from './sinks/syslog-sink.ts';
import { WebhookSink } from './sinks/webhook-sink.ts';
import { sizeOfFlow } from './size-of-flow.ts';
import { Spool } from './spool.ts';
import { type ExportTarget, FLOW_EXPORT_KINDS, parseTargets } from './target.ts';

export interface ExportServiceParts {
  readonly flows: Pick<FlowHub, 'listen'>;
  readonly stateDirectory: string;
  /** Who says it all. */
  readonly host: string;
  readonly version: string;
  readonly log: Logger;
  /** undefined = metrics are exported to nobody. */
  readonly readMetrics?: ReadMetrics;
}

/** One target at work. */
interface Running {
  readonly url: string;
  readonly exporter: Exporter<FlowLog> | undefined;
  stop(): Promise<void>;
}

const AGGREGATE_EVERY_MS = 1000;

export class ExportService {
  readonly #parts: ExportServiceParts;
  #running: readonly Running[] = [];
  /** One change after the other. */
  #changed: Promise<void> = Promise.resolve();

  constructor(parts: ExportServiceParts) {
    this.#parts = parts;
  }

  /** URLs separated by blanks. Those that stay as they are go on. Throws what parseTargets does; then nothing has changed. */
  async configure(exports: string): Promise<void> {
    const targets = parseTargets(exports, FLOW_EXPORT_KINDS);
    this.#changed = this.#changed.then(() => this.#change(targets));
    await this.#changed;
  }

  /** Of exporters of flow logs. */
  counters(): ExportCounters[] {
    return this.#running.flatMap(({ exporter }) => (exporter === undefined ? [] : [exporter.counters()]));
  }

  async close(): Promise<void> {
    this.#changed = this.#changed.then(() => this.#change([]));
    await this.#changed;
  }

  async #change(targets: readonly ExportTarget[]): Promise<void> {
    const wanted = new Set(targets.map(({ url }) => url));
    const gone = this.#running.filter(({ url }) => !wanted.has(url));
    this.#running = this.#running.filter(({ url }) => wanted.has(url));
    await Promise.all(gone.map((one) => one.stop()));
    const known = new Set(this.#running.map(({ url }) => url));
    this.#running = [...this.#running, ...targets.filter(({ url }) => !known.has(url)).map((one) => this.#start(one))];
  }

  #start(target: ExportTarget): Running {
    const { log, host, version, readMetrics } = this.#parts;
    const isOtlp = target.kind === 'otlp';
    const push =
      isOtlp && target.signals !== 'logs' && readMetrics !== undefined
        ? new MetricPush(target, { node: host, version }, readMetrics, log)
        : undefined;
    const exporter = isOtlp && target.signals === 'metrics' ? undefined : this.#startExporter(target);
    const ignore = exporter === undefined ? () => {} : this.#feed(target, exporter);
    const stop = async () => {
      ignore();
      push?.close();
      await exporter?.close();
    };
    return { url: target.url, exporter, stop };
  }

  #startExporter(target: ExportTarget): Exporter<FlowLog> {
    const { log } = this.#parts;
    return new Exporter({ target, sink: this.#sinkOf(target), sizeOf: sizeOfFlow, spool: this.#spoolOf(target), log });
  }

  /** Returns how to end it; what is not told of yet goes to the exporter then. */
  #feed(target: ExportTarget, exporter: Exporter<FlowLog>): () => void {
    const { aggregateMs } = target;
    const pick = (logs: readonly FlowLog[]) => logs.filter((log) => isMeant(log, target));
    const { flows } = this.#parts;
    if (aggregateMs === 0) return flows.listen((logs) => exporter.accept(pick(logs)));
    const aggregator = new FlowAggregator({ bucketSeconds: Math.max(1, Math.round(aggregateMs / 1000)) });
    const timer = setInterval(() => exporter.accept(aggregator.take(Date.now())), AGGREGATE_EVERY_MS);
    timer.unref();
    let overflowed = 0;
    const ignore = flows.listen((logs) => {
      aggregator.add(pick(logs));
      const { records } = aggregator.overflow;
      if (records > overflowed) exporter.leaveOut(records - overflowed);
      overflowed = records;
    });
    return () => {
      ignore();
      clearInterval(timer);
      exporter.accept(aggregator.takeAll());
    };
  }

  /** A disk that is not there costs nothing but the spool. */
  #spoolOf({ name, kind, spoolBytes }: ExportTarget): Spool | undefined {
    if (spoolBytes === 0) return undefined;
    const { stateDirectory, log } = this.#parts;
    try {
      return new Spool(join(stateDirectory, 'exports', `${name}.${kind}`), spoolBytes);
    } catch (error) {
      log.warn('exporter keeps nothing on disk', { exporter: name, error: String(error) });
      return undefined;
    }
  }

  #sinkOf(target: ExportTarget): Sink<FlowLog> {
    const { host, version } = this.#parts;
    switch (target.kind) {
      case 'file':
        return new FileSink(target, (log) => JSON.stringify(log));
      case 'ipfix':
        return new IpfixSink(target);
      case 'otlp':
        return new OtlpLogSink(target, { node: host, version });
      case 'webhook':
        return new WebhookSink(target, host);
      default: {
        const place = { facility: target.facility, host, process: process.pid };
        const format = target.transport === 'unix' ? formatLocalSyslog : formatSyslog;
        return new SyslogSink(target, (log) => flowToSyslog(log, place, format));
      }
    }
  }
}

function isMeant({ action, reporter, isPaired }: FlowLog, target: Pick<ExportTarget, 'actions' | 'reporter'>): boolean {
  const isToldTwice = target.reporter === 'once' && reporter === 'src' && isPaired === true;
  return !isToldTwice && (target.actions === 'all' || target.actions === action);
}
