// The agent comes and goes under traffic: what it enforced stands while it is dead, and the next one takes over what it finds.
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, cleanUp } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import type { Stream } from '../../tools/lab/stream.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { allowPorts, policy } from './support/policies.ts';
import { PolicyTruth, type ProbeKind } from './support/policy-truth.ts';
import { Setting } from './support/setting.ts';
import { expectUndisturbed } from './support/undisturbed.ts';
import { type Workload, workload } from './support/workloads.ts';

const WORKLOADS: readonly Workload[] = [
  workload('lab', 'red', 1),
  workload('lab', 'green', 2),
  workload('lab', 'blue', 3),
];
const PARTIES = WORKLOADS.map(({ pod, addresses }) => ({ name: pod, addresses }));
const LISTENERS = [7000, 7001].flatMap((port) =>
  (['tcp', 'udp', 'sctp'] as const).map((transport) => ({ transport, port }) as const),
);
const KINDS: readonly ProbeKind[] = [...LISTENERS, { transport: 'icmp' }];
const FILE = '50-policy.yaml';
/** Fewer where each takes long. */
const KILLS = Number(process.env.TORTIE_KILLS ?? 12);

/** Red may reach everyone; green and blue differ in what they take; blue sends nothing. */
function writePolicy(setting: Setting, version: number): void {
  const closed = { namespace: 'lab', selector: "app == 'blue'" };
  setting.manifests.write(FILE, [
    policy({
      name: 'green',
      namespace: 'lab',
      selector: "app == 'green'",
      ingress: allowPorts([7000, 8000 + version]),
    }),
    policy({
      ...closed,
      name: 'blue',
      egress: [],
      ingress: [{ action: 'Allow', source: { selector: "app == 'red'" } }],
    }),
  ]);
}

describe('the agent', () => {
  let setting: Setting;
  let agent: Agent;
  let streams: readonly Stream[] = [];

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    writePolicy(setting, 0);
    agent = await setting.startAgent();
  });

  beforeEach(async () => {
    const red = setting.peer('red');
    streams = WORKLOADS.slice(1).flatMap((one) => one.addresses.map((address) => red.stream({ address, port: 7000 })));
    await Promise.all(streams.map((stream) => stream.progress(5, 3000)));
  });

  afterAll(async () => {
    await setting?.close();
  });

  async function expectVerdictsStand(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, KINDS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  it('is killed, and its verdicts stand', async () => {
    await agent.kill();
    await expectVerdictsStand();
    await expectUndisturbed(streams);
    agent = await setting.startAgent();
  });

  it('takes over what is pinned: the generation stays, and counters and flows go on', async () => {
    const before = await agent.waitFor((status) => status.inSync, 5000);
    await agent.kill();
    agent = await setting.startAgent();
    const after = await agent.waitFor((status) => status.inSync, 5000);
    expect(after.generation).toBe(before.generation);
    expect(after.counters.allowed_new?.packets).toBeGreaterThanOrEqual(before.counters.allowed_new?.packets ?? 1);
    expect(after.flows).toBeGreaterThanOrEqual(streams.length);
    await expectUndisturbed(streams);
    await expectVerdictsStand();
  });

  it('ends in order when asked, and its verdicts stand', async () => {
    expect(await agent.stop()).toBe(0);
    await expectVerdictsStand();
    const next = await setting.startAgent();
    await expectUndisturbed(streams);
    agent = next;
  });

  it('notices on its return what was edited while it was away', async () => {
    const before = await agent.waitFor((status) => status.inSync, 5000);
    await agent.kill();
    writePolicy(setting, 1);
    agent = await setting.startAgent();
    const after = await agent.waitFor((status) => status.inSync, 5000);
    expect(after.generation).toBeGreaterThan(before.generation);
    await expectUndisturbed(streams);
    await expectVerdictsStand();
  });

  it('is killed at random instants of starting and editing', { timeout: 120_000 * PATIENCE }, async () => {
    const delaysMs: number[] = [];
    // What no version allows is tried all the time.
    const storms = (WORKLOADS[2]?.addresses ?? []).map((address) => setting.peer('green').storm(address, 7000));
    for (let round = 0; round < KILLS; round++) {
      // Before the agent is up, while it adopts, while it writes, and in between: chance decides.
      const victim = round % 2 === 0 ? agent : setting.launchAgent();
      const delayMs = randomInt(round % 2 === 0 ? 150 : 600);
      delaysMs.push(delayMs);
      for (let edit = 0; edit < 3; edit++) writePolicy(setting, 2 + ((round + edit) % 2));
      // The instant is what is tried here; nothing is waited for.
      await sleep(delayMs);
      await victim.kill();
      if (round % 2 === 1) agent = await setting.startAgent();
    }
    const counts = await Promise.all(storms.map((stop) => stop()));
    expect(counts.map((count) => count.answered)).toEqual([0, 0]);
    for (const count of counts) expect(count.sent).toBeGreaterThan(KILLS * 800);
    const hint = `killed after ${delaysMs.join(', ')} ms`;
    await expectVerdictsStand();
    await expectUndisturbed(streams).catch((cause: unknown) => {
      throw new Error(hint, { cause });
    });
  });

  it('refuses to share its place with another agent', async () => {
    const second = setting.launchAgent();
    await expect(second.waitFor(() => false, 10_000)).rejects.toThrow(/the agent has ended/);
    expect(second.log.join('\n')).toMatch(/AGENT_RUNNING/);
    expect((await agent.status())?.inSync).toBe(true);
  });

  it('is not needed for cleanup, which opens everything', async () => {
    await agent.stop();
    await cleanUp(setting.lab);
    expect(existsSync(join(setting.lab.bpffs, 'tortie'))).toBe(false);
    for (const { hostInterface } of WORKLOADS) {
      for (const direction of ['ingress', 'egress']) {
        const { stdout } = await setting.lab.exec(HOST, ['tc', 'filter', 'show', 'dev', hostInterface, direction]);
        expect(stdout).toBe('');
      }
    }
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, KINDS);
    const open = cases.map((one) => ({ ...one, expected: ['open' as const] }));
    expect(describeDisagreements(await truthTable(setting.peers, open))).toEqual([]);
    await expectUndisturbed(streams);
  });
});
