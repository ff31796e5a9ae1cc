import { describe, expect, it } from 'vitest';
import { type ProbeSample, summarize } from '../../../../src/observe/probe/report.ts';

describe('summarize', () => {
  it('says of each protocol how many were answered, and how fast', () => {
    const times = Array.from({ length: 100 }, (_, index) => index + 1);
    const samples: ProbeSample[] = [
      ...times.map((ms): ProbeSample => ({ protocol: 'TCP', result: 'ok', ms })),
      { protocol: 'UDP', result: 'timeout' },
      { protocol: 'UDP', result: 'ok', ms: 4 },
    ];
    expect(summarize(samples)).toEqual([
      {
        protocol: 'TCP',
        sent: 100,
        answered: 100,
        loss: 0,
        latency: { min: 1, p50: 50, p95: 95, p99: 99, max: 100 },
        results: { ok: 100 },
      },
      {
        protocol: 'UDP',
        sent: 2,
        answered: 1,
        loss: 0.5,
        latency: { min: 4, p50: 4, p95: 4, p99: 4, max: 4 },
        results: { ok: 1, timeout: 1 },
      },
    ]);
  });

  it('has no latency of what nobody answered', () => {
    expect(summarize([{ protocol: 'TCP', result: 'refused' }])[0]).toMatchObject({ latency: null, loss: 1 });
  });
});
