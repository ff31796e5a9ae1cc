// The agent's metrics, pushed to an OTLP collector every so often. What one push could not say the next one does: counters are
// totals.
import type { Logger } from '../../base/log.ts';
import type { OtlpResource } from '../../observe/export/otlp.ts';
import { type PlainMetric, toOtlpMetrics } from '../../observe/export/otlp-metrics.ts';
import { OtlpClient } from './sinks/otlp-sink.ts';
import type { ExportTarget } from './target.ts';

export type ReadMetrics = () => Promise<readonly PlainMetric[]>;

export class MetricPush {
  readonly #client: OtlpClient;
  readonly #resource: OtlpResource;
  readonly #read: ReadMetrics;
  readonly #log: Logger;
  readonly #name: string;
  readonly #timer: NodeJS.Timeout;
  readonly #start = Date.now();
  #isBusy = false;
  #hasFailed = false;

  constructor(target: ExportTarget, resource: OtlpResource, read: ReadMetrics, log: Logger) {
    this.#client = new OtlpClient(target, 'metrics');
    this.#resource = resource;
    this.#read = read;
    this.#log = log;
    this.#name = target.name;
    this.#timer = setInterval(() => void this.#push(), target.periodMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#client.close();
  }

  async #push(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const metrics = await this.#read();
      const request = toOtlpMetrics(metrics, this.#resource, { start: this.#start, now: Date.now() });
      await this.#client.post(Buffer.from(JSON.stringify(request)));
      this.#hasFailed = false;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#hasFailed) this.#log.warn('metrics are not delivered', { exporter: this.#name, reason });
      this.#hasFailed = true;
    } finally {
      this.#isBusy = false;
    }
  }
}
