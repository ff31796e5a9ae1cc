// `tortie flows` and `tortie drops` of real traffic: what was let through and what was not, as it comes and afterwards.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const GREEN = WORKLOADS[1]?.addresses[0] as string;
const WAIT = { timeout: 60_000, interval: 2000 };

describe('flows of real traffic', { timeout: 150_000 }, () => {
  let setting: Setting;
  let agent: Agent;
  let killed = 0;

  beforeAll(async () => {
    process.env.TORTIE_FLOW_STORE = 'all';
    process.env.TORTIE_FLOW_LOGS_INTERVAL = '1';
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
    setting.manifests.write('50-policy.yaml', [policy({ ...green, ingress: allowPorts([7000]) })]);
    agent = await setting.startAgent();
  }, 120_000);

  afterAll(async () => {
    delete process.env.TORTIE_FLOW_STORE;
    delete process.env.TORTIE_FLOW_LOGS_INTERVAL;
    await setting.disarm(agent);
    await setting.close();
  });

  async function flows(...words: readonly string[]): Promise<FlowLog[]> {
    const { stdout } = await agent.ask('flows', ...words, '-o', 'json');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FlowLog);
  }

  async function talk(): Promise<void> {
    expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7000, timeoutMs: 2000 })).toBe('open');
    expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7001, timeoutMs: 400 })).toBe(
      'timeout',
    );
  }

  /** IPv4 that green's own stack has taken and sent. */
  async function octets(): Promise<{ in: number; out: number }> {
    const { stdout } = await setting.lab.exec('green', ['cat', '/proc/net/netstat']);
    const [fields = [], values = []] = stdout
      .split('\n')
      .filter((line) => line.startsWith('IpExt:'))
      .map((line) => line.split(' '));
    const of = (name: string) => Number(values[fields.indexOf(name)]);
    return { in: of('InOctets'), out: of('OutOctets') };
  }

  it('are stored once each, byte for byte, though the process that keeps them is killed under them', async () => {
    const before = await octets();
    const probes = 40;
    for (let probe = 0; probe < probes; probe += 1) {
      expect(await setting.probe('red', { transport: 'tcp', address: GREEN, port: 7000, timeoutMs: 2000 })).toBe(
        'open',
      );
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (probe === 20 || probe === 30) await killKeeper();
    }
    const after = await octets();
    const told = async () => {
      const own = await flows('--since', '10m', '--to', 'lab/green', '--reporter', 'dst', '--last', '10000');
      const allowed = own.filter(({ destination, action }) => destination.address === GREEN && action === 'allow');
      const sum = (of: (log: FlowLog) => number) => allowed.reduce((total, log) => total + of(log), 0);
      return { flows: sum((log) => log.flowsStarted), in: sum((log) => log.bytesIn), out: sum((log) => log.bytesOut) };
    };
    const expected = { flows: probes, in: after.in - before.in, out: after.out - before.out };
    await expect.poll(() => told().catch(String), WAIT).toEqual(expected);
    const status = JSON.parse((await agent.ask('status', '-o', 'json')).stdout);
    expect(status.flowStore).toMatchObject({ lost: 0, overflowed: 0 });
    expect(killed).toBeGreaterThan(0);
  });

  /** The agent's child that stores flows, once there is one. */
  async function killKeeper(): Promise<void> {
    const { stdout } = await runCommand(['ps', '-e', '-o', 'ppid=,pid=,args=']);
    const processes = stdout.split('\n').map((line) => line.trim().split(/\s+/));
    const keeper = processes.find(
      ([parent, , ...words]) =>
        parent === String(agent.pid) && words.some((word) => word.includes('store-process-main')),
    );
    if (keeper !== undefined) process.kill(Number(keeper[1]), 'SIGKILL');
    killed += Number(keeper !== undefined);
  }

  it('are stored with the rule that decided, and can be asked for', async () => {
    await talk();
    await expect
      .poll(async () => (await flows('--since', '5m', '--port', '7000', '--reporter', 'dst')).length, WAIT)
      .toBeGreaterThan(0);
    await expect.poll(async () => (await flows('--since', '5m', '--verdict', 'deny')).length, WAIT).toBeGreaterThan(0);
    const [allowed] = await flows('--since', '5m', '--port', '7000', '--reporter', 'dst');
    expect(allowed).toMatchObject({ action: 'allow', protocol: 'TCP', destination: { port: 7000, address: GREEN } });
    const denied = await flows('--since', '5m', '--verdict', 'deny', '--from', 'lab/*');
    expect(new Set(denied.map(({ destination }) => destination.port))).toEqual(new Set([7001]));
    expect(await flows('--since', '5m', '--policy', 'lab/gre*', '--port', '7000')).not.toEqual([]);
    const { stdout: top } = await agent.ask('flows', 'top', '--by', 'reason', '--since', '5m', '-o', 'csv');
    expect(top).toMatch(/^drop_ingress_policy,/m);
    const { stdout: dot } = await agent.ask('flows', 'graph', '--since', '5m');
    expect(dot).toMatch(/-> .*TCP 7000/);
  });

  it('are there after the agent was started anew', async () => {
    const before = await flows('--since', '10m');
    await agent.stop();
    agent = await setting.startAgent();
    expect((await flows('--since', '10m')).length).toBeGreaterThanOrEqual(before.length);
  });
});
