import { describe, expect, it } from 'vitest';
import { createMetrics, type MetricsSource } from '../../../src/observe/metrics.ts';

describe('createMetrics', () => {
  it('counts up to what the kernel counted, however often it is scraped', async () => {
    let packets = 5n;
    const source: MetricsSource = {
      counters: () => new Map([['allowed_new', { packets, bytes: 60n * packets }]]),
      flows: () => [{ protocol: 'tcp', state: 'established', flows: 3 }],
      generation: () => 7,
      isInSync: () => true,
      isLoading: () => false,
      endpointStates: () => new Map([['ready', 2]]),
    };
    const metrics = createMetrics(source);
    expect(await metrics.metrics()).toContain('tortie_packets_total{reason="allowed_new"} 5');
    packets = 8n;
    const text = await metrics.metrics();
    expect(text).toContain('tortie_packets_total{reason="allowed_new"} 8');
    expect(text).toContain('tortie_bytes_total{reason="allowed_new"} 480');
    expect(text).toContain('tortie_flows{protocol="tcp",state="established"} 3');
    expect(text).toContain('tortie_policy_generation 7');
    expect(text).toContain('tortie_in_sync 1');
    expect(text).toContain('tortie_endpoints{state="ready"} 2');
  });
});
