// Sources that are blocked on a host's own interface, with real packets, agents that die, and interfaces that come and go.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlockOutcome, BlockReport, BlockStatus, BlockTest } from '../../src/agent/block/block-service.ts';
import { GuardObject } from '../../src/kernel/guard-object.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { type Agent, cleanUp, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import type { ProbeResult } from '../../tools/lab/peer.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { frame } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { udp } from '../support/packets/transport.ts';
import { Setting } from './support/setting.ts';
import { GATEWAY, HOST_V4, HOST_V6, NET, OUTSIDE_V6, UPLINK } from './support/uplink.ts';

/** Further addresses of the machine outside. */
const ENEMY_V4 = '192.0.2.66';
const FRIEND_V4 = '192.0.2.77';
const ENEMY_V6 = '2001:db8:1::66';
const FRIEND_V6 = '2001:db8:1::77';
const WAIT_MS = 20_000;
const SEGMENT = udp({ sourcePort: 1, destinationPort: 9 });
const PROBE_MS = 300;

/** A datagram in a VLAN. */
function tagged(source: string, vlan: number): Uint8Array {
  const packet = source.includes(':')
    ? ipv6({ source, destination: HOST_V6, segment: SEGMENT })
    : ipv4({ source, destination: HOST_V4, segment: SEGMENT });
  return frame(packet, { vlan });
}

describe('blocked sources', () => {
  let setting: Setting;
  let agent: Agent;

  const onHost = (...argv: readonly string[]) => setting.lab.exec(HOST, argv);
  const outside = (...argv: readonly string[]) => setting.lab.exec('net', argv);
  const block = async <T = BlockOutcome>(...argv: readonly string[]): Promise<T> =>
    JSON.parse((await agent.ask('block', ...argv, '-o', 'json')).stdout) as T;
  const inHost = <T>(call: () => T): T => loadNative().inNamespace(`/run/netns/${setting.lab.namespace(HOST)}`, call);
  const pin = (): string => join(pinRoot(setting.lab), 'guard', 'links', UPLINK);
  const guard = async (): Promise<BlockStatus> => (await agent.get<{ block: BlockStatus }>('/v1/status')).block;

  /** Everything that a command prints, and how it ends. */
  async function tell(...argv: readonly string[]): Promise<string> {
    const command = tortieCommand(...argv, '--socket', join(setting.lab.directory, 'agent.sock'));
    return (await onHost('sh', '-c', '"$@" 2>&1; echo "exit $?"', 'sh', ...command)).stdout;
  }

  /** From the machine outside, past its stack. */
  async function sendOutside(frames: readonly Uint8Array[]): Promise<void> {
    const { BpfObject, inNamespace, linkList, sendPackets } = loadNative();
    const namespace = `/run/netns/${setting.lab.namespace('net')}`;
    const ifindex = inNamespace(namespace, linkList).find(({ name }) => name === 'eth0')?.ifindex ?? 0;
    // Nobody counts arrivals here: the sender waits for them in vain, and not for long.
    const object = BpfObject.open(builtFile('build/bpf/guard.bpf.o'), {});
    const arrivals = object.map('tt_guard_state');
    await sendPackets(ifindex, frames, { namespace, cpu: 0, packets: frames.length, arrivals, patienceMs: 20 });
    object.close();
  }

  async function reach(source: string, address = source.includes(':') ? HOST_V6 : HOST_V4): Promise<ProbeResult> {
    return setting.probe('net', { transport: 'icmp', address, sourceAddress: source, timeoutMs: PROBE_MS });
  }

  const reachFromAll = () => Promise.all([ENEMY_V4, FRIEND_V4, ENEMY_V6, FRIEND_V6].map((source) => reach(source)));

  async function ifindexOf(name: string): Promise<number> {
    return inHost(() => loadNative().linkList()).find((link) => link.name === name)?.ifindex ?? 0;
  }

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [],
      outsiders: [NET],
      listeners: [7000, 22].map((port) => ({ transport: 'tcp', port }) as const),
    });
    for (const address of [ENEMY_V4, FRIEND_V4]) await outside('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const address of [ENEMY_V6, FRIEND_V6]) {
      await outside('ip', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
    }
    await onHost('ip', 'route', 'add', 'default', 'via', GATEWAY);
    agent = await setting.startAgent();
  });

  afterEach(async () => {
    const { list, feedList } = await agent.get<BlockReport>('/block');
    if (list.length > 0) await block('remove', ...list.map(({ cidr }) => cidr));
    for (const { name } of feedList) await block('feed', 'remove', name);
  });

  afterAll(async () => {
    await agent?.kill();
    await setting?.close();
  });

  it('are dropped from the moment that the command ends, others are not; and pass again when taken out', async () => {
    expect(await reachFromAll()).toEqual(['open', 'open', 'open', 'open']);
    expect(await block('add', ENEMY_V4, ENEMY_V6, '--reason', 'test')).toMatchObject({ added: 2, warning: null });
    expect(await reachFromAll()).toEqual(['timeout', 'open', 'timeout', 'open']);
    const tcp = { transport: 'tcp', address: HOST_V4, port: 7000, timeoutMs: PROBE_MS } as const;
    expect(await setting.probe('net', { ...tcp, sourceAddress: ENEMY_V4 })).toBe('timeout');
    expect(await setting.probe('net', { ...tcp, sourceAddress: FRIEND_V4 })).toBe('open');
    const { interfaces, drops } = await guard();
    expect(interfaces).toEqual([{ interface: UPLINK, state: 'guarded', mode: 'native', reason: '' }]);
    expect(drops.source.packets).toBeGreaterThanOrEqual(3);
    expect(await block<BlockTest>('test', ENEMY_V4)).toMatchObject({ isBlocked: true, by: [{ kind: 'entry' }] });
    await block('remove', ENEMY_V4, ENEMY_V6);
    expect(await reachFromAll()).toEqual(['open', 'open', 'open', 'open']);
    expect(existsSync(pin())).toBe(false);
  });

  it('are dropped while the agent is dead, and by the next one, through the same link', async () => {
    await block('add', ENEMY_V4, ENEMY_V6);
    const link = loadNative().BpfLink.openPinned(pin());
    const { id } = link.info;
    await agent.kill();
    expect(await reachFromAll()).toEqual(['timeout', 'open', 'timeout', 'open']);
    agent = await setting.startAgent();
    await vi.waitFor(async () => expect((await guard()).interfaces).toHaveLength(1), WAIT_MS);
    expect(await reachFromAll()).toEqual(['timeout', 'open', 'timeout', 'open']);
    expect([link.info.id, loadNative().BpfLink.openPinned(pin()).info.id]).toEqual([id, id]);
    link.close();
    const { list } = await agent.get<BlockReport>('/block');
    expect(list.map(({ cidr }) => cidr).sort()).toEqual([`${ENEMY_V4}/32`, `${ENEMY_V6}/128`]);
  });

  it('pass again when their time is over, with no command', async () => {
    await block('add', ENEMY_V4, '--ttl', '1s');
    expect(await reach(ENEMY_V4)).toBe('timeout');
    await vi.waitFor(async () => expect(await reach(ENEMY_V4)).toBe('open'), WAIT_MS);
    expect((await guard()).entries).toBe(0);
  });

  it('are dropped in a VLAN too, by the guard of the interface below it', async () => {
    await block('add', ENEMY_V4, ENEMY_V6);
    const before = (await guard()).drops.source.packets;
    const sources = [ENEMY_V4, FRIEND_V4, ENEMY_V6, FRIEND_V6];
    await sendOutside(sources.flatMap((source) => [tagged(source, 5), tagged(source, 6)]));
    await vi.waitFor(async () => expect((await guard()).drops.source.packets).toBe(before + 4), WAIT_MS);
  });

  it('are guarded against again when somebody detaches the program', async () => {
    await block('add', ENEMY_V4);
    const link = loadNative().BpfLink.openPinned(pin());
    link.detach();
    link.close();
    expect(await reach(ENEMY_V4)).toBe('open');
    await vi.waitFor(async () => expect(await reach(ENEMY_V4)).toBe('timeout'), WAIT_MS);
    const { repairsByCause } = await agent.get<{ repairsByCause: Record<string, number> }>('/v1/status');
    expect(repairsByCause['program-missing']).toBeGreaterThanOrEqual(1);
  });

  it('are dropped on an interface that is made anew', async () => {
    await block('add', ENEMY_V4);
    const namespace = setting.lab.namespace('net');
    await onHost('ip', 'link', 'del', UPLINK);
    await vi.waitFor(async () => expect((await guard()).error).not.toBeNull(), WAIT_MS);
    await onHost('ip', 'link', 'add', UPLINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    for (const address of [GATEWAY, ENEMY_V4, FRIEND_V4]) {
      await outside('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    }
    for (const address of [OUTSIDE_V6, ENEMY_V6, FRIEND_V6]) {
      await outside('ip', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
    }
    await outside('ip', 'link', 'set', 'eth0', 'up');
    await onHost('ip', 'addr', 'add', `${HOST_V4}/24`, 'dev', UPLINK);
    await onHost('ip', 'addr', 'add', `${HOST_V6}/64`, 'dev', UPLINK, 'nodad');
    await onHost('ip', 'link', 'set', UPLINK, 'up');
    await onHost('ip', 'route', 'add', 'default', 'via', GATEWAY);
    await vi.waitFor(async () => expect((await guard()).error).toBeNull(), WAIT_MS);
    expect([await reach(ENEMY_V4), await reach(FRIEND_V4)]).toEqual(['timeout', 'open']);
  });

  it('are let in where the program of somebody else is, which stays, and everybody is told', async () => {
    await onHost('ip', 'link', 'add', 'up1', 'type', 'veth', 'peer', 'name', 'up1x');
    const ifindex = await ifindexOf('up1');
    const foreign = new GuardObject({ blocks: 4 });
    const link = inHost(() => loadNative().xdpAttach(foreign.program(), ifindex, 'generic'));
    const { programId } = link.info;
    await agent.kill();
    agent = await setting.startAgent({ wrapper: ['env', `TORTIE_GUARD_INTERFACES=${UPLINK},up1`] });
    try {
      const outcome = await tell('block', 'add', ENEMY_V4);
      expect(outcome).toMatch(/not in force everywhere.*up1.*another XDP program.*exit 4/s);
      expect(await reach(ENEMY_V4)).toBe('timeout');
      expect((await guard()).interfaces.map(({ state }) => state).sort()).toEqual(['error', 'guarded']);
      expect(inHost(() => loadNative().xdpQuery(ifindex)).generic).toBe(programId);
      expect(await tell('doctor', '--bpffs', setting.lab.bpffs)).toMatch(/^fail +block .*up1.*another XDP program/im);
    } finally {
      link.detach();
      link.close();
      foreign.close();
      await onHost('ip', 'link', 'del', 'up1');
    }
  });

  it('that would lock the operator out are refused, and forced', async () => {
    const session = setting.peer('net').stream({ address: HOST_V6, port: 22 });
    await session.progress(2, WAIT_MS);
    const [, source = ''] = / src (\S+)/.exec((await outside('ip', 'route', 'get', HOST_V6)).stdout) ?? [];
    await expect(agent.ask('block', 'add', source)).rejects.toThrow(`contains ${source}, which has an SSH session`);
    await session.stop();
    await expect(agent.ask('block', 'add', '192.0.2.0/24')).rejects.toThrow(/contains 192\.0\.2\.2.*default gateway/s);
    expect(await reachFromAll()).toEqual(['open', 'open', 'open', 'open']);
    await block('add', '192.0.2.0/24', '--force');
    expect(await reach(FRIEND_V4)).toBe('timeout');
  });

  it('come from a feed of a million prefixes as well, replaced at once', async () => {
    const file = join(setting.lab.directory, 'feed.txt');
    const lines = Array.from({ length: 1_000_000 }, (_, index) => {
      const word = Math.imul(index + 1, 2654435761) >>> 0;
      return `${20 + (word >>> 26)}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
    });
    writeFileSync(file, `# a million\n${lines.join('\n')}\nnonsense\n${ENEMY_V4}\n`);
    const outcome = await tell('block', 'feed', 'add', 'big', '--from-file', file);
    expect(outcome).toMatch(/line 1000002: "nonsense" is neither an address nor a prefix\nexit 3/);
    const { prefixes, tableBytes } = await guard();
    expect([prefixes > 900_000, tableBytes > 2 ** 23]).toEqual([true, true]);
    expect([await reach(ENEMY_V4), await reach(FRIEND_V4)]).toEqual(['timeout', 'open']);
    expect(await block<BlockTest>('test', lines[123_456] ?? '')).toMatchObject({ isBlocked: true });
    await block('add', ENEMY_V6);
    expect(await reachFromAll()).toEqual(['timeout', 'open', 'timeout', 'open']);
    await agent.kill();
    agent = await setting.startAgent();
    await vi.waitFor(async () => expect((await guard()).prefixes).toBe(prefixes + 1), WAIT_MS);
    expect(await reachFromAll()).toEqual(['timeout', 'open', 'timeout', 'open']);
    writeFileSync(file, `${FRIEND_V4}\n`);
    await block('feed', 'add', 'big', '--from-file', file);
    expect(await reachFromAll()).toEqual(['open', 'timeout', 'timeout', 'open']);
  });

  it('pass again after a cleanup, which leaves neither program nor pin', async () => {
    await block('add', ENEMY_V4);
    await agent.kill();
    expect(await reach(ENEMY_V4)).toBe('timeout');
    const { stdout } = await cleanUp(setting.lab);
    expect(stdout).toContain(UPLINK);
    expect([await reach(ENEMY_V4), existsSync(pinRoot(setting.lab))]).toEqual(['open', false]);
    const ifindex = await ifindexOf(UPLINK);
    expect(inHost(() => loadNative().xdpQuery(ifindex))).toEqual({ native: 0, generic: 0, offloaded: 0 });
    agent = await setting.startAgent();
    await vi.waitFor(async () => expect(await reach(ENEMY_V4)).toBe('timeout'), WAIT_MS);
  });
});
