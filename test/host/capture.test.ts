// `tortie capture` and `tortie drops --pcap` of real traffic, read by Debian's tshark: bytes, verdicts, rules, interfaces.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CaptureBits, CaptureSettings } from '../../src/abi/capture.gen.ts';
import { Endpoint } from '../../src/abi/endpoint.gen.ts';
import { State } from '../../src/abi/heap.gen.ts';
import { runCommand } from '../../src/bench/command.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { type Agent, pinRoot, socketPath } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2), workload('lab', 'blue', 3)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const [RED, GREEN, BLUE] = WORKLOADS.map(({ addresses }) => addresses[0]) as [string, string, string];
const ETHERNET = 14;

interface Frame {
  readonly interface: string;
  readonly comment: string;
  readonly length: number;
  readonly captured: number;
  /** 1 = inbound, 2 = outbound. */
  readonly direction: string;
  readonly source: string;
  readonly ipLength: number;
  readonly port: number;
  readonly time: number;
}

let setting: Setting;
let agent: Agent;
let files: string;

beforeAll(async () => {
  setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
  files = join(setting.lab.directory, 'captured');
  const green = { name: 'green', namespace: 'lab', selector: "app == 'green'" };
  setting.manifests.write('50-policy.yaml', [policy({ ...green, ingress: allowPorts([7000]) })]);
  agent = await setting.startAgent();
}, 120_000);

afterAll(async () => {
  await setting.disarm(agent);
  await setting.close();
});

async function read(file: string): Promise<Frame[]> {
  const names = ['frame.interface_name', 'frame.comment', 'frame.len', 'frame.cap_len'];
  names.push('frame.packet_flags_direction', 'ip.src', 'ip.len', 'tcp.dstport', 'frame.time_epoch');
  const fields = names.flatMap((name) => ['-e', name]);
  const { stdout } = await runCommand(['tshark', '-n', '-r', file, '-T', 'fields', '-E', 'separator=/t', ...fields]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [interfaceName = '', comment = '', length, captured, direction = '', source = '', ip, port, time] =
        line.split('\t');
      const numbers = { length: Number(length), captured: Number(captured), ipLength: Number(ip) };
      const when = { port: Number(port), time: Number(time) };
      return { interface: interfaceName, comment, direction: String(Number(direction)), source, ...numbers, ...when };
    });
}

/** Runs the command, with something going on as soon as it captures, until all of that is written. Returns what it said. */
async function during(file: string, words: readonly string[], talk: () => Promise<void>, to = file): Promise<string> {
  const command = tortieCommand(...words, '--duration', '5m', '-w', to, '--socket', socketPath(setting.lab));
  const child = setting.lab.spawn(HOST, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  await expect.poll(() => existsSync(file), { timeout: 20_000, interval: 100 }).toBe(true);
  await talk();
  let before = -1;
  const written = () => readdirSync(files).reduce((sum, name) => sum + statSync(join(files, name)).size, 0);
  await vi.waitFor(
    () => {
      const [last, now] = [before, written()];
      before = now;
      expect(now).toBe(last);
    },
    { timeout: 20_000, interval: 1000 },
  );
  child.kill('SIGINT');
  await ended;
  return said.join('');
}

const ask = (from: string, address: string, port: number) =>
  setting.probe(from, { transport: 'tcp', address, port, timeoutMs: port === 7000 || address !== GREEN ? 2000 : 400 });

async function talk(): Promise<void> {
  expect(await ask('red', GREEN, 7000)).toBe('open');
  expect(await ask('red', GREEN, 7001)).toBe('timeout');
  expect(await ask('red', BLUE, 7001)).toBe('open');
}

function words(name: string): Uint32Array {
  const map = loadNative().BpfMap.openPinned(new Pins(pinRoot(setting.lab)).map(name));
  const value = map.info.type === 2 && name !== 'tt_capture_set' ? new Uint32Array(map.mmap().slice(0)) : undefined;
  const bytes = value === undefined ? (map.lookup(new Uint8Array(4)) as Uint8Array) : undefined;
  map.close();
  return value ?? new Uint32Array((bytes as Uint8Array).slice().buffer);
}

/** Whatever of the programs' memory says that something is captured. */
function marks(): number {
  const endpoints = words('tt_endpoints');
  const flags = endpoints.filter((_, at) => at % (Endpoint.SIZE / 4) === Endpoint.OFFSET.flags / 4);
  const state = words('tt_state')[State.OFFSET.flags / 4] as number;
  const settings = words('tt_capture_set')[CaptureSettings.OFFSET.bytes / 4] as number;
  return [...flags, state].filter((one) => (one & CaptureBits.BOTH) !== 0).length + Number(settings !== 0);
}

describe('packets of an endpoint', { timeout: 120_000 }, () => {
  afterEach(() => expect(marks()).toBe(0));

  it('are written with bytes, interface, direction, verdict and rule, for nobody but the owner', async () => {
    const file = join(files, 'green.pcapng');
    const capture = ['capture', '--selector', "app == 'green'", '--snaplen', '1500'];
    const begin = Date.now() / 1000;
    const said = await during(file, capture, async () => {
      expect(marks()).toBeGreaterThan(0);
      await talk();
    });
    expect(said).toMatch(/capturing 1 endpoints: lab\/green/);
    expect(said).toMatch(/none missing/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(files).mode & 0o777).toBe(0o700);
    // Without ARP, which is captured too.
    const frames = (await read(file)).filter(({ source }) => source !== '');
    const allowed = frames.filter(({ comment }) => comment.startsWith('verdict=allow '));
    const denied = frames.filter(({ comment }) => comment.startsWith('verdict=deny '));
    expect(allowed.length + denied.length).toBe(frames.length);
    expect(new Set(frames.map(({ source }) => source))).toEqual(new Set([RED, GREEN]));
    for (const { length, captured, ipLength, time } of frames) {
      expect(length).toBe(ipLength + ETHERNET);
      expect(captured).toBe(length);
      expect(time).toBeGreaterThan(begin - 1);
      expect(time).toBeLessThan(begin + 30);
    }
    // A connection's packets are there from the first to the last, both ways: at least three each.
    const there = allowed.filter(({ source, port }) => source === RED && port === 7000);
    const back = allowed.filter(({ source }) => source === GREEN);
    expect(there.length).toBeGreaterThanOrEqual(3);
    expect(back.length).toBeGreaterThanOrEqual(2);
    expect(new Set(there.map((frame) => `${frame.interface} ${frame.direction}`))).toEqual(new Set(['caligreen 2']));
    expect(new Set(back.map((frame) => `${frame.interface} ${frame.direction}`))).toEqual(new Set(['caligreen 1']));
    expect(there[0]?.comment).toMatch(/reason=allowed_new rule=\S*np:lab\/\S*green\|allow\|0 .*destination=lab\/green/);
    expect(new Set(denied.map(({ port }) => port))).toEqual(new Set([7001]));
    expect(denied[0]?.comment).toMatch(/reason=drop_ingress_policy rule=\S*np:lab\/\S*green\|deny\|/);
  });

  it('are those of every capture, when two run at once', async () => {
    const [first, second] = [join(files, 'first.pcapng'), join(files, 'drops.pcapng')];
    await during(second, ['capture', '--namespace', 'lab', '--verdict', 'deny'], async () => {
      await talk();
      await during(first, ['capture', '--endpoint', 'lab/blue'], talk);
    });
    const [ofBlue, denied] = [await read(first), await read(second)];
    expect(new Set(ofBlue.map((frame) => frame.interface))).toEqual(new Set(['caliblue']));
    expect(ofBlue.length).toBeGreaterThanOrEqual(5);
    expect(denied.length).toBeGreaterThanOrEqual(2);
    expect(denied.every(({ comment, port }) => comment.startsWith('verdict=deny ') && port === 7001)).toBe(true);
  });

  it('stop at the size of a file, or go on in another one', async () => {
    const small = join(files, 'small.pcapng');
    const many = async () => {
      for (let round = 0; round < 8; round += 1) expect(await ask('red', GREEN, 7000)).toBe('open');
    };
    const size = ['--size', '4K'];
    await during(small, ['capture', '--endpoint', 'lab/green', ...size], many);
    expect(statSync(small).size).toBeLessThan(4096 + 512);
    const rotated = join(files, 'turns-00001.pcapng');
    const turns = ['capture', '--endpoint', 'lab/green', ...size, '--files', '2'];
    await during(rotated, turns, many, join(files, 'turns.pcapng'));
    const left = readdirSync(files).filter((name) => name.startsWith('turns-'));
    expect(left.length).toBe(2);
    expect(left).not.toContain('turns-00001.pcapng');
    for (const name of left) {
      expect(statSync(join(files, name)).mode & 0o777).toBe(0o600);
      expect((await read(join(files, name))).length).toBeGreaterThan(0);
    }
  });

  it('are filtered by port and expression', async () => {
    const file = join(files, 'port.pcapng');
    await during(file, ['capture', '--namespace', 'lab', '--port', '7001'], talk);
    const frames = await read(file);
    expect(frames.filter(({ port }) => port === 7001).length).toBeGreaterThan(0);
    // And what is answered from there.
    expect(new Set(frames.filter(({ port }) => port !== 7001).map(({ source }) => source))).toEqual(new Set([BLUE]));
  });

  it('are refused where nobody could say whose', async () => {
    await expect(agent.ask('capture', '-w', join(files, 'none'))).rejects.toThrow(/whose packets/);
    await expect(agent.ask('capture', '--selector', 'app ==', '-w', join(files, 'none'))).rejects.toThrow(/selector/);
    await expect(agent.ask('capture', '--endpoint', 'lab/grey', '-w', join(files, 'none'))).rejects.toThrow(
      /lab\/grey/,
    );
    expect(existsSync(join(files, 'none'))).toBe(false);
  });
});

describe('drops', { timeout: 120_000 }, () => {
  it('are written with the reason and the rule, until it is stopped', async () => {
    const file = join(files, 'denied.pcapng');
    const command = tortieCommand('drops', '--pcap', file, '--socket', socketPath(setting.lab));
    const child = setting.lab.spawn(HOST, command, { stdio: 'ignore' });
    await expect.poll(() => existsSync(file), { timeout: 20_000, interval: 100 }).toBe(true);
    await talk();
    await expect.poll(() => statSync(file).size, { timeout: 10_000, interval: 500 }).toBeGreaterThan(400);
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
    const frames = await read(file);
    expect(frames.length).toBeGreaterThan(0);
    for (const { comment, port } of frames) {
      expect(comment).toMatch(/^verdict=deny reason=drop_ingress_policy rule=\S*np:lab\/\S*green\|deny\|/);
      expect(port).toBe(7001);
    }
    await expect.poll(marks, { timeout: 10_000, interval: 500 }).toBe(0);
  });
});

describe('a PacketCapture', { timeout: 120_000 }, () => {
  it('is carried out into files of the agent, until it is removed', async () => {
    const place = join(setting.lab.directory, 'state', 'captures', 'lab', 'seen');
    const written = () => (existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : []);
    setting.manifests.write('60-capture.yaml', [
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'PacketCapture',
        metadata: { name: 'seen', namespace: 'lab' },
        spec: { selector: "app == 'blue'", filters: [{ protocol: 'TCP', ports: [7001] }] },
      },
    ]);
    await expect.poll(() => written().length, { timeout: 20_000, interval: 200 }).toBe(1);
    const status = async () =>
      JSON.parse((await agent.ask('get', 'packetcapture', 'seen', '-n', 'lab', '-o', 'json')).stdout).status.files;
    const fileNames = written().map((path) => basename(path));
    const [{ node }] = await status();
    expect(await status()).toEqual([{ node, directory: place, fileNames, state: 'WaitingForTraffic' }]);
    await talk();
    await expect.poll(status).toEqual([{ node, directory: place, fileNames, state: 'Capturing' }]);
    expect(await ask('red', BLUE, 7000)).toBe('open');
    setting.manifests.remove('60-capture.yaml');
    await expect.poll(marks, { timeout: 20_000, interval: 500 }).toBe(0);
    const [file = ''] = written();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(place).mode & 0o777).toBe(0o700);
    const frames = await read(file);
    expect(frames.length).toBeGreaterThanOrEqual(5);
    for (const { interface: name, comment } of frames) {
      expect(name).toBe('caliblue');
      expect(comment).toMatch(/^verdict=allow /);
    }
    expect(frames.filter(({ source }) => source === RED).every(({ port }) => port === 7001)).toBe(true);
  });
});

describe('an agent that is killed', { timeout: 120_000 }, () => {
  it('leaves nothing captured to the next one', async () => {
    const file = join(files, 'killed.pcapng');
    const ended = agent.ask('capture', '--namespace', 'lab', '--duration', '1h', '-w', file).catch(String);
    await expect.poll(() => existsSync(file), { timeout: 20_000, interval: 100 }).toBe(true);
    expect(marks()).toBeGreaterThan(0);
    await agent.kill();
    expect(await ended).toMatch(/no agent answers|AGENT_UNREACHABLE/);
    expect(marks()).toBeGreaterThan(0);
    agent = await setting.startAgent();
    expect(marks()).toBe(0);
    await talk();
  });
});
