// Every ordered pair of workloads, outsiders and the host, every kind of probe, both families, with real sockets and the agent
// running: what gets through is what the reference evaluator says of the same manifests.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { DEFAULT_HOST_ADDRESSES, type OutsiderSpec } from '../../tools/lab/topology.ts';
import { describeDisagreements, type TruthCase, truthTable } from '../../tools/lab/truth-table.ts';
import { type Party, PolicyTruth, type ProbeKind } from './support/policy-truth.ts';
import { Setting } from './support/setting.ts';
import { type Workload, workload } from './support/workloads.ts';

const WORKLOADS: readonly Workload[] = [
  workload('front', 'web-1', 1, {
    labels: { app: 'web' },
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  }),
  workload('front', 'web-2', 2, {
    labels: { app: 'web', canary: 'true' },
    ports: [{ name: 'http', protocol: 'TCP', port: 9090 }],
  }),
  workload('back', 'api-1', 17, {
    labels: { app: 'api' },
    ports: [{ name: 'grpc', protocol: 'TCP', port: 9090 }],
  }),
  workload('back', 'worker-1', 18, { labels: { app: 'worker' } }),
  workload('data', 'db-1', 20, {
    labels: { app: 'db' },
    ports: [{ name: 'postgres', protocol: 'TCP', port: 9090 }],
  }),
  workload('data', 'cache-1', 21, { labels: { app: 'cache' } }),
  workload('ops', 'monitor-1', 33, { labels: { app: 'monitor' } }),
  workload('free', 'guest-1', 34, { labels: { app: 'guest' } }),
];

const OUTSIDERS: readonly OutsiderSpec[] = [
  {
    name: 'office',
    hostInterface: 'eth0',
    subnets: [
      { host: '192.0.2.1/24', outsider: '192.0.2.10/24' },
      { host: '2001:db8:2::1/64', outsider: '2001:db8:2::10/64' },
    ],
  },
  {
    name: 'stranger',
    hostInterface: 'eth1',
    subnets: [
      { host: '203.0.113.1/24', outsider: '203.0.113.10/24' },
      { host: '2001:db8:3::1/64', outsider: '2001:db8:3::10/64' },
    ],
  },
];

const LISTENERS = [
  { transport: 'tcp', port: 8080 },
  { transport: 'tcp', port: 9090 },
  { transport: 'udp', port: 8443 },
  { transport: 'udp', port: 5353 },
  { transport: 'sctp', port: 3868 },
  { transport: 'sctp', port: 3869 },
] as const;

const KINDS: readonly ProbeKind[] = [...LISTENERS, { transport: 'icmp' }];

const inside: readonly Party[] = WORKLOADS.map(({ pod, addresses }) => ({ name: pod, addresses }));
const outside: readonly Party[] = OUTSIDERS.map(({ name, subnets }) => ({
  name,
  addresses: subnets.map((subnet) => subnet.outsider.replace(/\/.*/, '')),
}));
const host: Party = { name: HOST, addresses: DEFAULT_HOST_ADDRESSES };

describe('a policy set of every kind', () => {
  let setting: Setting;
  let truth: PolicyTruth;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, outsiders: OUTSIDERS, listeners: LISTENERS });
    setting.manifests.copyFrom(join(import.meta.dirname, 'truth-table'));
    truth = new PolicyTruth(setting.manifests.path);
    agent = await setting.startAgent();
  });

  afterAll(async () => {
    await setting?.close();
  });

  async function expectTruth(cases: readonly TruthCase[]): Promise<void> {
    expect(cases.length).toBeGreaterThan(0);
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  it('is accepted whole, and every workload is ready', async () => {
    const status = await agent.status();
    expect(status?.manifests.errors).toEqual([]);
    expect(status?.endpoints.map((one) => one.state)).toEqual(WORKLOADS.map(() => 'ready'));
  });

  it('asks questions that tell: each kind is open for some pairs and closed for others, in both families', () => {
    for (const kind of KINDS) {
      for (const isV6 of [false, true]) {
        const cases = truth.cases(inside, inside, [kind]).filter((one) => one.request.address.includes(':') === isV6);
        expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
      }
    }
  });

  it('decides between all pairs of workloads', async () => {
    const cases = truth.cases(inside, inside, KINDS);
    expect(cases).toHaveLength(8 * 7 * KINDS.length * 2);
    await expectTruth(cases);
  });

  it('decides what outsiders reach, and who reaches them', async () => {
    await expectTruth([...truth.cases(outside, inside, KINDS), ...truth.cases(inside, outside, KINDS)]);
  });

  it('lets the host reach its workloads, and judges what they send to the host', async () => {
    await expectTruth([...truth.cases([host], inside, KINDS), ...truth.cases(inside, [host], KINDS)]);
  });

  it('leaves alone what passes by between outsiders and the host', async () => {
    const around = [host, ...outside];
    const cases = truth.cases(around, around, KINDS);
    expect(cases.every((one) => one.expected[0] === 'open')).toBe(true);
    await expectTruth(cases);
  });

  it('looks at source ports where a rule does', async () => {
    const kinds: ProbeKind[] = [4444, 4445].map((sourcePort) => ({ transport: 'udp', port: 8443, sourcePort }));
    const cache = inside.filter((one) => one.name === 'cache-1');
    const cases = truth.cases([...inside, ...outside], cache, kinds);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    await expectTruth(cases);
  });

  it('gives the same answers when asked again, now that flows are known', async () => {
    await expectTruth(truth.cases(inside, inside, KINDS));
  });
});
