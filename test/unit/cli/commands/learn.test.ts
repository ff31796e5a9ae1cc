// From flows to policy and back: recommend, staged, why and the traffic of a revision, against an agent that stores flows.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { NO_LOSS } from '../../../../src/observe/flows/flow-hub.ts';
import type { FlowEnd, FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { judgedLogs } from '../../../support/recommend/judged-logs.ts';
import { type FlowRecord, SHOP } from '../../../support/recommend/shop.ts';

let tortie: AgentCommands;
let stored = 0;

const WEB_TO_API: FlowRecord = { src: '10.65.0.10', dst: '10.65.0.20', protocol: 'TCP', dstPort: 9000 };
const WEB_TO_DNS: FlowRecord = { src: '10.65.0.10', dst: '10.65.9.53', protocol: 'UDP', dstPort: 53 };
const API_TO_DB: FlowRecord = { src: '10.65.0.20', dst: '10.65.0.30', protocol: 'TCP', dstPort: 5432 };
const WEB_TO_DB: FlowRecord = { ...API_TO_DB, src: '10.65.0.10' };
const USER_TO_WEB: FlowRecord = { src: '198.51.100.7', dst: '10.65.0.10', protocol: 'TCP', dstPort: 443 };
const NO_STORE = { flowStore: 'off', flowStoreDays: 7, flowStoreBytes: 2 ** 30 } as const;
const USUAL = [WEB_TO_API, WEB_TO_DNS, API_TO_DB, USER_TO_WEB];

beforeEach(async () => {
  tortie = await AgentCommands.start({ manifests: { 'shop.yaml': SHOP } });
  stored = 0;
});

afterEach(() => tortie.end());

/** Judged by what the agent has in force now; resolves when the store has them. */
async function send(...flows: readonly FlowRecord[]): Promise<void> {
  const logs = flows.flatMap((flow) => judgedLogs(tortie.agent.world, flow, Date.now()));
  tortie.agent.flows.hub.publish(logs);
  stored += logs.length;
  await expect
    .poll(() => tortie.agent.flows.store.status().handedOver, { timeout: 20_000, interval: 200 })
    .toBe(stored);
}

async function stage(): Promise<string> {
  await send(...USUAL);
  const yaml = await tortie.answer('recommend', '--namespace', 'shop', '--since', '1h');
  await tortie.answer('apply', '-f', tortie.file('staged.yaml', yaml));
  return yaml;
}

describe('tortie recommend', () => {
  it('makes staged policies of what the store has, with the proof, and the agent takes them', async () => {
    const yaml = await stage();
    expect(yaml.split('\n').slice(0, 3)).toEqual([
      '# Recommended from the store of the agent, 7 records.',
      '# 3 policies with 6 rules for 4 flows of 4 kinds.',
      expect.stringMatching(/^# proof: 4 different flows judged again, 0 denied; \d+ flows .* \d+ denied\.$/),
    ]);
    expect(yaml).toContain('# DNS: kube-system/kube-dns. Seen: 1 flow, last 20');
    const list = JSON.parse(await tortie.answer('staged', 'list', '-o', 'json')) as { metadata: { name: string } }[];
    expect(list.map(({ metadata }) => metadata.name).sort()).toEqual([
      'recommended-api',
      'recommended-db',
      'recommended-web',
    ]);
  }, 60_000);

  it('makes global policies for endpoints of hosts, which the agent takes', async () => {
    const host = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'HostEndpoint',
      metadata: { name: 'n1', labels: { role: 'worker' } },
      spec: { node: 'n1', interfaceName: 'eth0', expectedIPs: ['192.0.2.21'] },
    };
    await tortie.answer('apply', '-f', tortie.file('host.yaml', host));
    const seen = { src: '10.65.0.10', dst: '192.0.2.21', protocol: 'TCP', dstPort: 9100 };
    const file = tortie.file('flows.json', JSON.stringify(seen));
    const yaml = await tortie.answer('recommend', '--host-endpoint', 'n1', '--from-file', file);
    expect(yaml).toContain('kind: StagedGlobalNetworkPolicy');
    expect(yaml).toContain('1 different flow judged again, 0 denied');
    expect(await tortie.answer('apply', '-f', tortie.file('staged.yaml', yaml))).toContain('recommended-n1');
  }, 60_000);

  it('learns from files too, and refuses to learn from nothing', async () => {
    const file = tortie.file('flows.json', USUAL.map((flow) => JSON.stringify(flow)).join('\n'));
    const words = ['recommend', '--endpoint', 'shop/db-0', '--from-file', file, '-o', 'json'] as const;
    const answer = JSON.parse(await tortie.answer(...words)) as Record<string, unknown>;
    expect(answer).toMatchObject({
      policies: [{ name: 'recommended-db', rules: 1 }],
      proof: { replay: { denied: 0 } },
    });
    const none = await tortie.run('recommend', '--namespace', 'shop', '--from-file', tortie.file('none.json', ''));
    expect(none.output).toMatch(/^NOT_FOUND: .*no flows to learn from/);
    expect((await tortie.run('recommend')).code).toBe(2);
  }, 60_000);
});

describe('tortie staged', () => {
  it('reports by pair what would be denied, since when, with a sample', async () => {
    await stage();
    await send(...USUAL, WEB_TO_DB, WEB_TO_DB);
    const { code, answer } = await tortie.run('staged', 'report', '-o', 'json');
    expect(code).toBe(1);
    const { rows, policies, totals } = JSON.parse(answer) as Record<string, unknown[]>;
    expect(totals).toMatchObject({ wouldDeny: 4, wouldAllow: 0 });
    expect(rows).toMatchObject([
      {
        policy: 'snp:shop/recommended-db',
        direction: 'ingress',
        source: 'shop/web-7d9-*',
        service: 'TCP 5432',
        flows: 2,
      },
      { policy: 'snp:shop/recommended-web', direction: 'egress', sample: { src: '10.65.0.10', dst: '10.65.0.30' } },
    ]);
    expect(policies).toMatchObject([{ same: 2 }, { same: 1, wouldDeny: 2 }, { same: 3, wouldDeny: 2 }]);
    const one = JSON.parse(
      (await tortie.run('staged', 'report', 'recommended-db', '-o', 'json')).answer,
    ) as typeof rows;
    expect(one).toMatchObject({ totals: { wouldDeny: 2 } });
    expect((await tortie.run('staged', 'report', 'recommended-bd')).output).toContain('did you mean');
  }, 60_000);

  it('previews staged policies, and deletions, on flows that were seen', async () => {
    await stage();
    await send(WEB_TO_DB);
    const { code, answer } = await tortie.run('staged', 'preview', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(answer)).toMatchObject({ totals: { changed: 1, unchanged: 4 } });
    await tortie.answer('staged', 'promote', 'shop/recommended-db');
    const deletion = await tortie.run('staged', 'preview', '--delete', 'np/shop/recommended-db', '-o', 'json');
    expect(JSON.parse(deletion.answer)).toMatchObject({ totals: { changed: 1 } });
  }, 60_000);

  it('takes a promotion back when flows are denied that were not before', async () => {
    await stage();
    const promotion = tortie.follow('staged', 'promote', 'shop/recommended-db', '--watch', '20s', '--poll', '1s');
    await promotion.said('in force as revision');
    await send(WEB_TO_DB);
    await expect(promotion.answer).rejects.toThrow(/taken back: 1 flows/);
    expect(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')).not.toContain('recommended-db');
    expect(await tortie.answer('staged', 'list')).toContain('recommended-db');
  }, 60_000);

  it('takes it back with the store as it was, however many changes of files have come since', async () => {
    await stage();
    const promotion = tortie.follow('staged', 'promote', 'shop/recommended-db', '--watch', '100s', '--poll', '1s');
    await promotion.said('in force as revision');
    const head = { time: new Date().toISOString(), who: { kind: 'file' }, from: {}, verb: 'edit' } as const;
    const id = 'Tier//of-a-file';
    for (let line = 1; line <= 120; line += 1) {
      const manifest = { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name: 'of-a-file' } };
      const after = { id, manifest, location: { file: 'tier.yaml', line } };
      await tortie.agent.stored.desk.record(() => ({ ...head, changes: [{ id, after }] }));
    }
    await send(WEB_TO_DB);
    await expect(promotion.answer).rejects.toThrow(/taken back: 1 flows/);
    await expect(promotion.answer).rejects.not.toThrow(/others have changed the store/);
    const [{ verb }] = JSON.parse(await tortie.answer('history', '--limit', '1', '-o', 'json')) as [{ verb: string }];
    expect(verb).toBe('rollback');
  }, 120_000);

  it('takes back what it put in force alone when others have changed the store since', async () => {
    await stage();
    const promotion = tortie.follow('staged', 'promote', 'shop/recommended-db', '--watch', '100s', '--poll', '1s');
    await promotion.said('in force as revision');
    const other = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'of-others' },
      spec: { order: 7 },
    };
    await new ResourceClient(tortie.agent.options.socket).applyAll(JSON.stringify(other));
    await send(WEB_TO_DB);
    await expect(promotion.answer).rejects.toThrow(/taken back: 1 flows/);
    expect(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')).not.toContain('recommended-db');
    expect(await tortie.answer('get', 'tier', '-o', 'json')).toContain('of-others');
  }, 120_000);

  it('keeps a promotion that denies nothing new, and what was staged goes', async () => {
    await stage();
    const promotion = tortie.follow('staged', 'promote', 'shop/recommended-db', '--watch', '3s', '--poll', '1s');
    await promotion.said('in force as revision');
    await send(...USUAL);
    expect(await promotion.answer).toContain('kept: 0 flows');
    expect(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')).toContain('recommended-db');
    expect(await tortie.answer('staged', 'list')).not.toContain('recommended-db');
  }, 60_000);

  it('promotes nothing under a watch that would see nothing', async () => {
    await stage();
    tortie.agent.isTelling = false;
    const watched = await tortie.run('staged', 'promote', 'shop/recommended-db', '--watch', '3s');
    expect(watched.code).toBe(2);
    expect(watched.output).toMatch(/^USAGE: .*--watch: the agent would not see what is denied: found flowLogs is off/);
    expect(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')).not.toContain('recommended-db');
    // Without a watch nobody looks.
    await tortie.answer('staged', 'promote', 'shop/recommended-db');
  }, 60_000);

  it.each<[string, () => void, RegExp]>([
    [
      'packets are above the event budget',
      () => tortie.agent.flows.hub.countLossBy(() => ({ ...NO_LOSS, eventsSuppressed: 3 })),
      /3 denied, dropped or logged packets above the event budget/,
    ],
    [
      'flow logs are turned off',
      () => {
        tortie.agent.isTelling = false;
      },
      /flowLogs is off/,
    ],
    ['flows are not kept any more', () => void tortie.agent.flows.store.configure(NO_STORE), /flowStore is off/],
  ])(
    'takes a promotion back when, under the watch, %s',
    async (_, happen, why) => {
      await stage();
      const promotion = tortie.follow('staged', 'promote', 'shop/recommended-db', '--watch', '20s', '--poll', '1s');
      await promotion.said('in force as revision');
      happen();
      await expect(promotion.answer).rejects.toThrow(why);
      await expect(promotion.answer).rejects.toThrow(/exit code 1: [\s\S]*taken back: 0 flows/);
      expect(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')).not.toContain('recommended-db');
    },
    60_000,
  );
});

describe('tortie history --traffic', () => {
  it('counts what a change affected, before and after', async () => {
    await stage();
    await send(API_TO_DB, WEB_TO_DB);
    await tortie.answer('staged', 'promote', 'shop/recommended-db', '--keep-staged');
    const [{ revision }] = JSON.parse(await tortie.answer('history', '--limit', '1', '-o', 'json')) as [
      { revision: number },
    ];
    await send(API_TO_DB, WEB_TO_DB, WEB_TO_DB);
    const answer = JSON.parse(await tortie.answer('history', String(revision), '--traffic', '-o', 'json')) as object;
    expect(answer).toMatchObject({
      policies: [
        {
          policy: 'np:shop/recommended-db',
          before: { allowed: { flows: 0 } },
          after: { allowed: { flows: 1 }, denied: { flows: 2 } },
        },
      ],
      turned: [{ source: 'shop/web-7d9-*', destination: 'shop/db-*', from: 'allow', to: 'deny', flows: 2 }],
    });
    expect(await tortie.answer('history', String(revision), '--traffic')).toContain('allow -> deny');
    expect((await tortie.run('history', '--traffic')).code).toBe(2);
  }, 60_000);
});

describe('tortie why', () => {
  it('names the change that brought the rule, and what would turn it', async () => {
    await stage();
    await tortie.answer('staged', 'promote', 'shop/recommended-db', '--keep-staged');
    const words = ['why', '--from', 'shop/web-7d9-aaaaa', '--to', 'shop/db-0', '--port', '5432'] as const;
    const text = await tortie.answer(...words);
    expect(text).toMatch(/^DENY {2}TCP 10\.65\.0\.10:32768 -> 10\.65\.0\.30:5432/);
    expect(text).toMatch(/since revision \d+, create by the agent/);
    expect(text).toContain('To allow it (the reference evaluator agrees)');
    expect(text).toContain('with every staged policy enforced: deny');
  }, 60_000);

  it('compares a record with what holds now', async () => {
    await stage();
    const [log] = judgedLogs(tortie.agent.world, API_TO_DB, Date.now() - 60_000).slice(-1);
    const file = tortie.file('log.json', JSON.stringify({ ...log, action: 'deny', reason: 'drop_ingress_policy' }));
    const answer = JSON.parse(await tortie.answer('why', file, '-o', 'json')) as object;
    expect(answer).toMatchObject({
      verdict: 'allow',
      recorded: { verdict: 'deny', direction: 'ingress', isSameNow: false },
    });
    expect((await tortie.run('why', tortie.file('bad.json', '{"a":1}'))).output).toMatch(/^INVALID_FLOW/);
    expect((await tortie.run('why')).code).toBe(2);
  }, 60_000);
});

describe('tortie why of a drop', () => {
  it('reads what drops and monitor show, and tells policy from other reasons', async () => {
    await stage();
    const drop = {
      time: new Date().toISOString(),
      kind: 'denied',
      reason: 'drop_ingress_policy',
      interface: 'cali1',
      hook: 'to-workload',
      source: '10.65.0.10',
      destination: '10.65.0.30',
      protocol: 'TCP',
      sourcePort: 40_000,
      destinationPort: 5432,
      egress: { verdict: 'allow', trace: ['0|__PROFILE__|pro:kns.shop|allow|0'] },
      ingress: {
        verdict: 'deny',
        trace: ['0|default|np:shop/gone|deny|3'],
        pending: { verdict: 'deny', trace: ['0|default|snp:shop/recommended-db|deny|-1'] },
      },
      generation: 1,
      length: 60,
    };
    const ask = async (record: object): Promise<object> =>
      JSON.parse((await tortie.run('why', tortie.file('drop.json', JSON.stringify(record)), '-o', 'json')).answer);
    expect(await ask(drop)).toMatchObject({
      flow: { src: '10.65.0.10', dst: '10.65.0.30', srcPort: 40_000, dstPort: 5432 },
      verdict: 'allow',
      recorded: { verdict: 'deny', direction: 'ingress', reason: 'drop_ingress_policy', isSameNow: false },
    });
    const { egress: _egress, ingress: _ingress, ...spoofed } = { ...drop, reason: 'drop_spoofed_address' };
    expect(await ask(spoofed)).toMatchObject({ recorded: { verdict: 'deny', reason: 'drop_spoofed_address' } });
  }, 60_000);
});

describe('tortie why of a stored flow', () => {
  it('finds it by the id that flows shows', async () => {
    await send(...USUAL, WEB_TO_DB);
    const wide = await tortie.answer('flows', '--to', 'shop/db-0', '--last', '1', '-o', 'wide');
    const [header = '', row = ''] = wide.split('\n');
    expect(header).toMatch(/^ID +TIME +VERDICT/);
    const [id = ''] = row.split(' ');
    const answer = JSON.parse(await tortie.answer('why', id, '-o', 'json')) as object;
    expect(answer).toMatchObject({
      recorded: { isSameNow: true },
      flow: { src: '10.65.0.10', dst: '10.65.0.30', dstPort: 5432 },
    });
    const gone = await tortie.run('why', `${id}7`);
    expect(gone.output).toMatch(/^NOT_FOUND: why flow \d+\.\d+7: no such flow is stored/);
    expect(gone.code).toBe(1);
  }, 60_000);

  it('finds the ends of an aggregate by their names, and says which addresses stand for them', async () => {
    const [log] = judgedLogs(tortie.agent.world, WEB_TO_API, Date.now()).slice(-1) as [FlowLog];
    const nowhere = (end: FlowEnd): FlowEnd => ({ ...end, name: '', address: '', port: 0 });
    const { source, destination } = log;
    const aggregate = { ...log, source: nowhere(source), destination: { ...nowhere(destination), port: 9000 } };
    const ask = (record: object) => tortie.run('why', tortie.file('log.json', JSON.stringify(record)));
    const { output, code } = await ask(aggregate);
    expect(output).toMatch(
      /the record has no addresses: TCP 10\.65\.0\.1[01]:32768 -> 10\.65\.0\.20:9000 stands for its ends/,
    );
    expect(code).toBe(0);
    const lost = { ...aggregate, source: { ...aggregate.source, aggregatedName: 'gone-*', labels: {} } };
    expect((await ask(lost)).output).toMatch(
      /INVALID_FLOW: why flow log: has no addresses, and its names are not known/,
    );
  }, 60_000);
});

describe('tortie staged promote', () => {
  it('carries a staged deletion out, and takes several new policies as one change', async () => {
    const policy = (kind: string, name: string, more: object = {}) => ({
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: { name, namespace: 'shop' },
      spec: { selector: "app == 'web'", ...more },
    });
    const gone = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'StagedNetworkPolicy',
      metadata: { name: 'old', namespace: 'shop' },
    };
    const objects = [
      policy('NetworkPolicy', 'old', { order: 3 }),
      { ...gone, spec: { stagedAction: 'Delete' } },
      policy('StagedNetworkPolicy', 'one'),
      policy('StagedNetworkPolicy', 'two'),
    ];
    await tortie.answer('apply', '-f', tortie.file('many.yaml', ...objects));
    expect((await tortie.run('staged', 'promote', 'one', 'old', '-n', 'shop')).output).toMatch(
      /^USAGE: .*promoted alone/,
    );
    await tortie.answer('staged', 'promote', 'one', 'two', '-n', 'shop');
    await tortie.answer('staged', 'promote', 'snp/shop/old');
    const left = JSON.parse(await tortie.answer('get', 'np', '-n', 'shop', '-o', 'json')) as { items?: unknown[] };
    const names = [...JSON.stringify(left).matchAll(/"name":"(old|one|two)"/g)].map(([, name]) => name);
    expect([...new Set(names)].sort()).toEqual(['one', 'two']);
    expect(JSON.parse(await tortie.answer('staged', 'list', '-o', 'json'))).toEqual([]);
  }, 60_000);

  it('replaces a policy as a whole: what the staged one does not say is gone', async () => {
    const policy = (kind: string, spec: object) => ({
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    });
    const objects = [
      policy('NetworkPolicy', { order: 3, selector: "app == 'web'" }),
      policy('StagedNetworkPolicy', { selector: "app == 'api'" }),
    ];
    await tortie.answer('apply', '-f', tortie.file('web.yaml', ...objects));
    await tortie.answer('staged', 'promote', 'shop/web');
    const now = await tortie.answer('get', 'np', 'web', '-n', 'shop', '-o', 'json');
    expect(now).toContain("app == 'api'");
    expect(now).not.toContain('"order"');
  }, 60_000);
});
