import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { NO_LOSS } from '../../../../src/observe/flows/flow-hub.ts';
import { addCaptureMetrics } from '../../../../src/observe/metrics/captures.ts';
import { addFlowLogMetrics } from '../../../../src/observe/metrics/flow-logs.ts';

it('says what no flow log tells of, and why', async () => {
  const registry = new Registry();
  const loss = { ...NO_LOSS, packetsLost: 2, eventsSuppressed: 3, recordsSampledOut: 4, packetsSampledOut: 50 };
  const leftOut = { 'slow-reader': 6, 'too-many-keys': 7 };
  const kept = { handedOver: 100, lost: 12, notWritten: 4, overflowed: 5, waiting: 8 };
  addFlowLogMetrics(registry, { lost: loss, leftOut, published: 90 }, () => kept);
  const text = await registry.metrics();
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="sampled"} 50');
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="ring"} 2');
  expect(text).toContain('tortie_flow_log_lost_packets_total{reason="suppressed"} 3');
  expect(text).toContain('tortie_flow_log_records_total 90');
  expect(text).toContain('tortie_flow_log_sampled_records_total 4');
  expect(text).toContain('tortie_flow_store_records_total{outcome="stored"} 96');
  expect(text).toContain('tortie_flow_store_records_total{outcome="too-many-keys"} 5');
  expect(text).toContain('tortie_flow_store_records_total{outcome="lost"} 7');
  expect(text).toContain('tortie_flow_store_waiting_records 8');
  expect(text).toContain('tortie_flow_stream_left_out_total{reason="slow-reader"} 6');
  expect(text).toContain('tortie_flow_stream_left_out_total{reason="too-many-keys"} 7');
});

it('says what became of packets that were to be captured', async () => {
  const registry = new Registry();
  addCaptureMetrics(registry, () => ({ captured: 9, suppressed: 2, lost: 3 }));
  const text = await registry.metrics();
  expect(text).toContain('tortie_captured_packets_total{outcome="captured"} 9');
  expect(text).toContain('tortie_captured_packets_total{outcome="suppressed"} 2');
  expect(text).toContain('tortie_captured_packets_total{outcome="lost"} 3');
});
