// Packets that the programs were to hand over with their bytes, and what became of them.
import type { Registry } from 'prom-client';
import { Families } from './families.ts';

/** Since the maps are there. */
export interface CaptureReading {
  readonly captured: number;
  readonly suppressed: number;
  readonly lost: number;
}

/** Read at every scrape, in a registry of others. */
export function addCaptureMetrics(registry: Registry, read: () => CaptureReading): void {
  new Families(registry, () => undefined).counters({
    tortie_captured_packets_total: {
      help: 'Packets for captures: captured = handed over; suppressed = over the rate that was asked for; lost = the ring buffer, of 1 MiB, had no room',
      labels: ['outcome'],
      read: () => {
        const { captured, suppressed, lost } = read();
        return [
          ['captured', captured],
          ['suppressed', suppressed],
          ['lost', lost],
        ];
      },
    },
  });
}
