import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followAgent, sendToAgent } from '../../../../src/cli/agent-client.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const denied = flowLog({
  action: 'deny',
  startTime: START + 1000,
  reason: 'drop_ingress_policy',
  enforced: ['0|security|gnp:deny-all|deny|3'],
  destination: flowEnd({
    namespace: 'infra',
    name: 'dns-1',
    aggregatedName: 'dns-*',
    address: '10.0.0.53',
    port: 53,
    labels: { app: 'dns', 'k8s.io/x': '=cmd()' },
  }),
  protocol: 'UDP',
});

interface FlowList {
  readonly items: readonly FlowLog[];
  readonly metadata: { readonly continue?: string };
}

describe('flows of the API', () => {
  let agent: KernelLessAgent;

  beforeEach(async () => {
    agent = await KernelLessAgent.start();
  });

  afterEach(async () => {
    await agent.end();
  });

  const ask = async <T>(path: string): Promise<T> =>
    (await sendToAgent<T>(agent.options.socket, { method: 'GET', path })).body;

  async function store(logs: readonly FlowLog[]): Promise<void> {
    agent.flowHub.publish(logs);
    await expect.poll(() => agent.flowStore.status().handedOver, { timeout: 10_000 }).toBe(logs.length);
  }

  it('answers with the logs that a filter and a time let through', async () => {
    await store([flowLog(), denied]);
    expect((await ask<FlowList>('/flows?sort=time')).items).toEqual([flowLog(), denied]);
    expect((await ask<FlowList>('/flows?verdict=deny')).items).toEqual([denied]);
    expect((await ask<FlowList>('/flows?toLabel=k8s.io/x&namespace=infra&namespace=other')).items).toEqual([denied]);
    expect(
      (await ask<FlowList>(`/flows?filter=${encodeURIComponent('port in {53, 80} and not protocol = tcp')}`)).items,
    ).toEqual([denied]);
    expect((await ask<FlowList>(`/flows?until=${START + 1000}`)).items).toEqual([flowLog()]);
    expect((await ask<FlowList>('/flows?last=1')).items).toEqual([denied]);
    expect((await ask<FlowList>('/flows?since=1h')).items).toEqual([]);
    expect((await ask<FlowList>('/flows?address=10.0.0.53/32&policy=deny-*')).items).toEqual([denied]);
  });

  it('answers page by page', async () => {
    const logs = Array.from({ length: 25 }, (_, index) => flowLog({ startTime: START + index }));
    await store(logs);
    const seen: FlowLog[] = [];
    for (let from: string | undefined = ''; from !== undefined; ) {
      const page: FlowList = await ask(`/flows?limit=10&sort=time${from === '' ? '' : `&continue=${from}`}`);
      seen.push(...page.items);
      from = page.metadata.continue;
    }
    expect(seen).toEqual(logs);
  });

  it('sums flows up, and draws who speaks to whom', async () => {
    await store([flowLog(), denied, denied]);
    expect(await ask('/flows/top?by=port&measure=denied')).toMatchObject({
      by: 'port',
      items: [
        { protocol: 'UDP', port: 53, packets: 36, denied: 36 },
        { protocol: 'TCP', port: 5432, bytes: 1800, packets: 18, flows: 1, denied: 0 },
      ],
    });
    expect(await ask('/flows/top?by=policy')).toMatchObject({
      items: [{ policy: 'security|gnp:deny-all|deny|3' }, { policy: 'default|np:shop/allow-web|allow|0' }],
    });
    expect(await ask('/flows/graph')).toMatchObject({
      nodes: [
        { name: 'shop/web-5d4f-*', type: 'wep' },
        { name: 'infra/dns-*', type: 'wep' },
        { name: 'shop/db-*', type: 'wep' },
      ],
      edges: [
        { source: 'shop/web-5d4f-*', destination: 'infra/dns-*', protocol: 'UDP', port: 53, denied: 36 },
        { source: 'shop/web-5d4f-*', destination: 'shop/db-*', protocol: 'TCP', port: 5432, denied: 0 },
      ],
    });
    expect(await ask('/flows/store')).toMatchObject({ mode: 'all', handedOver: 3, lost: 0, store: { records: 3 } });
  });

  it('follows what comes, and only what was asked for', async () => {
    const lines = followAgent(agent.options.socket, '/flows/stream', { verdict: 'deny' });
    const first = lines.next();
    const sent = setInterval(() => agent.flowHub.publish([flowLog(), denied]), 20);
    try {
      expect(JSON.parse((await first).value as string)).toEqual(denied);
      expect(JSON.parse((await lines.next()).value as string)).toEqual(denied);
    } finally {
      clearInterval(sent);
      await lines.return();
    }
  });

  it.each([
    ['/flows?filter=prot%20%3D%20tcp', 'INVALID_FILTER', 'column 1', 'did you mean'],
    ['/flows?verdict=maybe', 'INVALID_FILTER', 'verdict', 'allow or deny'],
    ['/flows?since=yesterday', 'INVALID_REQUEST', 'since', 'so long ago'],
    ['/flows?limit=0', 'INVALID_REQUEST', 'limit', 'from 1'],
    ['/flows?continue=1', 'INVALID_REQUEST', 'continue', 'the page before'],
    ['/flows?verdikt=deny', 'INVALID_REQUEST', 'verdikt', 'verdict'],
    ['/flows/top?by=colour', 'INVALID_REQUEST', 'by', 'pair'],
  ])('refuses %s and says why', async (path, code, what, hint) => {
    const failure: unknown = await ask(path).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(what);
    expect(String(failure)).toContain(hint);
  });

  it('says that nothing is stored when that is so', async () => {
    const other = await KernelLessAgent.start({ flowStore: 'off' });
    try {
      const asked = sendToAgent(other.options.socket, { method: 'GET', path: '/flows' });
      await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('flowStore') });
    } finally {
      await other.end();
    }
  });
});
