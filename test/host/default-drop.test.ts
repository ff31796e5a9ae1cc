// What has no policy yet carries no traffic; what cannot be understood changes nothing; and interfaces come and go as they like.
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { State } from '../../src/abi/heap.gen.ts';
import type { AgentStatus } from '../../src/agent/status.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import type { ProbeResult } from '../../tools/lab/peer.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { allowPorts, policy } from './support/policies.ts';
import { PolicyTruth, type ProbeKind } from './support/policy-truth.ts';
import { Setting, WORKLOADS_FILE } from './support/setting.ts';
import { type Workload, workload, workloadManifests } from './support/workloads.ts';

const red = workload('lab', 'red', 1);
const green = workload('lab', 'green', 2);
const late = workload('lab', 'late', 3, { isUnplugged: true });
const WORKLOADS: readonly Workload[] = [red, green, late];
const PARTIES = [red, green].map(({ pod, addresses }) => ({ name: pod, addresses }));
const PORTS = [7000, 7001];
const LISTENERS = PORTS.flatMap((port) =>
  (['tcp', 'udp', 'sctp'] as const).map((transport) => ({ transport, port }) as const),
);
const KINDS: readonly ProbeKind[] = [...LISTENERS, { transport: 'icmp' }];
const FILE = '50-policy.yaml';
const BROKEN_FILE = '60-broken.yaml';
const SYNC_LIMIT_MS = 5000;
/** The kernel does not tell of what becomes of a program: the agent looks now and then. */
const AUDIT_LIMIT_MS = 10_000;
const OFTEN = { auditSeconds: 1 };

describe('an agent that is up', () => {
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
  });

  beforeEach(async () => {
    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
    setting.manifests.write(FILE, [
      policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts([7000]) }),
      policy({ name: 'late', namespace: 'lab', selector: "app == 'late'", ingress: allowPorts([7000]) }),
    ]);
    setting.manifests.remove(BROKEN_FILE);
  });

  afterEach(async () => {
    await setting.disarm(agent);
    await setting.lab.removeInterface('late').catch(() => {
      // Not every test gives it one.
    });
  });

  afterAll(async () => {
    await setting?.close();
  });

  async function expectTruth(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, KINDS);
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  function reach(from: string, to: Workload, port: number, timeoutMs = 200): Promise<ProbeResult[]> {
    const request = { transport: 'udp', port, timeoutMs } as const;
    return Promise.all(to.addresses.map((address) => setting.probe(from, { ...request, address })));
  }

  async function untilState(pod: string, state: string): Promise<void> {
    const isThere = ({ inSync, endpoints }: AgentStatus) =>
      inSync && endpoints.some((one) => one.endpoint === `lab/${pod}` && one.state === state);
    await agent.waitFor(isThere, SYNC_LIMIT_MS);
  }

  /** What a network plugin looks at. */
  function enforcedFiles(): string[] {
    return readdirSync(join(setting.lab.directory, 'agent.endpoints')).sort();
  }

  it('reports an endpoint whose interface is missing as waiting, and enforces the others', async () => {
    agent = await setting.startAgent();
    const status = await agent.waitFor((one) => one.inSync, SYNC_LIMIT_MS);
    const states = Object.fromEntries(status.endpoints.map((one) => [one.endpoint, one.state]));
    expect(states).toEqual({ 'lab/green': 'ready', 'lab/late': 'waiting', 'lab/red': 'ready' });
    expect(status.endpoints.find((one) => one.endpoint === 'lab/late')?.reason).toContain('calilate');
    await expectTruth();
  });

  it('has an interface under policy before it can carry a packet, again and again', async () => {
    agent = await setting.startAgent();
    for (let round = 0; round < 3; round++) {
      await setting.lab.addInterface('late');
      await untilState('late', 'ready');
      expect(enforcedFiles()).toEqual(['lab_green.json', 'lab_late.json', 'lab_red.json']);
      await setting.lab.connect('late');
      await vi.waitUntil(async () => (await reach('red', late, 7000)).every((one) => one === 'open'), {
        timeout: 3000,
      });
      expect(await reach('red', late, 7001)).toEqual(['timeout', 'timeout']);
      expect(await reach('late', green, 7000, 2000)).toEqual(['open', 'open']);
      expect(await reach('late', green, 7001)).toEqual(['timeout', 'timeout']);
      await setting.lab.removeInterface('late');
      await untilState('late', 'waiting');
      expect(enforcedFiles()).toEqual(['lab_green.json', 'lab_red.json']);
    }
    await expectTruth();
  });

  it('lets nothing in or out of a workload interface that no endpoint claims, until one does', async () => {
    setting.manifests.write(WORKLOADS_FILE, workloadManifests([red, green]));
    agent = await setting.startAgent();
    // A file that is cut short is held back for a second, also by an agent that finds it so.
    await agent.waitFor(({ endpoints }) => endpoints.length === 2, SYNC_LIMIT_MS);
    await setting.lab.addInterface('late');
    await setting.lab.connect('late');
    const isDropping = async (): Promise<boolean> => {
      await reach(HOST, late, 7000, 50);
      return ((await agent.status())?.counters.drop_not_ready?.packets ?? 0) > 0;
    };
    await vi.waitUntil(isDropping, { timeout: 3000 });
    for (const from of ['red', HOST]) {
      expect(await reach(from, late, 7000)).not.toContain('open');
    }
    expect(await reach('late', red, 7000)).not.toContain('open');

    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
    await untilState('late', 'ready');
    await vi.waitUntil(async () => (await reach('red', late, 7000)).every((one) => one === 'open'), {
      timeout: 10_000,
    });
    expect(await reach('red', late, 7001)).toEqual(['timeout', 'timeout']);
  });

  it('puts an endpoint behind the interface that an operator names, and remembers it', async () => {
    const elsewhere = { ...late, hostInterface: 'califar' };
    setting.manifests.write(WORKLOADS_FILE, workloadManifests([red, green, elsewhere]));
    agent = await setting.startAgent();
    await setting.lab.addInterface('late');
    await setting.lab.connect('late');
    expect((await agent.status())?.endpoints.find((one) => one.endpoint === 'lab/late')?.state).toBe('waiting');
    await agent.ask('endpoint', 'add', 'lab/late', '--interface', late.hostInterface);
    await untilState('late', 'ready');
    expect(await reach('red', late, 7000, 2000)).toEqual(['open', 'open']);
    expect(await reach('red', late, 7001)).toEqual(['timeout', 'timeout']);

    await agent.kill();
    agent = await setting.startAgent();
    await untilState('late', 'ready');
    expect(await reach('red', late, 7000, 2000)).toEqual(['open', 'open']);
    await agent.ask('endpoint', 'remove', 'lab/late');
    await untilState('late', 'waiting');
    expect(await reach('red', late, 7000)).not.toContain('open');
    await expect(agent.ask('endpoint', 'add', 'lab/nobody', '--interface', 'calilate')).rejects.toThrow(/NOT_FOUND/);
  });

  it('drops what a workload sends from an address that is not its own', async () => {
    agent = await setting.startAgent();
    await setting.lab.exec('red', ['ip', 'address', 'add', '10.66.0.99/32', 'dev', 'eth0']);
    const request = { transport: 'udp', address: green.addresses[0] ?? '', port: 7000, timeoutMs: 200 } as const;
    expect(await setting.probe('red', { ...request, sourceAddress: '10.66.0.99' })).toBe('timeout');
    expect(await setting.probe('red', { ...request, sourceAddress: red.addresses[0] })).toBe('open');
    expect((await agent.status())?.counters.drop_spoofed_address?.packets).toBeGreaterThan(0);
    await setting.lab.exec('red', ['ip', 'address', 'delete', '10.66.0.99/32', 'dev', 'eth0']);
  });

  it('keeps the last good version of a manifest that breaks, and says what is wrong with it', async () => {
    agent = await setting.startAgent();
    const truth = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, KINDS);
    setting.manifests.writeText(FILE, 'kind: NetworkPolicy\n  spec: [');
    setting.manifests.write(BROKEN_FILE, [
      policy({ name: 'broken', namespace: 'lab', selector: "app = = 'red'", ingress: [], egress: [] }),
    ]);
    const status = await agent.waitFor((one) => one.inSync && one.manifests.errors.length >= 2, SYNC_LIMIT_MS);
    expect(JSON.stringify(status.manifests.errors)).toContain(FILE);
    expect(JSON.stringify(status.manifests.errors)).toContain(BROKEN_FILE);
    expect(describeDisagreements(await truthTable(setting.peers, truth))).toEqual([]);

    setting.manifests.remove(BROKEN_FILE);
    setting.manifests.write(FILE, [
      policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts([7001]) }),
    ]);
    await agent.waitFor((one) => one.inSync && one.manifests.errors.length === 0, SYNC_LIMIT_MS);
    await expectTruth();
  });

  it('attaches again what somebody else took off, by TCX', async () => {
    agent = await setting.startAgent({ attach: 'tcx', ...OFTEN });
    const pins = join(setting.lab.bpffs, 'tortie');
    const ours = readdirSync(pins, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.includes(green.hostInterface),
    );
    expect(ours).toHaveLength(2);
    for (const path of ours) {
      const link = loadNative().BpfLink.openPinned(join(pins, path));
      link.detach();
      link.close();
    }
    await agent.waitFor((status) => status.repairs > 0 && status.inSync, AUDIT_LIMIT_MS);
    await expectTruth();
  });

  it('takes its place in front again when a program before it lets everything pass', async () => {
    agent = await setting.startAgent({ attach: 'tcx', ...OFTEN });
    const places = [red, green].flatMap(({ hostInterface }) =>
      ['ingress', 'egress'].map((direction) => {
        return { hostInterface, direction, pin: join(setting.lab.bpffs, `${hostInterface}-${direction}`) };
      }),
    );
    const script = `
      const native = process.getBuiltinModule('module').createRequire('/')(${JSON.stringify(builtFile('build/Release/tortie.node'))});
      const pass = native.BpfObject.open(${JSON.stringify(builtFile('build/bpf/test/native.bpf.o'))}, {}).program('pass');
      for (const { hostInterface, direction, pin } of ${JSON.stringify(places)}) {
        const { ifindex } = native.linkList().find(({ name }) => name === hostInterface);
        native.BpfLink.attachTcx(pass, ifindex, direction).pin(pin);
      }`;
    await setting.lab.exec(HOST, [process.execPath, '--input-type=module', '--eval', script]);
    expect(await reach('red', green, 7001, 1000)).toContain('open');
    await agent.waitFor((status) => status.repairs > 0 && status.inSync, AUDIT_LIMIT_MS);
    await expectTruth();
    for (const { pin } of places) unlinkSync(pin);
  });

  it('attaches again what somebody else took off, by clsact', async () => {
    agent = await setting.startAgent({ attach: 'clsact' });
    await setting.lab.exec(HOST, ['tc', 'qdisc', 'delete', 'dev', green.hostInterface, 'clsact']);
    await agent.waitFor((status) => status.repairs > 0 && status.inSync, AUDIT_LIMIT_MS);
    await expectTruth();
  });

  it('puts its image in force again when somebody switched to another', async () => {
    agent = await setting.startAgent(OFTEN);
    await expectTruth();
    const pin = new Pins(join(setting.lab.bpffs, 'tortie')).map('tt_state');
    const state = new Uint32Array(loadNative().BpfMap.openPinned(pin).mmap());
    const [active, stamp] = [State.OFFSET.active / 4, State.OFFSET.stamp / 4];
    const before = Atomics.load(state, active);
    Atomics.store(state, active, 1 - before);
    Atomics.add(state, stamp, 1);
    await vi.waitFor(() => expect(Atomics.load(state, active)).toBe(before), AUDIT_LIMIT_MS);
    await expectTruth();
  });

  it('gives the same verdicts by clsact filters', async () => {
    agent = await setting.startAgent({ attach: 'clsact' });
    expect((await agent.status())?.attachMode).toBe('clsact');
    await expectTruth();
  });
});
