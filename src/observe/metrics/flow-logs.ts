// What flow logs do not tell of, so that a sum over them can be trusted, or not.
import type { Registry } from 'prom-client';
import type { FlowLoss } from '../flows/flow-hub.ts';
import { Families } from './families.ts';

/** Read at every scrape, in a registry of others. */
export function addFlowLogMetrics(registry: Registry, read: () => FlowLoss): void {
  new Families(registry, () => undefined).counters({
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
    tortie_flow_log_sampled_records_total: {
      help: 'Flow logs that were not made because more flows came than are told: where it grows, the agent samples',
      read: () => read().recordsSampledOut,
    },
  });
}
