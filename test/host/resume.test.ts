// An agent that starts again where nothing has changed goes by what the kernel holds, and loads the manifests afterwards;
// where anything has changed it does not. Real packets say whether that is right.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Agent, cleanUp } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { allowPorts, policy } from './support/policies.ts';
import { PolicyTruth } from './support/policy-truth.ts';
import { Setting } from './support/setting.ts';
import { workload, workloadSpec } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const PARTIES = WORKLOADS.map(({ pod, addresses }) => ({ name: pod, addresses }));
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const TAKEN_OVER = 'taken over in force';

describe('the agent that starts again', () => {
  let setting: Setting;
  let agent: Agent;

  function writePolicy(port: number): void {
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
    setting.manifests.write('50-policy.yaml', [policy({ ...green, ingress: allowPorts([port]) })]);
  }

  async function expectVerdicts(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, LISTENERS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  async function settle(): Promise<void> {
    const file = join(setting.lab.directory, 'state', 'settled.json');
    await vi.waitFor(() => expect(existsSync(file)).toBe(true), 10_000);
  }

  async function restart(): Promise<boolean> {
    agent = await setting.startAgent();
    await agent.waitFor(({ inSync, loading }) => inSync && !loading, 10_000);
    return agent.log.join('\n').includes(TAKEN_OVER);
  }

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    writePolicy(7000);
    agent = await setting.startAgent();
  });

  beforeEach(async () => {
    await settle();
    await agent.kill();
  });

  afterAll(async () => {
    await setting?.close();
  });

  it('goes by what is in the kernel when all is as it was, and puts later changes in force', async () => {
    expect(await restart()).toBe(true);
    await expectVerdicts();
    const { generation } = await agent.waitFor(({ inSync }) => inSync, 1000);
    writePolicy(7001);
    await agent.waitFor((status) => status.inSync && status.generation > generation, 5000);
    await expectVerdicts();
  });

  it('does so time and again', async () => {
    expect(await restart()).toBe(true);
    await settle();
    await agent.stop();
    expect(await restart()).toBe(true);
    await expectVerdicts();
  });

  it('puts a change in force that comes while it is still loading', async () => {
    agent = setting.launchAgent();
    await agent.waitFor(() => true, 10_000);
    writePolicy(7000);
    await agent.waitFor(({ inSync, loading }) => inSync && !loading, 10_000);
    await vi.waitFor(expectVerdicts, 10_000);
  });

  it('does not go by it when a manifest was edited meanwhile', async () => {
    writePolicy(7001);
    expect(await restart()).toBe(false);
    await expectVerdicts();
  });

  it('does not go by it when an interface was changed meanwhile', async () => {
    const [red] = WORKLOADS.map(workloadSpec);
    await setting.lab.exec(HOST, ['ip', 'link', 'set', red?.hostInterface ?? '', 'mtu', '1400']);
    expect(await restart()).toBe(false);
    await expectVerdicts();
  });

  it('does not go by it when the kernel has lost its policy', async () => {
    await cleanUp(setting.lab);
    expect(await restart()).toBe(false);
    await expectVerdicts();
  });
});
