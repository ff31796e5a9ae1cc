// What `tortie flows` and `tortie drops` print, against an agent without a kernel.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { feedFlows } from '../../../../src/analysis/flow-logs/feed.ts';
import type { RecordedFlow } from '../../../../src/analysis/flow-logs/recorded-flow.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';
import { runCommand } from '../../../support/run-command.ts';

const hostile = flowEnd({
  namespace: 'infra',
  name: 'dns\u001b[2J-1',
  aggregatedName: 'dns-*',
  address: '10.0.0.53',
  port: 53,
  labels: { app: '=HYPERLINK("http://x")', note: 'a,"b"\r\nc\u202e' },
});
const denied = flowLog({
  action: 'deny',
  startTime: START + 1000,
  reason: 'drop_ingress_policy',
  enforced: ['0|security|gnp:deny-all|deny|3'],
  pending: ['0|security|sgnp:new-rules|allow|0'],
  source: flowEnd({ port: 40_000 }),
  destination: hostile,
  protocol: 'UDP',
});
const allowed = flowLog({ source: flowEnd({ port: 40_001 }), tcpFlags: 2 });
const SINCE = ['--since', '2025-12-31'];

let agent: KernelLessAgent;

beforeEach(async () => {
  agent = await KernelLessAgent.start();
});

afterEach(async () => {
  await agent.end();
});

const flows = (...words: string[]) => runCommand(['flows', ...words, '--socket', agent.options.socket]);

async function store(logs: readonly FlowLog[]): Promise<void> {
  agent.flows.hub.publish(logs);
  await expect.poll(() => agent.flows.store.status().handedOver, { timeout: 10_000 }).toBe(logs.length);
}

async function recordsIn(text: string): Promise<RecordedFlow[]> {
  const found: RecordedFlow[] = [];
  const pieces = (async function* () {
    yield new TextEncoder().encode(text);
  })();
  const sink = {
    flow: (flow: RecordedFlow) => void found.push(flow),
    skip: (why: string) => expect.fail(why),
    bad: (place: string, why: string) => expect.fail(`${place}: ${why}`),
  };
  await feedFlows(pieces, { format: 'auto', decode: (piece) => new TextDecoder().decode(piece) }, sink);
  return found;
}

describe('tortie flows', () => {
  it('shows the newest, with the rule that decided and what staged policies would do', async () => {
    await store([allowed, denied]);
    const { answer, code } = await flows();
    expect(code).toBe(0);
    const [header, first, second] = answer.split('\n');
    expect(header).toMatch(/^TIME +VERDICT +BY +PROTO +SOURCE +DESTINATION +BYTES +PACKETS +FLOWS +RULE$/);
    expect(first).toMatch(
      /^2026-01-01 00:00:00\.000 +allow +dst +TCP +shop\/web-5d4f-x7k2p:40001 +shop\/db-0:5432 +1\.8 kB +18 +1 +default np:shop\/allow-web rule 0$/,
    );
    expect(second).toMatch(
      /deny +dst +UDP .* security gnp:deny-all rule 3 \(drop_ingress_policy\) \[staged: allow by security sgnp:new-rules rule 0\]$/,
    );
    expect((await flows('--last', '1', '-o', 'json')).answer).toContain('"deny"');
    expect((await flows('--last', '1', '--sort', 'bytes', '--verdict', 'allow', '-o', 'json')).answer).toContain(
      '"allow"',
    );
  });

  it('leaves nothing in its output that a terminal or a spreadsheet would act on', async () => {
    await store([denied]);
    for (const output of ['table', 'json', 'jsonpb', 'csv']) {
      const { answer } = await flows('-o', output);
      expect(answer.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    const { answer } = await flows('-o', 'csv');
    const [header = '', row = ''] = answer.split('\n');
    expect(header.split(',').length).toBe(35);
    expect(row).toContain('"app==HYPERLINK(""http://x"") note=a,""b""\\u000d\\u000ac\\u202e"');
    const formula = { ...denied, reason: '=cmd|calc', node: '@x' };
    await agent.end();
    agent = await KernelLessAgent.start();
    await store([formula]);
    expect((await flows('-o', 'csv')).answer).toContain(",'@x,dst,deny,'=cmd|calc,");
  });

  it("writes json that simulate and recommend read, and jsonpb that is hubble's", async () => {
    await store([allowed, denied]);
    const plain = await recordsIn((await flows('-o', 'json', ...SINCE)).answer);
    expect(plain.length).toBe(2);
    expect(plain[0]).toMatchObject({ verdict: 'allow', destinationPort: 5432, sourcePort: 40_001, protocol: 6 });
    const hubble = await recordsIn((await flows('-o', 'jsonpb', ...SINCE)).answer);
    expect(hubble.length).toBe(2);
    for (const [index, flow] of hubble.entries()) {
      const { source, destination, protocol, sourcePort, destinationPort, verdict } = plain[index] as RecordedFlow;
      expect(flow).toMatchObject({ source, destination, protocol, sourcePort, destinationPort, verdict });
    }
    const [first] = (await flows('-o', 'jsonpb', '--verdict', 'allow')).answer.split('\n');
    expect(JSON.parse(first as string)).toMatchObject({
      node_name: 'node-1',
      flow: {
        verdict: 'FORWARDED',
        IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
        l4: { TCP: { source_port: 40_001, destination_port: 5432, flags: { SYN: true } } },
        source: { namespace: 'shop', pod_name: 'web-5d4f-x7k2p', labels: ['k8s:app=web'] },
        traffic_direction: 'INGRESS',
        ingress_allowed_by: [{ name: 'allow-web', namespace: 'shop' }],
      },
    });
  });

  it('gives all pages of a time', async () => {
    await store(Array.from({ length: 2100 }, (_, index) => flowLog({ startTime: START + index })));
    const lines = (await flows('-o', 'json', ...SINCE)).answer.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as FlowLog).startTime)).toEqual(
      Array.from({ length: 2100 }, (_, index) => START + index),
    );
  }, 30_000);

  it('sums up', async () => {
    await store([allowed, denied]);
    expect((await flows('top', ...SINCE)).output).toMatch(
      /^BYTES +PACKETS +FLOWS +DENIED +SOURCE +DESTINATION\n1\.8 kB +18 +1 +18 +shop\/web-5d4f-\* +infra\/dns-\*\n/,
    );
    expect((await flows('top', '--by', 'reason', ...SINCE, '-o', 'csv')).answer).toBe(
      'reason,bytes,packets,flows,denied\ndrop_ingress_policy,1800,18,1,18\n',
    );
    expect((await flows('top', '--by', 'policy', '--verdict', 'deny', ...SINCE)).answer).toContain(
      'security|gnp:deny-all|deny|3',
    );
  });

  it('draws who speaks to whom', async () => {
    await store([
      allowed,
      { ...denied, source: flowEnd({ name: 'a"b<c>', aggregatedName: 'a"b<c>' }) },
      // A circle, and one that speaks to itself.
      flowLog({ source: flowLog().destination, destination: flowEnd({ port: 80 }) }),
      flowLog({ destination: flowEnd({ port: 8080 }) }),
    ]);
    const dot = (await flows('graph', ...SINCE)).answer;
    expect(dot).toContain('"shop/web-5d4f-*" -> "shop/db-*" [label="TCP 5432 (1.8 kB)"');
    expect(dot).toContain('"shop/a\\"b<c>" -> "infra/dns-*" [label="UDP 53 (1.8 kB, 18 denied)"');
    const svg = (await flows('graph', ...SINCE, '-o', 'svg')).answer;
    expect(svg).toContain('shop/a&#34;b&#60;c&#62;');
    expect(svg.match(/<path d="M[^"]+" fill="none"/g)?.length).toBe(4);
    expect(svg).not.toMatch(/NaN|undefined/);
    expect(JSON.parse((await flows('graph', ...SINCE, '-o', 'json')).answer)).toMatchObject({
      edges: [{}, {}, {}, {}],
    });
    expect((await flows('graph', '-o', 'svg')).answer).toContain('no flows');
  });

  it('refuses a filter before it asks, with position and hint', async () => {
    const bad = await flows('--filter', 'from = a and prot = 6');
    expect(bad.code).toBe(1);
    expect(bad.output).toContain(
      'INVALID_FILTER: parse filter: does not parse at column 14 of "from = a and prot = 6": found "prot"',
    );
    expect((await flows('--port', '70000')).output).toContain('INVALID_FILTER: parse filter: port: invalid value');
    expect((await flows('--since', 'then')).code).toBe(2);
  });
});

describe('tortie flows of a store of aggregates', () => {
  beforeEach(async () => {
    await agent.end();
    agent = await KernelLessAgent.start({ flowStore: 'aggregated' });
    await store([allowed]);
  });

  it('finds a pod by the name that kubectl shows', async () => {
    const json = async (...words: string[]) => (await flows(...SINCE, '-o', 'json', ...words)).answer;
    const [all] = (await json()).split('\n');
    expect(JSON.parse(all as string)).toMatchObject({ source: { name: 'web-5d4f-*' } });
    expect(await json('--from', 'shop/web-5d4f-x7k2p')).toContain('web-5d4f-*');
    expect(await json('--filter', 'from = web-5d4f-abcde and to.name = db-0')).toContain('web-5d4f-*');
    for (const other of ['shop/web-5d4f', 'shop/web-x7k2p', 'shop/db-0', 'infra/web-5d4f-x7k2p'])
      expect(await json('--from', other)).toBe('');
    expect((await flows('top', ...SINCE, '--from', 'shop/web-5d4f-x7k2p')).output).toContain('1.8 kB');
  });

  it.each([
    [['--address', '10.0.0.1'], 'no address'],
    [['--filter', 'from.port = 40001 or not state = new'], 'no source port and no state'],
    [['top', '--from-address', '10.0.0.0/8'], 'no address'],
    [['graph', '--filter', 'state = new'], 'no state'],
  ])('says that they have not what %j asks for', async (words, what) => {
    const { output, answer, code } = await flows(...words);
    expect(code).toBe(0);
    expect(output).toContain(`warning: the store has aggregates (flowStore), which have ${what}: `);
    expect(answer).not.toContain('warning');
  });

  it('says nothing where they have it, or every record is stored', async () => {
    expect((await flows('--port', '5432', '--from', 'shop/')).output).not.toContain('warning');
    await agent.end();
    agent = await KernelLessAgent.start();
    expect((await flows('--address', '10.0.0.1')).output).not.toContain('warning');
  });
});

describe('tortie flows --since --follow', () => {
  const recent = (port: number): FlowLog =>
    flowLog({ startTime: Date.now() - 1000, endTime: Date.now(), source: flowEnd({ port }) });

  /** What the command prints until the agent ends, which it does once all of this is there. */
  async function followed(...wanted: readonly string[]) {
    const result = runCommand(
      ['flows', '--follow', '--since', '1m', '-o', 'json', '--socket', agent.options.socket],
      (soFar) => {
        if (!wanted.every((text) => soFar.includes(text))) return;
        void ended.then(() => agent.stop());
        finish();
      },
    );
    const { output, answer } = await result;
    const lines = answer.split('\n').filter((line) => line !== '');
    return { output, ports: lines.map((line) => (JSON.parse(line) as FlowLog).source.port) };
  }

  let finish: () => void = () => undefined;
  let ended: Promise<void> = Promise.resolve();

  beforeEach(() => {
    ended = new Promise((resolve) => {
      // What would be shown a second time has a moment to come.
      finish = () => setTimeout(resolve, 500);
    });
  });

  /** Does something before, and after, the store answers for the first time. */
  function aroundFirstPage(before: () => Promise<void>, after: () => void): void {
    const client = agent.flows.store.store;
    const list = client.list.bind(client);
    client.list = async (question) => {
      client.list = list;
      await before();
      const found = await list(question);
      after();
      return found;
    };
  }

  it('misses nothing between what is stored and what comes', async () => {
    await store([recent(1)]);
    agent.flows.hub.publish([recent(2)]);
    aroundFirstPage(
      async () => undefined,
      () => agent.flows.hub.publish([recent(3)]),
    );
    const { ports } = await followed('"port":1,', '"port":2,', '"port":3,');
    expect(ports).toEqual([1, 2, 3]);
  });

  it('shows once what is stored while it comes', async () => {
    await store([recent(1)]);
    aroundFirstPage(
      async () => {
        agent.flows.hub.publish([recent(2)]);
        await expect.poll(() => agent.flows.store.status().handedOver, { timeout: 10_000 }).toBe(2);
      },
      () => agent.flows.hub.publish([recent(3)]),
    );
    const { ports } = await followed('"port":1,', '"port":2,', '"port":3,');
    expect(ports).toEqual([1, 2, 3]);
  });

  it('says what aggregates leave out', async () => {
    await agent.end();
    agent = await KernelLessAgent.start({ flowStore: 'aggregated' });
    aroundFirstPage(
      async () => undefined,
      () => agent.flows.hub.publish([recent(3)]),
    );
    const { output, ports } = await followed('"port":3,');
    expect(ports).toEqual([3]);
    expect(output).toContain(
      'warning: the store puts flows of 15 seconds together (flowStore): some of the last 20 seconds',
    );
  });
});

describe('tortie drops', () => {
  it('refuses to ask for what the report of a packet does not say', async () => {
    const { code, output } = await runCommand(['drops', '--label', 'app=web', '--socket', agent.options.socket]);
    expect(code).toBe(2);
    expect(output).toContain('--label');
  });
});
