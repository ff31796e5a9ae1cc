// What flow logs do not tell of, so that a sum over them can be trusted, or not.
import type { Registry } from 'prom-client';
import type { FlowHub } from '../flows/flow-hub.ts';
import { Families } from './families.ts';

/** Of what keeps flows. */
export interface KeptReading {
  readonly handedOver: number;
  readonly lost: number;
  /** Handed over, and lost: the store could not write them. */
  readonly notWritten: number;
  readonly overflowed: number;
  readonly waiting: number;
}

/** Read at every scrape, in a registry of others. */
export function addFlowLogMetrics(
  registry: Registry,
  hub: Pick<FlowHub, 'lost' | 'leftOut' | 'published'>,
  readKept: () => KeptReading,
): void {
  const families = new Families(registry, () => undefined);
  const read = () => hub.lost;
  families.counters({
    tortie_flow_log_lost_packets_total: {
      help: 'Packets that no flow log tells of: sampled = more flows came than are told; ring = the ring buffer had no room, at most so many; suppressed = denied or dropped, and the rate limit told nothing of them',
      labels: ['reason'],
      read: () => {
        const { packetsSampledOut, packetsLost, eventsSuppressed } = read();
        return [
          ['sampled', packetsSampledOut],
          ['ring', packetsLost],
          ['suppressed', eventsSuppressed],
        ];
      },
    },
    tortie_flow_log_records_total: {
      help: 'Flow logs that were made',
      read: () => hub.published,
    },
    tortie_flow_log_sampled_records_total: {
      help: 'Reports of flows, and denied packets, that no flow log was made of because more flows came than are told: where it grows, the agent samples',
      read: () => read().recordsSampledOut,
    },
    tortie_flow_store_records_total: {
      help: 'Flow logs for the store, by what became of them: stored = it has written them, aggregates count as one; too-many-keys = more keys at a time than are put together; lost = no room while it was down or slow, or it could not write them',
      labels: ['outcome'],
      read: () => {
        const { handedOver, notWritten, lost, overflowed } = readKept();
        return [
          ['stored', handedOver - notWritten],
          ['too-many-keys', overflowed],
          ['lost', lost - overflowed],
        ];
      },
    },
    tortie_flow_stream_left_out_total: {
      help: 'Flow logs that did not go to somebody who follows them, tortie flows or Whisker: it read too slowly, or there were more keys at a time than are put together',
      labels: ['reason'],
      read: () => Object.entries(hub.leftOut),
    },
  });
  families.gauges({
    tortie_flow_store_waiting_records: {
      help: 'Flow logs that wait in memory for the store: what it has not taken yet, or while it is down',
      read: () => readKept().waiting,
    },
  });
}
