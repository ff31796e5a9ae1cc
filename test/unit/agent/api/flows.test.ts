import { type IncomingMessage, request } from 'node:http';
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
  readonly items: readonly (FlowLog & { readonly id: string })[];
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

  /** Without their ids. */
  const itemsOf = async (path: string): Promise<FlowLog[]> =>
    (await ask<FlowList>(path)).items.map(({ id: _, ...log }) => log);

  async function store(logs: readonly FlowLog[]): Promise<void> {
    agent.flows.hub.publish(logs);
    await expect.poll(() => agent.flows.store.status().handedOver, { timeout: 10_000 }).toBe(logs.length);
  }

  it('answers with the logs that a filter and a time let through', async () => {
    await store([flowLog(), denied]);
    expect(await itemsOf('/flows?sort=time')).toEqual([flowLog(), denied]);
    expect(await itemsOf('/flows?verdict=deny')).toEqual([denied]);
    expect(await itemsOf('/flows?toLabel=k8s.io/x&namespace=infra&namespace=other')).toEqual([denied]);
    expect(await itemsOf(`/flows?filter=${encodeURIComponent('port in {53, 80} and not protocol = tcp')}`)).toEqual([
      denied,
    ]);
    expect(await itemsOf(`/flows?until=${START + 1000}`)).toEqual([flowLog()]);
    expect(await itemsOf('/flows?last=1')).toEqual([denied]);
    expect(await itemsOf('/flows?since=1h')).toEqual([]);
    expect(await itemsOf('/flows?address=10.0.0.53/32&policy=deny-*')).toEqual([denied]);
  });

  it('has an id for each record, where a page that begins behind it goes on', async () => {
    await store([flowLog(), flowLog({ startTime: START + 1 }), denied]);
    const { items } = await ask<FlowList>('/flows?sort=time');
    expect(new Set(items.map(({ id }) => id)).size).toBe(3);
    expect(items[1]?.id).toMatch(new RegExp(`^${START + 1}\\.\\d+$`));
    expect((await ask<FlowList>(`/flows?sort=time&limit=1&continue=${items[0]?.id}`)).items).toEqual([items[1]]);
  });

  it('answers page by page', async () => {
    const logs = Array.from({ length: 25 }, (_, index) => flowLog({ startTime: START + index }));
    await store(logs);
    const seen: FlowLog[] = [];
    for (let from: string | undefined = ''; from !== undefined; ) {
      const page: FlowList = await ask(`/flows?limit=10&sort=time${from === '' ? '' : `&continue=${from}`}`);
      seen.push(...page.items.map(({ id: _, ...log }) => log));
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

  it('counts what it leaves out for somebody who reads too slowly', async () => {
    const response = await new Promise<IncomingMessage>((resolve) =>
      request({ socketPath: agent.options.socket, path: '/flows/stream' }, resolve).end(),
    );
    response.pause();
    await expect.poll(() => agent.flows.hub.hasListeners).toBe(true);
    const count = 20_000;
    for (let published = 0; published < count; published += 100) {
      agent.flows.hub.publish(Array.from({ length: 100 }, () => flowLog()));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { 'slow-reader': leftOut } = agent.flows.hub.leftOut;
    expect(leftOut).toBeGreaterThan(0);
    let text = '';
    response
      .setEncoding('utf8')
      .on('data', (part: string) => (text += part))
      .on('error', () => {})
      .resume();
    await expect.poll(() => text.split('\n').length - 1, { timeout: 10_000 }).toBe(count - leftOut);
    response.destroy();
  });

  it('follows what comes, and only what was asked for', async () => {
    const lines = followAgent(agent.options.socket, '/flows/stream', { verdict: 'deny' });
    const first = lines.next();
    const sent = setInterval(() => agent.flows.hub.publish([flowLog(), denied]), 20);
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
