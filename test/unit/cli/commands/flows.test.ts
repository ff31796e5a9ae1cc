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

describe('tortie drops', () => {
  it('refuses to ask for what the report of a packet does not say', async () => {
    const { code, output } = await runCommand(['drops', '--label', 'app=web', '--socket', agent.options.socket]);
    expect(code).toBe(2);
    expect(output).toContain('--label');
  });
});
