// Floods of new TCP connections against a host with an agent: legitimate ones get through, and one source does not take all.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlockStatus } from '../../src/agent/block/block-service.ts';
import type { SynStatus } from '../../src/agent/block/syn-status.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { frame } from '../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../support/packets/ip.ts';
import { tcp } from '../support/packets/transport.ts';
import { Setting } from './support/setting.ts';
import { GATEWAY, HOST_V4, HOST_V6, NET, OUTSIDE_V6, UPLINK } from './support/uplink.ts';

const PORT = 7000;
const COOKIES = 'net.ipv4.tcp_syncookies';
/** Addresses of a flood. */
const SOURCES = 4096;
/** Each a connection of its own, sent again and again: several times what a socket's queue of half-open connections holds. */
const SYNS = 4 * SOURCES;
const BURST = 1000;
const PAUSE_MS = 10;
const CLIENTS = 10;
const CONNECTIONS = 200;
const WAIT_MS = 20_000 * PATIENCE;

describe('new TCP connections', { timeout: 120_000 * PATIENCE }, () => {
  let setting: Setting;
  let agent: Agent | undefined;
  let macs: { readonly sourceMac: string; readonly destinationMac: string };

  const onHost = (...argv: readonly string[]) => setting.lab.exec(HOST, argv);
  const syn = async (): Promise<SynStatus> =>
    (await agent?.get<{ block: BlockStatus }>('/v1/status'))?.block.syn as SynStatus;
  const links = (name: string) => {
    const { inNamespace, linkList } = loadNative();
    return inNamespace(`/run/netns/${setting.lab.namespace(name)}`, linkList);
  };

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [],
      outsiders: [NET],
      listeners: [{ transport: 'tcp', port: PORT }],
    });
    await onHost('ip', 'route', 'add', 'default', 'via', GATEWAY);
    await onHost('ip', '-6', 'route', 'add', 'default', 'via', OUTSIDE_V6);
    const macOf = (namespace: string, link: string): string =>
      links(namespace).find(({ name }) => name === link)?.mac ?? '';
    macs = { sourceMac: macOf('net', 'eth0'), destinationMac: macOf(HOST, UPLINK) };
  });

  afterEach(async () => {
    await setting.disarm(agent);
    agent = undefined;
  });

  afterAll(() => setting?.close());

  async function start(settings: Readonly<Record<string, string | number>>): Promise<void> {
    const words = Object.entries(settings).map(([name, value]) => `TORTIE_SYN_${name}=${value}`);
    agent = await setting.startAgent({ wrapper: ['env', ...words] });
    await vi.waitFor(async () => expect((await syn()).interfaces).toEqual([UPLINK]), WAIT_MS);
  }

  function synFrom(source: string, sourcePort: number): Uint8Array {
    const segment = tcp({ sourcePort, destinationPort: PORT, flags: ['syn'] });
    const packet = source.includes(':')
      ? ipv6({ source, destination: HOST_V6, segment })
      : ipv4({ source, destination: HOST_V4, segment });
    return frame(packet, macs);
  }

  /** Sends the frames in turn, in bursts, until told to stop. Resolves to how many it sent. */
  function flood(frames: readonly Uint8Array[]): () => Promise<number> {
    const { BpfObject, sendPackets } = loadNative();
    const namespace = `/run/netns/${setting.lab.namespace('net')}`;
    const ifindex = links('net').find(({ name }) => name === 'eth0')?.ifindex ?? 0;
    // Nobody counts arrivals: the sender waits for them in vain, and not for long.
    const object = BpfObject.open(builtFile('build/bpf/guard.bpf.o'), {});
    const job = { namespace, cpu: 0, packets: BURST, arrivals: object.map('tt_guard_state'), patienceMs: 1 };
    let isOn = true;
    const run = async (): Promise<number> => {
      let sent = 0;
      while (isOn) {
        const from = sent % frames.length;
        await sendPackets(ifindex, [...frames.slice(from, from + BURST), ...frames.slice(0, 1)], job);
        sent += BURST;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      object.close();
      return sent;
    };
    const done = run();
    return async () => {
      isOn = false;
      return done;
    };
  }

  /** How many of so many connections came about, of several clients at a time. */
  async function connect(address: string, count: number): Promise<number> {
    let opened = 0;
    const client = async (): Promise<void> => {
      for (let index = 0; index < count / CLIENTS; index += 1) {
        const result = await setting.probe('net', { transport: 'tcp', address, port: PORT, timeoutMs: 15_000 });
        if (result === 'open') opened += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return opened;
  }

  async function cookiesTaken(): Promise<number> {
    const { stdout } = await onHost('cat', '/proc/net/netstat');
    const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('TcpExt:'));
    return Number(values.split(' ')[names.split(' ').indexOf('SyncookiesRecv')]);
  }

  const FLOODS = {
    v4: { address: HOST_V4, source: (at: number) => `203.0.${at >> 8}.${at & 255}` },
    v6: { address: HOST_V6, source: (at: number) => `2001:db8:${(at + 100).toString(16)}::1` },
  } as const;

  it.each([
    ['v4', 2],
    ['v6', 2],
    ['v4', 1],
    ['v6', 1],
  ] as const)('come about under a flood from many addresses, over IP%s, tcp_syncookies %i', async (family, cookies) => {
    await onHost('sysctl', '-qw', `${COOKIES}=${cookies}`);
    await start({ PROTECTION: 'auto', LISTENER_RATE: 10 });
    const { address, source } = FLOODS[family];
    const frames = Array.from({ length: SYNS }, (_, at) => synFrom(source(at % SOURCES), 1024 + at));
    const stop = flood(frames);
    try {
      await vi.waitFor(async () => expect((await syn()).answered.packets).toBeGreaterThan(BURST), WAIT_MS);
      const before = await cookiesTaken();
      const opened = await connect(address, CONNECTIONS);
      expect(opened / CONNECTIONS).toBeGreaterThanOrEqual(0.99);
      expect(await cookiesTaken()).toBeGreaterThan(before);
    } finally {
      await stop();
    }
    const { answered, limited, lack } = await syn();
    expect([lack, limited.packets]).toEqual([null, 0]);
    expect(answered.packets).toBeGreaterThan(CONNECTIONS);
  });

  it('of others come about while one address sends more than its share, which is dropped', async () => {
    await start({ PROTECTION: String(PORT), SOURCE_RATE: 50, LISTENER_RATE: 1_000_000 });
    const stop = flood(Array.from({ length: SOURCES }, (_, at) => synFrom('203.0.113.66', 1024 + at)));
    let sent = 0;
    try {
      expect(await connect(HOST_V4, 40)).toBe(40);
    } finally {
      sent = await stop();
    }
    const { limited, answered } = await syn();
    expect(limited.packets).toBeGreaterThan(sent / 2);
    expect(answered.packets).toBe(0);
  });

  it('are counted from when the setting says so and until it says so no more', async () => {
    const file = join(setting.lab.directory, 'tortie.yaml');
    writeFileSync(file, '');
    agent = await setting.startAgent({ wrapper: ['env', `TORTIE_CONFIG=${file}`] });
    expect(await syn()).toMatchObject({ protection: 'off', interfaces: [] });
    for (const [protection, interfaces] of [
      ['auto', [UPLINK]],
      ['off', []],
      [`80,${PORT}`, [UPLINK]],
    ] as const) {
      writeFileSync(file, `synProtection: ${protection}\nsynListenerRate: 7\n`);
      const wanted = { protection, interfaces, listenerRate: 7 };
      await vi.waitFor(async () => expect(await syn()).toMatchObject(wanted), WAIT_MS);
      expect(await connect(HOST_V4, CLIENTS)).toBe(CLIENTS);
    }
  });
});
