// Untracked policy of host endpoints, asked before the stack: what it denies ends at the wire, and nothing else depends on that.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlockStatus } from '../../src/agent/block/block-service.ts';
import { loadNative } from '../../src/kernel/native.ts';
import type { FlowRecord } from '../../src/observe/flow-record.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import type { ProbeResult } from '../../tools/lab/peer.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { Setting } from './support/setting.ts';
import { NET, UPLINK } from './support/uplink.ts';

const HOSTS = ['192.0.2.1', '2001:db8:1::1'] as const;
const PORT = 7000;
const FILE = '50-host.yaml';
const PROBE_MS = 300;
const WAIT_MS = 15_000 * PATIENCE;
const FORBIDDEN = 7001;
const MONITOR_SECONDS = 4;

const ENDPOINT = hostEndpoint('wire', { interfaceName: UPLINK });
const NORMAL = hostPolicy({ name: 'open', ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] });
const UNTRACKED = hostPolicy({
  name: 'shield',
  doNotTrack: true,
  applyOnForward: true,
  ingress: [{ action: 'Deny', protocol: 'UDP', destination: { ports: [FORBIDDEN] } }],
});

describe('untracked policy', { timeout: 60_000 * PATIENCE }, () => {
  let setting: Setting;
  let agent: Agent;

  const inHost = <T>(call: () => T): T => loadNative().inNamespace(`/run/netns/${setting.lab.namespace(HOST)}`, call);
  const guarded = async (): Promise<string[]> =>
    (await agent.get<{ block: BlockStatus }>('/v1/status')).block.interfaces.map((one) => one.interface);
  const drops = async (): Promise<number> =>
    (await agent.get<{ counters: Record<string, { packets: number }> }>('/v1/status')).counters.drop_untracked
      ?.packets ?? 0;

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [],
      outsiders: [NET],
      listeners: [PORT, FORBIDDEN].map((port) => ({ transport: 'udp', port }) as const),
    });
    agent = await setting.startAgent();
  });

  afterEach(() => setting.manifests.remove(FILE));
  afterAll(async () => {
    await agent?.kill();
    await setting?.close();
  });

  const knock = (address: string, port: number): Promise<ProbeResult> =>
    setting.probe('net', { transport: 'udp', address, port, timeoutMs: PROBE_MS });
  const knockAll = () => Promise.all(HOSTS.flatMap((address) => [knock(address, PORT), knock(address, FORBIDDEN)]));
  const OPEN = ['open', 'open', 'open', 'open'];
  const SHIELDED = ['open', 'timeout', 'open', 'timeout'];

  it('is asked at the wire while there is some, and in the stack in any case', async () => {
    expect(await knockAll()).toEqual(OPEN);
    setting.manifests.write(FILE, [ENDPOINT, NORMAL]);
    await vi.waitFor(async () => expect(await knockAll()).toEqual(OPEN), WAIT_MS);
    expect(await guarded()).toEqual([]);
    setting.manifests.write(FILE, [ENDPOINT, NORMAL, UNTRACKED]);
    await vi.waitFor(async () => expect(await guarded()).toEqual([UPLINK]), WAIT_MS);
    await vi.waitFor(async () => expect(await knockAll()).toEqual(SHIELDED), WAIT_MS);
    const hooks = await hooksOfDrops();
    expect(new Set(hooks)).toEqual(new Set(['from_wire']));
    const link = loadNative().BpfLink.openPinned(`${setting.lab.bpffs}/tortie/guard/links/${UPLINK}`);
    link.detach();
    link.close();
    expect(await knockAll()).toEqual(SHIELDED);
    const ifindex = inHost(() => loadNative().linkList()).find(({ name }) => name === UPLINK)?.ifindex ?? 0;
    await vi.waitFor(() => expect(inHost(() => loadNative().xdpQuery(ifindex)).native).not.toBe(0), WAIT_MS);
    setting.manifests.write(FILE, [ENDPOINT, NORMAL]);
    await vi.waitFor(async () => expect(await knockAll()).toEqual(OPEN), WAIT_MS);
    await vi.waitFor(async () => expect(await guarded()).toEqual([]), WAIT_MS);
  });

  it('is in force at the wire again when the next agent has come, as one that was blocked is', async () => {
    setting.manifests.write(FILE, [ENDPOINT, NORMAL, UNTRACKED]);
    await vi.waitFor(async () => expect(await guarded()).toEqual([UPLINK]), WAIT_MS);
    await agent.kill();
    expect(await knockAll()).toEqual(SHIELDED);
    agent = await setting.startAgent();
    await vi.waitFor(async () => expect(await guarded()).toEqual([UPLINK]), WAIT_MS);
    expect(await knockAll()).toEqual(SHIELDED);
    await agent.ask('block', 'add', '192.0.2.99');
    expect(await knockAll()).toEqual(SHIELDED);
    await agent.ask('block', 'remove', '192.0.2.99');
    expect(await guarded()).toEqual([UPLINK]);
    expect(await drops()).toBeGreaterThan(0);
  });

  /** Of packets that untracked policy drops from here on, as the agent tells of them. */
  async function hooksOfDrops(): Promise<string[]> {
    const monitor = tortieCommand('monitor', '-o', 'json', '--socket', join(setting.lab.directory, 'agent.sock'));
    let isOver = false;
    const told = setting.lab
      .exec(HOST, ['sh', '-c', `timeout ${MONITOR_SECONDS} "$@"; true`, 'sh', ...monitor])
      .finally(() => {
        isOver = true;
      });
    while (!isOver) await knockAll();
    const records = (await told).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FlowRecord);
    return records.filter(({ reason }) => reason === 'drop_untracked').map(({ hook }) => hook);
  }
});
