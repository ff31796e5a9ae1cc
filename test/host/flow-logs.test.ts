// Flow logs of real traffic: what they count is what the workloads' own stacks say they sent and received, byte for byte, while
// policy changes, agents come and go, and packets are denied: over IPv4 and IPv6, for workloads and for a host endpoint.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import type { Stream } from '../../tools/lab/stream.ts';
import { hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { type Family, type Octets, octetsOf, stillNeighbours } from './support/octets.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { NODE, type Workload, workload } from './support/workloads.ts';

const WORKLOADS: readonly Workload[] = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
/** A machine next to the host, whose side of the link can be a host endpoint. */
const OUTSIDER = {
  name: 'client',
  hostInterface: 'hepin',
  subnets: [
    { host: '192.0.2.1/24', outsider: '192.0.2.10/24' },
    { host: '2001:db8:1::1/64', outsider: '2001:db8:1::10/64' },
  ],
} as const;
const GATES = ['192.0.2.1', '2001:db8:1::1'] as const;
/** Addresses that the host gets later. */
const LATER_GATES = ['192.0.2.2', '2001:db8:1::2'] as const;
const LISTENERS = [7000, 7001].flatMap((port) =>
  (['tcp', 'udp'] as const).map((transport) => ({ transport, port }) as const),
);
const PODS = ['red', 'green'] as const;
const FILE = '50-policy.yaml';
const HOST_FILE = '60-host.yaml';
const PROGRAM = fileURLToPath(new URL('support/tapped-agent.mjs', import.meta.url));
/** A sweep each second, and counts that wait in a flow cache for two: there is ample time for all to be told. */
const TOLD = { timeout: 15_000 * PATIENCE, interval: 500 };
const FAMILIES: readonly Family[] = ['v4', 'v6'];

function familyOf({ source, destination }: FlowLog): Family {
  return (source.address || destination.address).includes(':') ? 'v6' : 'v4';
}

describe('flow logs', () => {
  let setting: Setting;
  let agent: Agent;
  let tap: string;
  /** Logs that were looked at: what comes later may count nothing more. */
  let looked = 0;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, outsiders: [OUTSIDER], listeners: LISTENERS });
    await stillNeighbours(setting.lab);
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
        ingress: [...allowPorts(ports), { action: 'Allow', protocol: 'ICMP' }, { action: 'Allow', protocol: 'ICMPv6' }],
      }),
    ]);
  }

  function logs(): FlowLog[] {
    if (!existsSync(tap)) return [];
    return readFileSync(tap, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FlowLog);
  }

  /** What a workload sent, denied or not, and what it was let receive, as the end that reports says. */
  function told(all: readonly FlowLog[], name: string, family: Family): Octets {
    const count = { sent: 0, received: 0 };
    for (const log of all) {
      const own = log.reporter === 'src' ? log.source : log.destination;
      if (own.name !== name || familyOf(log) !== family) continue;
      count.sent += log.bytesOut;
      if (log.action === 'allow') count.received += log.bytesIn;
    }
    return count;
  }

  /** What the machine next to the host sent, denied or not, and was let receive, as the host endpoint says. */
  function toldOfClient(all: readonly FlowLog[], family: Family): Octets {
    const count = { sent: 0, received: 0 };
    for (const log of all) {
      const own = log.reporter === 'src' ? log.source : log.destination;
      if (own.type !== 'hep' || familyOf(log) !== family) continue;
      count.sent += log.bytesIn;
      if (log.action === 'allow') count.received += log.bytesOut;
    }
    return count;
  }

  function toldOf(all: readonly FlowLog[], name: string, family: Family): Octets {
    return name === OUTSIDER.name ? toldOfClient(all, family) : told(all, name, family);
  }

  /** Runs traffic of both families and expects that flow logs counted it as the stacks of `names` did. Returns the logs. */
  async function expectExact(traffic: () => Promise<unknown>, names: readonly string[] = PODS): Promise<FlowLog[]> {
    const before = await Promise.all(names.map((name) => octetsOf(setting.lab, name)));
    expectNothingLate();
    const since = looked;
    await traffic();
    return vi.waitFor(async () => {
      const after = await Promise.all(names.map((name) => octetsOf(setting.lab, name)));
      const fresh = logs().slice(since);
      for (const [index, name] of names.entries()) {
        for (const family of FAMILIES) {
          const [first, last] = [before[index]?.[family] as Octets, after[index]?.[family] as Octets];
          const counted = { sent: last.sent - first.sent, received: last.received - first.received };
          expect(toldOf(fresh, name, family), `${name}, ${family}`).toEqual(counted);
          if (index === 0) expect(counted.sent).toBeGreaterThan(0);
        }
      }
      looked = since + fresh.length;
      return fresh;
    }, TOLD);
  }

  function expectNothingLate(): void {
    const late = logs().slice(looked);
    expectNoBytes(late);
    looked += late.length;
  }

  function expectNoBytes(late: readonly FlowLog[]): void {
    for (const name of [...PODS, OUTSIDER.name]) {
      for (const family of FAMILIES) {
        expect(toldOf(late, name, family), `${name}, ${family}, later`).toEqual({ sent: 0, received: 0 });
      }
    }
  }

  const greens = WORKLOADS[1]?.addresses as readonly string[];

  async function probes(count: number, port: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      for (const address of greens) {
        await setting.probe('red', { transport: 'tcp', address, port });
        await setting.probe('red', { transport: 'udp', address, port });
        await setting.probe('red', { transport: 'icmp', address });
      }
    }
  }

  /** Connections to green that go on, one of each family. */
  function openStreams(port: number, intervalMs: number): Stream[] {
    return greens.map((address) => setting.peer('red').stream({ address, port, intervalMs }));
  }

  function progress(streams: readonly Stream[], count: number): Promise<unknown> {
    return Promise.all(streams.map((stream) => stream.progress(count, 20_000)));
  }

  function stop(streams: readonly Stream[]): Promise<unknown> {
    return Promise.all(streams.map((stream) => stream.stop()));
  }

  it('count each byte of connections, datagrams and pings, and name both ends and the rule', async () => {
    const since = logs().length;
    const fresh = await expectExact(() => probes(10, 7000));
    for (const family of FAMILIES) {
      const ours = fresh.filter((log) => familyOf(log) === family);
      expect(ours.find(({ protocol, reporter }) => protocol === 'TCP' && reporter === 'dst')).toMatchObject({
        action: 'allow',
        source: { type: 'wep', namespace: 'lab', name: 'red', labels: { app: 'red' } },
        destination: { type: 'wep', namespace: 'lab', name: 'green', port: 7000 },
        enforced: ['0|default|np:lab/green|allow|0'],
        pending: ['0|default|np:lab/green|allow|0'],
      });
    }
    expect(fresh.find(({ protocol }) => protocol === 'ICMP')).toMatchObject({ icmpType: 8, icmpCode: 0 });
    expect(fresh.find(({ protocol }) => protocol === 'ICMPv6')).toMatchObject({ icmpType: 128, icmpCode: 0 });
    const of = (which: keyof FlowLog): number =>
      logs()
        .slice(since)
        .filter(({ protocol, reporter }) => protocol === 'TCP' && reporter === 'dst')
        .reduce((sum, log) => sum + (log[which] as number), 0);
    // A closed connection keeps its place for a while, for what is still under way.
    await vi.waitFor(() => expect([of('flowsStarted'), of('flowsCompleted')]).toEqual([20, 20]), TOLD);
  });

  it('count a long connection as it goes, and what waits in a flow cache when it falls silent', async () => {
    await expectExact(async () => {
      const streams = openStreams(7000, 2);
      await progress(streams, 1000);
      await stop(streams);
    });
  });

  it('count denied packets, with the reason', async () => {
    const fresh = await expectExact(async () => {
      for (let index = 0; index < 3; index += 1) {
        for (const address of greens) {
          await setting.probe('red', { transport: 'udp', address, port: 7999, timeoutMs: 300 });
          await setting.probe('red', { transport: 'tcp', address, port: 7999, timeoutMs: 300 });
        }
      }
    });
    const denied = fresh.filter(({ action }) => action === 'deny');
    expect(new Set(denied.map(familyOf))).toEqual(new Set(FAMILIES));
    for (const log of denied) {
      expect(log).toMatchObject({ reporter: 'dst', reason: 'drop_ingress_policy', destination: { port: 7999 } });
      expect(log.enforced).toEqual(['0|default|np:lab/green|deny|-1']);
    }
  });

  it('tell of a policy that ends a connection half-way: allowed before, denied from then on', async () => {
    const fresh = await expectExact(async () => {
      const streams = openStreams(7001, 5);
      await progress(streams, 100);
      writePolicy([7000]);
      const isDenied = ({ action, destination: { port } }: FlowLog): boolean => action === 'deny' && port === 7001;
      await vi.waitFor(() => {
        const families = new Set(logs().slice(looked).filter(isDenied).map(familyOf));
        expect(families).toEqual(new Set(FAMILIES));
      }, TOLD);
      await stop(streams);
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
      const streams = openStreams(7000, 2);
      await progress(streams, 500);
      await agent[how]();
      await probes(3, 7000);
      agent = await setting.startAgent({ program: PROGRAM });
      await progress(streams, 500);
      await stop(streams);
    });
  });

  it('count what a host endpoint sends and receives, denied or not, as the machine next to it does', async () => {
    const ports = { destination: { ports: [7000] } };
    const allow = { action: 'Allow', protocol: 'TCP', ...ports } as const;
    setting.manifests.write(HOST_FILE, [
      hostEndpoint('gate', { interfaceName: OUTSIDER.hostInterface }),
      hostPolicy({ name: 'gate', ingress: [allow, { ...allow, protocol: 'UDP' }], egress: [allow] }),
    ]);
    await agent.waitFor(
      (status) => status.inSync && status.hostEndpoints.some(({ state }) => state === 'ready'),
      10_000 * PATIENCE,
    );
    const fresh = await expectExact(async () => {
      for (const [index, gate] of GATES.entries()) {
        const client = OUTSIDER.subnets[index]?.outsider.replace(/\/.*/, '') as string;
        for (const transport of ['tcp', 'udp'] as const) {
          for (let times = 0; times < 5; times += 1) {
            expect(await setting.probe('client', { transport, address: gate, port: 7000 })).toBe('open');
          }
          expect(await setting.probe('client', { transport, address: gate, port: 7001, timeoutMs: 300 })).toBe(
            'timeout',
          );
        }
        expect(await setting.probe(HOST, { transport: 'tcp', address: client, port: 7000 })).toBe('open');
      }
    }, [OUTSIDER.name]);
    const kinds = new Set(fresh.map((log) => `${familyOf(log)} ${log.reporter} ${log.action}`));
    expect(kinds).toEqual(
      new Set(FAMILIES.flatMap((family) => ['src allow', 'dst allow', 'dst deny'].map((rest) => `${family} ${rest}`))),
    );
    setting.manifests.remove(HOST_FILE);
    await agent.waitFor((status) => status.inSync && status.hostEndpoints.length === 0, 10_000 * PATIENCE);
  });

  it('count nothing twice: what was told after all was counted has no bytes', async () => {
    const sweeps = (): number => logs().length;
    const before = sweeps();
    // One more connection, which is told of behind whatever was late.
    await setting.probe('red', { transport: 'tcp', address: greens[0] as string, port: 7000 });
    await vi.waitFor(() => expect(sweeps()).toBeGreaterThan(before), TOLD);
    expectNoBytes(logs().slice(looked, before));
  });

  it('name the host endpoint by addresses that its interface gets later', async () => {
    setting.manifests.write(HOST_FILE, [
      hostEndpoint('gate', { interfaceName: OUTSIDER.hostInterface }),
      hostPolicy({ name: 'gate', ingress: [{ action: 'Allow' }] }),
    ]);
    await agent.waitFor(
      (status) => status.inSync && status.hostEndpoints.some(({ state }) => state === 'ready'),
      10_000 * PATIENCE,
    );
    for (const [index, address] of LATER_GATES.entries()) {
      const words = ['address', 'add', `${address}/${index === 0 ? 24 : 64}`, 'dev', OUTSIDER.hostInterface];
      await setting.lab.exec(HOST, ['ip', ...words, ...(index === 0 ? [] : ['nodad'])]);
      await vi.waitFor(async () => {
        expect(await setting.probe('client', { transport: 'tcp', address, port: 7000 })).toBe('open');
        expect(logs().findLast(({ destination }) => destination.address === address)?.destination).toMatchObject({
          type: 'hep',
          name: 'gate',
          aggregatedName: NODE,
          labels: { host: 'gate' },
        });
      }, TOLD);
    }
  });
});
