import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { type HitDetail, PolicyHits } from '../../../../src/observe/metrics/policy-hits.ts';

function setUp(detail: HitDetail, maxSeries?: number): { registry: Registry; hits: PolicyHits } {
  const registry = new Registry();
  return { registry, hits: new PolicyHits(registry, detail, maxSeries) };
}

const DENIED = {
  ingress: { verdict: 'deny', trace: ['0|security|gnp:base|pass|3', '1|default|np:shop/db|deny|-1'] },
} as const;

describe('PolicyHits', () => {
  it('counts each policy on the way by what it did', async () => {
    const { registry, hits } = setUp('policy');
    hits.note(DENIED);
    hits.note(DENIED);
    const text = await registry.metrics();
    expect(text).toContain(
      'tortie_policy_hits_total{tier="default",policy="np:shop/db",rule="",action="deny",direction="ingress"} 2',
    );
    expect(text).toContain('policy="gnp:base",rule="",action="pass",direction="ingress"} 2');
  });

  it('tells rules apart where that is asked for', async () => {
    const { registry, hits } = setUp('rule');
    hits.note(DENIED);
    expect(await registry.metrics()).toContain('policy="gnp:base",rule="3",action="pass"');
  });

  it('counts nothing unless asked', async () => {
    const { registry, hits } = setUp('off');
    hits.note(DENIED);
    expect(await registry.metrics()).not.toContain('tortie_policy_hits_total{');
  });

  it('has no more series than its bound, and loses no hit', async () => {
    const { registry, hits } = setUp('policy', 10);
    for (let index = 0; index < 1000; index += 1) {
      hits.note({ egress: { verdict: 'allow', trace: [`0|default|np:shop/p${index}|allow|0`] } });
    }
    const text = await registry.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith('tortie_policy_hits_total{'));
    expect(lines).toHaveLength(11);
    expect(text).toContain('policy="(other)",rule="",action="",direction=""} 990');
    expect(text).toContain('tortie_policy_hit_series 10');
  });

  it('escapes what names may not be made of', async () => {
    const { registry, hits } = setUp('policy');
    hits.note({ egress: { verdict: 'allow', trace: ['0|default|np:a/"x\n|allow|0', 'nonsense'] } });
    expect(await registry.metrics()).toContain(String.raw`policy="np:a/\"x\n"`);
  });
});
