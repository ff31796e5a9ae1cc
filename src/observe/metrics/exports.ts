// Deliveries to others, exporter by exporter: what was given, what arrived, what was lost and why.
import type { Registry } from 'prom-client';
import { Families, type Sample } from './families.ts';

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

/** Read at every scrape, in a registry of others. */
export function addExportMetrics(registry: Registry, read: () => ExportReadings): void {
  const families = new Families(registry, () => undefined);
  const each = (sampleOf: (one: ExportReading) => readonly Sample[]) => (): Sample[] =>
    read().exporters.flatMap((one) => sampleOf(one).map((rest): Sample => [one.exporter, ...rest]));
  families.counters({
    tortie_export_flows_total: {
      help: 'Flow logs by what became of them: emitted = delivered + dropped + those that wait',
      labels: ['exporter', 'outcome'],
      read: each(outcomes),
    },
    tortie_export_dropped_flows_total: {
      help: 'Flow logs that were not delivered and will not be, by reason: too-many-keys = records before they are put together, the others are counted as they are sent',
      labels: ['exporter', 'reason'],
      read: each(({ droppedBy }) => Object.entries(droppedBy)),
    },
    tortie_export_failures_total: {
      help: 'Sends that ended in an error',
      labels: ['exporter'],
      read: each(({ failures }) => [[failures]]),
    },
    tortie_log_action_packets_total: {
      help: 'Packets that met a Log rule: logged, or left out because of its rate limit',
      labels: ['outcome'],
      read: () => {
        const { lines, suppressed } = read().packetLog;
        return [
          ['logged', lines],
          ['suppressed', suppressed],
        ];
      },
    },
  });
  families.gauges({
    tortie_export_waiting_flows: {
      help: 'Flow logs that wait, in memory and on disk',
      labels: ['exporter'],
      read: each(({ waiting }) => [[waiting]]),
    },
    tortie_export_up: {
      help: '1 while the receiver takes what it is sent',
      labels: ['exporter'],
      read: each(({ error }) => [[error === undefined ? 1 : 0]]),
    },
  });
}

function outcomes({ emitted, delivered, droppedBy }: ExportReading): readonly Sample[] {
  const dropped = Object.values(droppedBy).reduce((sum, count) => sum + count, 0);
  return [
    ['emitted', emitted],
    ['delivered', delivered],
    ['dropped', dropped],
  ];
}
