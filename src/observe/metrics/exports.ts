// Deliveries to others, exporter by exporter: what was given, what arrived, what was lost and why.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Sample } from './families.ts';

export interface ExportReading {
  readonly exporter: string;
  readonly emitted: number;
  readonly delivered: number;
  readonly droppedBy: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly failures: number;
  readonly error?: string;
}

export interface ExportReadings {
  readonly exporters: readonly ExportReading[];
  readonly packetLog: {
    readonly lines: number;
    readonly suppressed: number;
    readonly exporters: readonly ExportReading[];
  };
}

/** Read at every scrape. */
export function addExportMetrics(registry: Registry, read: () => ExportReadings): void {
  const families = new ExportFamilies(registry);
  families.counters(
    'tortie_export_flows_total',
    'Flow logs by what became of them: emitted = delivered + dropped + those that wait',
    ['exporter', 'outcome'],
    () => read().exporters.flatMap(outcomes),
  );
  families.counters(
    'tortie_export_dropped_flows_total',
    'Flow logs that were not delivered and will not be, by reason',
    ['exporter', 'reason'],
    () =>
      read().exporters.flatMap(({ exporter, droppedBy }) =>
        Object.entries(droppedBy).map(([reason, count]) => [{ exporter, reason }, count] as const),
      ),
  );
  families.counters('tortie_export_failures_total', 'Sends that ended in an error', ['exporter'], () =>
    read().exporters.map(({ exporter, failures }) => [{ exporter }, failures] as const),
  );
  families.gauges('tortie_export_waiting_flows', 'Flow logs that wait, in memory and on disk', ['exporter'], () =>
    read().exporters.map(({ exporter, waiting }) => [{ exporter }, waiting] as const),
  );
  families.gauges('tortie_export_up', '1 while the receiver takes what it is sent', ['exporter'], () =>
    read().exporters.map(({ exporter, error }) => [{ exporter }, error === undefined ? 1 : 0] as const),
  );
  families.counters(
    'tortie_log_action_packets_total',
    'Packets that met a Log rule: logged, or left out because of its rate limit',
    ['outcome'],
    () => {
      const { lines, suppressed } = read().packetLog;
      return [
        [{ outcome: 'logged' }, lines],
        [{ outcome: 'suppressed' }, suppressed],
      ] as const;
    },
  );
}

function outcomes({ exporter, emitted, delivered, droppedBy }: ExportReading): Sample<'exporter' | 'outcome'>[] {
  const dropped = Object.values(droppedBy).reduce((sum, count) => sum + count, 0);
  return [
    [{ exporter, outcome: 'emitted' }, emitted],
    [{ exporter, outcome: 'delivered' }, delivered],
    [{ exporter, outcome: 'dropped' }, dropped],
  ];
}

/** Metrics that are put into a registry of others. */
class ExportFamilies {
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  gauges<L extends string>(name: string, help: string, labelNames: L[], read: () => Iterable<Sample<L>>): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }

  counters<L extends string>(name: string, help: string, labelNames: L[], read: () => Iterable<Sample<L>>): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }
}
