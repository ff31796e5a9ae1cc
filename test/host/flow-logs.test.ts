// Flow logs of real traffic: what they count is what the workloads' own stacks say they sent and received, byte for byte, while
// policy changes, agents come and go, and packets are denied.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { type Workload, workload } from './support/workloads.ts';

const WORKLOADS: readonly Workload[] = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].flatMap((port) =>
  (['tcp', 'udp'] as const).map((transport) => ({ transport, port }) as const),
);
const FILE = '50-policy.yaml';
const PROGRAM = fileURLToPath(new URL('support/tapped-agent.mjs', import.meta.url));
/** A sweep each second, and counts that wait in a flow cache for two: there is ample time for all to be told. */
const TOLD = { timeout: 15_000 * PATIENCE, interval: 500 };

interface Octets {
  readonly sent: number;
  readonly received: number;
}

describe('flow logs', () => {
  let setting: Setting;
  let agent: Agent;
  let tap: string;
  /** Logs that were looked at: what comes later may count nothing more. */
  let looked = 0;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    tap = join(setting.lab.directory, 'flow-logs');
    process.env.TORTIE_FLOW_TAP = tap;
    process.env.TORTIE_FLOW_LOGS_INTERVAL = '1';
    process.env.TORTIE_EVENT_BUDGET = '0';
    writePolicy([7000, 7001]);
    agent = await setting.startAgent({ program: PROGRAM });
  });

  afterAll(async () => {
    delete process.env.TORTIE_FLOW_TAP;
    delete process.env.TORTIE_FLOW_LOGS_INTERVAL;
    delete process.env.TORTIE_EVENT_BUDGET;
    await setting?.close();
  });

  function writePolicy(ports: readonly number[]): void {
    setting.manifests.write(FILE, [
      policy({
        name: 'green',
        namespace: 'lab',
        selector: "app == 'green'",
        ingress: [...allowPorts(ports), { action: 'Allow', protocol: 'ICMP' }],
      }),
    ]);
  }

  /** IPv4, as the namespace's own stack counts it. */
  async function octets(name: string): Promise<Octets> {
    const { stdout } = await setting.lab.exec(name, ['cat', '/proc/net/netstat']);
    const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('IpExt:'));
    const byName = new Map(names.split(' ').map((field, index) => [field, Number(values.split(' ')[index])]));
    return { sent: byName.get('OutOctets') ?? Number.NaN, received: byName.get('InOctets') ?? Number.NaN };
  }

  function logs(): FlowLog[] {
    if (!existsSync(tap)) return [];
    return readFileSync(tap, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FlowLog)
      .filter(({ source }) => !source.address.includes(':'));
  }

  /** What a workload sent, denied or not, and what it was let receive, as the end that reports says. */
  function told(all: readonly FlowLog[], name: string): Octets {
    const count = { sent: 0, received: 0 };
    for (const log of all) {
      const own = log.reporter === 'src' ? log.source : log.destination;
      if (own.name !== name) continue;
      count.sent += log.bytesOut;
      if (log.action === 'allow') count.received += log.bytesIn;
    }
    return count;
  }

  /** Runs traffic and expects that flow logs counted it as the stacks did. Returns the logs. */
  async function expectExact(traffic: () => Promise<unknown>): Promise<FlowLog[]> {
    const names = ['red', 'green'];
    const before = await Promise.all(names.map(octets));
    expectNothingLate();
    const since = looked;
    await traffic();
    return vi.waitFor(async () => {
      const after = await Promise.all(names.map(octets));
      const fresh = logs().slice(since);
      for (const [index, name] of names.entries()) {
        const sent = (after[index] as Octets).sent - (before[index] as Octets).sent;
        const received = (after[index] as Octets).received - (before[index] as Octets).received;
        expect(told(fresh, name), name).toEqual({ sent, received });
        if (name === 'red') expect(sent).toBeGreaterThan(0);
      }
      looked = since + fresh.length;
      return fresh;
    }, TOLD);
  }

  function expectNothingLate(): void {
    const late = logs().slice(looked);
    for (const name of ['red', 'green']) expect(told(late, name), `${name}, later`).toEqual({ sent: 0, received: 0 });
    looked += late.length;
  }

  const green = WORKLOADS[1]?.addresses[0] as string;

  async function probes(count: number, port: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await setting.probe('red', { transport: 'tcp', address: green, port });
      await setting.probe('red', { transport: 'udp', address: green, port });
      await setting.probe('red', { transport: 'icmp', address: green });
    }
  }

  it('count each byte of connections, datagrams and pings, and name both ends and the rule', async () => {
    const since = logs().length;
    const fresh = await expectExact(() => probes(10, 7000));
    const tcp = fresh.find(({ protocol, reporter }) => protocol === 'TCP' && reporter === 'dst');
    expect(tcp).toMatchObject({
      action: 'allow',
      source: { type: 'wep', namespace: 'lab', name: 'red', labels: { app: 'red' } },
      destination: { type: 'wep', namespace: 'lab', name: 'green', port: 7000 },
      enforced: ['0|default|np:lab/green|allow|0'],
      pending: ['0|default|np:lab/green|allow|0'],
    });
    expect(fresh.find(({ protocol }) => protocol === 'ICMP')).toMatchObject({ icmpType: 8, icmpCode: 0 });
    const of = (which: keyof FlowLog): number =>
      logs()
        .slice(since)
        .filter(({ protocol, reporter }) => protocol === 'TCP' && reporter === 'dst')
        .reduce((sum, log) => sum + (log[which] as number), 0);
    // A closed connection keeps its place for a while, for what is still under way.
    await vi.waitFor(() => expect([of('flowsStarted'), of('flowsCompleted')]).toEqual([10, 10]), TOLD);
  });

  it('count a long connection as it goes, and what waits in a flow cache when it falls silent', async () => {
    await expectExact(async () => {
      const stream = setting.peer('red').stream({ address: green, port: 7000, intervalMs: 2 });
      await stream.progress(1000, 20_000);
      await stream.stop();
    });
  });

  it('count denied packets, with the reason', async () => {
    const fresh = await expectExact(async () => {
      for (let index = 0; index < 3; index += 1) {
        await setting.probe('red', { transport: 'udp', address: green, port: 7999, timeoutMs: 300 });
        await setting.probe('red', { transport: 'tcp', address: green, port: 7999, timeoutMs: 300 });
      }
    });
    const denied = fresh.filter(({ action }) => action === 'deny');
    expect(denied.length).toBeGreaterThan(0);
    for (const log of denied) {
      expect(log).toMatchObject({ reporter: 'dst', reason: 'drop_ingress_policy', destination: { port: 7999 } });
      expect(log.enforced).toEqual(['0|default|np:lab/green|deny|-1']);
    }
  });

  it('tell of a policy that ends a connection half-way: allowed before, denied from then on', async () => {
    const fresh = await expectExact(async () => {
      const stream = setting.peer('red').stream({ address: green, port: 7001, intervalMs: 5 });
      await stream.progress(100, 10_000);
      writePolicy([7000]);
      const isDenied = ({ action, destination: { port } }: FlowLog): boolean => action === 'deny' && port === 7001;
      await vi.waitFor(() => expect(logs().slice(looked).some(isDenied)).toBe(true), TOLD);
      await stream.stop();
    });
    const actions = new Set(
      fresh
        .filter(({ destination, reporter }) => destination.port === 7001 && reporter === 'dst')
        .map(({ action }) => action),
    );
    expect(actions).toEqual(new Set(['allow', 'deny']));
    writePolicy([7000, 7001]);
    await agent.waitFor((status) => status.inSync, 10_000);
  });

  it.each(['stop', 'kill'] as const)('go on where they were when the agent is made to %s', async (how) => {
    await expectExact(async () => {
      const stream = setting.peer('red').stream({ address: green, port: 7000, intervalMs: 2 });
      await stream.progress(500, 10_000);
      await agent[how]();
      await probes(3, 7000);
      agent = await setting.startAgent({ program: PROGRAM });
      await stream.progress(500, 10_000);
      await stream.stop();
    });
  });

  it('count nothing twice: what was told after all was counted has no bytes', async () => {
    const sweeps = (): number => logs().length;
    const before = sweeps();
    // One more connection, which is told of behind whatever was late.
    await setting.probe('red', { transport: 'tcp', address: green, port: 7000 });
    await vi.waitFor(() => expect(sweeps()).toBeGreaterThan(before), TOLD);
    const of = logs().slice(looked, before);
    for (const name of ['red', 'green']) expect(told(of, name), name).toEqual({ sent: 0, received: 0 });
  });
});
