// The setting of the truth table, and what every test of it asks: all ordered pairs of workloads, outsiders and the host, every
// kind of probe, both families. Who starts the agent, and what is done to it in between, is not known here.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Agent } from '../../../tools/lab/agent.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import { DEFAULT_HOST_ADDRESSES, type OutsiderSpec } from '../../../tools/lab/topology.ts';
import { describeDisagreements, type TruthCase, truthTable } from '../../../tools/lab/truth-table.ts';
import type { Party, PolicyTruth, ProbeKind } from './policy-truth.ts';
import type { Setting } from './setting.ts';
import { type Workload, workload } from './workloads.ts';

/** Manifests with a policy of every kind. */
export const POLICIES = join(import.meta.dirname, '..', 'truth-table');

export const WORKLOADS: readonly Workload[] = [
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

export const OUTSIDERS: readonly OutsiderSpec[] = [
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

export const LISTENERS = [
  { transport: 'tcp', port: 8080 },
  { transport: 'tcp', port: 9090 },
  { transport: 'udp', port: 8443 },
  { transport: 'udp', port: 5353 },
  { transport: 'sctp', port: 3868 },
  { transport: 'sctp', port: 3869 },
] as const;

export const KINDS: readonly ProbeKind[] = [...LISTENERS, { transport: 'icmp' }];

const BOTH_VERDICTS = new Set(['open', 'timeout']);
const inside = WORKLOADS.map(partyOf);
const outside: readonly Party[] = OUTSIDERS.map(({ name, subnets }) => ({
  name,
  addresses: subnets.map((subnet) => subnet.outsider.replace(/\/.*/, '')),
}));
const host: Party = { name: HOST, addresses: DEFAULT_HOST_ADDRESSES };

export function partyOf({ pod, addresses }: Workload): Party {
  return { name: pod, addresses };
}

/** What a test of the suite needs of the file that it is in. */
export interface TruthStage {
  readonly setting: Setting;
  readonly truth: PolicyTruth;
  readonly agent: Agent;
}

/** Probes all of them; fails for every one that does not find what it should. */
export async function expectTruth({ peers }: Setting, cases: readonly TruthCase[]): Promise<void> {
  expect(cases.length).toBeGreaterThan(0);
  expect(describeDisagreements(await truthTable(peers, cases))).toEqual([]);
}

/** Makes sure that a table can tell a verdict from its opposite. */
export function expectBothVerdicts(cases: readonly TruthCase[]): void {
  expect(new Set(cases.flatMap((one) => one.expected))).toEqual(BOTH_VERDICTS);
}

/** The tests, one after the other, on a stage that is set before the first of them. */
export function testTruth(stage: () => TruthStage): void {
  const ask = (cases: readonly TruthCase[]) => expectTruth(stage().setting, cases);
  let between: readonly TruthCase[] | undefined;
  const allPairs = (): readonly TruthCase[] => {
    between ??= stage().truth.cases(inside, inside, KINDS);
    return between;
  };

  it('is accepted whole, and every workload is ready', async () => {
    const status = await stage().agent.status();
    expect(status?.manifests.errors).toEqual([]);
    expect(status?.endpoints.map((one) => one.state)).toEqual(WORKLOADS.map(() => 'ready'));
  });

  it('asks questions that tell: each kind is open for some pairs and closed for others, in both families', () => {
    for (const { transport, port } of KINDS) {
      for (const isV6 of [false, true]) {
        const isOne = ({ request }: TruthCase) =>
          request.transport === transport && request.port === port && request.address.includes(':') === isV6;
        expectBothVerdicts(allPairs().filter(isOne));
      }
    }
  });

  it('decides between all pairs of workloads', async () => {
    expect(allPairs()).toHaveLength(8 * 7 * KINDS.length * 2);
    await ask(allPairs());
  });

  it('decides what outsiders reach, and who reaches them', async () => {
    const { truth } = stage();
    await ask([...truth.cases(outside, inside, KINDS), ...truth.cases(inside, outside, KINDS)]);
  });

  it('lets the host reach its workloads, and judges what they send to the host', async () => {
    const { truth } = stage();
    await ask([...truth.cases([host], inside, KINDS), ...truth.cases(inside, [host], KINDS)]);
  });

  it('leaves alone what passes by between outsiders and the host', async () => {
    const around = [host, ...outside];
    const cases = stage().truth.cases(around, around, KINDS);
    expect(cases.every((one) => one.expected[0] === 'open')).toBe(true);
    await ask(cases);
  });

  it('looks at source ports where a rule does', async () => {
    const kinds: ProbeKind[] = [4444, 4445].map((sourcePort) => ({ transport: 'udp', port: 8443, sourcePort }));
    const cache = inside.filter((one) => one.name === 'cache-1');
    const cases = stage().truth.cases([...inside, ...outside], cache, kinds);
    expectBothVerdicts(cases);
    await ask(cases);
  });

  it('gives the same answers when asked again, now that flows are known', () => ask(allPairs()));
}
