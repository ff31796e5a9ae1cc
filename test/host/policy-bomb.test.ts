// Policy that costs more than the agent takes: what was in force stays, through a restart too, until there is less of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import type { ProbeResult } from '../../tools/lab/peer.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const red = workload('lab', 'red', 1);
const green = workload('lab', 'green', 2);
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const FILE = '50-policy.yaml';
/** Each endpoint's namespace profile has a rule for each direction, which count too. */
const LIMITS = ['rules=8'];
const LIMIT_MS = 5000;

describe('policy that costs too much', () => {
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: [red, green], listeners: LISTENERS });
    writePolicy([7000]);
    agent = await setting.startAgent({ limits: LIMITS });
  });

  afterAll(async () => {
    await setting?.close();
  });

  /** Two rules for each port. */
  function writePolicy(ports: readonly number[]): void {
    const ingress = ports.flatMap((port) => allowPorts([port]));
    setting.manifests.write(FILE, [policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress })]);
  }

  function probe(port: number): Promise<ProbeResult> {
    return setting.probe('red', { transport: 'tcp', address: green.addresses[0] ?? '', port });
  }

  async function expectOpen(expected: Readonly<Record<number, ProbeResult>>): Promise<void> {
    for (const [port, result] of Object.entries(expected)) expect(await probe(Number(port)), port).toBe(result);
  }

  const isRefused = ({ inSync, error }: AgentStatus): boolean => !inSync && error?.code === 'LIMIT_EXCEEDED';

  it('is refused with the limit, and what was in force stays', async () => {
    await expectOpen({ 7000: 'open', 7001: 'timeout' });
    writePolicy([7001, 7002, 7003, 7004, 7005]);
    const { error, generation } = await agent.waitFor(isRefused, LIMIT_MS);
    expect(error).toMatchObject({ expected: 'at most 8', hint: expect.stringContaining('--limit rules=') });
    await expectOpen({ 7000: 'open', 7001: 'timeout' });
    expect((await agent.status())?.generation).toBe(generation);
  });

  it('leaves in force what an agent finds when it comes back', async () => {
    const generation = (await agent.status())?.generation;
    await agent.kill();
    agent = setting.launchAgent({ limits: LIMITS });
    const status = await agent.waitFor(isRefused, LIMIT_MS);
    expect(status.generation).toBe(generation);
    await expectOpen({ 7000: 'open', 7001: 'timeout' });
  });

  it('is taken as soon as there is less of it', async () => {
    writePolicy([7001]);
    await agent.waitFor(({ inSync }) => inSync, LIMIT_MS);
    await expectOpen({ 7000: 'timeout', 7001: 'open' });
  });
});
