// A machine that has been fork-bombed: no process and no thread can be begun any more. The agent goes on with those that it has, changes
// of policy come into force, and what needs a process of its own says why it does not work until it does again.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Agent, socketPath } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const GREEN = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
const NOT_KEPT = /^FlowsNotKept: the store of flows does not take them: /;
const WAIT = { timeout: 20_000 * PATIENCE, interval: 500 };

/** Of either version of control groups. */
function parentGroup(): string {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup' && options.split(',').includes('pids')) return path;
    const controllers = join(path, 'cgroup.controllers');
    if (type === 'cgroup2' && existsSync(controllers) && /\bpids\b/.test(readFileSync(controllers, 'utf8')))
      return path;
  }
  throw new Error('no control group here limits processes: mount the pids controller');
}

describe('an agent that can begin no process', { timeout: 120_000 * PATIENCE }, () => {
  const group = join(parentGroup(), `tortie-no-processes-${process.pid}`);
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    setting.manifests.write('50-policy.yaml', [policy({ ...GREEN, ingress: allowPorts([7000]) })]);
    agent = await setting.startAgent({
      wrapper: ['env', 'TORTIE_FLOW_STORE=all', 'TORTIE_FLOW_LOGS_INTERVAL=1'],
    });
    mkdirSync(group);
    writeFileSync(join(group, 'cgroup.procs'), String(agent.pid));
    writeFileSync(join(group, 'pids.max'), readFileSync(join(group, 'pids.current')));
  });

  afterAll(async () => {
    await agent?.kill();
    await setting?.close();
    await vi.waitFor(() => rmdirSync(group), WAIT);
  });

  function reach(port: number): Promise<string> {
    const addresses = { address: '10.66.0.2', sourceAddress: '10.66.0.1' } as const;
    return setting.probe('red', { transport: 'tcp', port, ...addresses, timeoutMs: 400 });
  }

  async function degraded(): Promise<string[] | undefined> {
    return (await agent.status())?.conditions.map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Whatever it ends with: the doctor finds this machine's own faults too. */
  async function tortie(verb: string): Promise<string> {
    const words = tortieCommand(verb, '--socket', socketPath(setting.lab));
    return (await setting.lab.exec(HOST, ['sh', '-c', '"$@"; true', 'sh', ...words])).stdout;
  }

  it('enforces what was in force, and puts changes in force', async () => {
    expect([await reach(7000), await reach(7001)]).toEqual(['open', 'timeout']);
    setting.manifests.write('50-policy.yaml', [policy({ ...GREEN, ingress: allowPorts([7001]) })]);
    await vi.waitFor(async () => expect([await reach(7000), await reach(7001)]).toEqual(['timeout', 'open']), WAIT);
  });

  it('says that flows are not kept, and why, until they are', async () => {
    await vi.waitFor(async () => {
      expect([await reach(7000), await reach(7001)]).toEqual(['timeout', 'open']);
      const status = await agent.status();
      expect(status).toMatchObject({ inSync: true, flowStore: { error: expect.stringMatching(/process|EAGAIN/) } });
    }, WAIT);
    // As everywhere where somebody may look.
    await vi.waitFor(async () => expect(await degraded()).toEqual([expect.stringMatching(NOT_KEPT)]), WAIT);
    expect(await agent.get<object>('/readiness')).toEqual({
      status: 'ok',
      degraded: [expect.stringMatching(NOT_KEPT)],
    });
    expect(await agent.get<string>('/metrics')).toMatch(/^tortie_degraded_reasons 1$/m);
    expect(await agent.get<string>('/metrics')).toMatch(/^tortie_degraded\{reason="FlowsNotKept"\} 1$/m);
    expect(await tortie('status')).toMatch(/Degraded: FlowsNotKept since .*: the store of flows does not take them: /);
    expect(await tortie('doctor')).toMatch(/^warn +agent +FlowsNotKept: /m);
    writeFileSync(join(group, 'pids.max'), 'max');
    await vi.waitFor(async () => {
      expect(await reach(7001)).toBe('open');
      expect((await agent.get<{ items: object[] }>('/flows?last=10')).items.length).toBeGreaterThan(0);
      expect((await agent.status())?.flowStore.error).toBeNull();
      expect(await degraded()).toEqual([]);
    }, WAIT);
  });
});
