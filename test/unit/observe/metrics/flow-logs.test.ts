import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { NO_LOSS } from '../../../../src/observe/flows/flow-hub.ts';
import { addFlowLogMetrics } from '../../../../src/observe/metrics/flow-logs.ts';

it('says what no flow log tells of, and why', async () => {
  const registry = new Registry();
  const loss = { ...NO_LOSS, packetsLost: 2, eventsSuppressed: 3, recordsSampledOut: 4, packetsSampledOut: 50 };
  addFlowLogMetrics(registry, () => loss);
  const text = await registry.metrics();
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="sampled"} 50');
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="ring"} 2');
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="suppressed"} 3');
  expect(text).toContain('tortie_flow_log_sampled_records_total 4');
});
