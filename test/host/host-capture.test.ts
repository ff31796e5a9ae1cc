// What policy of host endpoints drops, in a file, all of it or one endpoint's: netfilter's hooks have no frame of it, only the IP packet,
// and Debian's tshark has to read that with verdict, reason and rule.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { socketPath } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { CLIENT, FAMILIES, GATE, HostStage, PORT, SERVER } from './support/host-stage.ts';

interface Dropped {
  readonly interface: string;
  readonly encapsulation: string;
  readonly direction: string;
  readonly comment: string;
  readonly source: string;
  readonly destination: string;
  readonly port: string;
  readonly length: number;
  readonly captured: number;
}

const FIELDS = ['frame.interface_name', 'frame.encap_type', 'frame.packet_flags_direction', 'frame.comment'];
const DENY = { action: 'Deny', protocol: 'TCP', destination: { ports: [PORT] } } as const;
const ALLOW_SSH = { action: 'Allow', protocol: 'TCP', destination: { ports: [22] } } as const;
const ALLOW = { action: 'Allow' } as const;
/** Of libwiretap: packets that begin with their IP header. */
const RAW_IP = '7';

describe('packets that host endpoints drop', { timeout: 120_000 * PATIENCE }, () => {
  let stage: HostStage;
  let file: string;

  beforeAll(async () => {
    stage = await HostStage.create();
    file = join(stage.setting.lab.directory, 'host-drops.pcapng');
  });

  afterAll(() => stage?.close());

  beforeEach(() => stage.start());

  afterEach(() => stage.clear());

  const drops = () => ['drops', '--pcap', file];

  /** Writes what is dropped while something goes on. */
  async function during(talk: () => Promise<unknown>, words: readonly string[] = drops()): Promise<Dropped[]> {
    rmSync(file, { force: true });
    const command = tortieCommand(...words, '--socket', socketPath(stage.setting.lab));
    const child = stage.setting.lab.spawn(HOST, command, { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      await expect
        .poll(() => existsSync(file) && statSync(file).size > 0, { timeout: 20_000, interval: 200 })
        .toBe(true);
      const before = statSync(file).size;
      await talk();
      await expect.poll(() => statSync(file).size, { timeout: 20_000, interval: 500 }).toBeGreaterThan(before);
    } finally {
      child.kill('SIGINT');
      await ended;
    }
    return read();
  }

  async function read(): Promise<Dropped[]> {
    const names = [...FIELDS, 'ip.src', 'ipv6.src', 'ip.dst', 'ipv6.dst', 'tcp.dstport', 'frame.len', 'frame.cap_len'];
    const fields = names.flatMap((name) => ['-e', name]);
    const { stdout } = await runCommand(['tshark', '-n', '-r', file, '-T', 'fields', '-E', 'separator=/t', ...fields]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', encapsulation = '', direction = '', comment = '', ...rest] = line.split('\t');
        const [from4, from6, to4, to6, port = '', length, captured] = rest;
        return {
          interface: name,
          encapsulation,
          direction: String(Number(direction)),
          comment,
          source: from4 || (from6 ?? ''),
          destination: to4 || (to6 ?? ''),
          port,
          length: Number(length),
          captured: Number(captured),
        };
      })
      .filter(({ port }) => port === String(PORT));
  }

  it.each(FAMILIES)('say verdict, reason, rule and interface, for the host itself (%s)', async (family) => {
    await stage.apply(
      hostEndpoint('in', { interfaceName: 'hepin' }),
      hostPolicy({ name: 'shut', ingress: [ALLOW_SSH, DENY, ALLOW], egress: [DENY, ALLOW] }),
    );
    const frames = await during(async () => {
      expect(await stage.knock('client', GATE[family])).toBe('timeout');
      expect(await stage.knock(HOST, CLIENT[family])).toBe('timeout');
      expect(await stage.knock('server', GATE[family])).toBe('open');
    });
    const came = frames.filter(({ source }) => source === CLIENT[family]);
    const went = frames.filter(({ source }) => source === GATE[family]);
    expect([came.length > 0, went.length > 0, came.length + went.length]).toEqual([true, true, frames.length]);
    for (const { comment, destination, direction } of came) {
      expect(comment).toMatch(
        /^verdict=deny reason=drop_host_ingress rule=\S*\|gnp:(?:default\.)?shut\|deny\|1 .*hook=to_host$/,
      );
      expect([destination, direction]).toEqual([GATE[family], '1']);
    }
    for (const { comment, destination, direction } of went) {
      expect(comment).toMatch(
        /^verdict=deny reason=drop_host_egress rule=\S*\|gnp:(?:default\.)?shut\|deny\|0 .*hook=from_host$/,
      );
      expect([destination, direction]).toEqual([CLIENT[family], '2']);
    }
    for (const frame of frames) {
      expect([frame.encapsulation, frame.captured]).toEqual([RAW_IP, frame.length]);
      expect(frame.interface).toContain('hepin');
    }
  });

  it('say so of what is forwarded', async () => {
    await stage.apply(
      hostEndpoint('in', { interfaceName: 'hepin' }),
      hostPolicy({ name: 'through', applyOnForward: true, ingress: [DENY, ALLOW] }),
    );
    const frames = await during(async () => {
      expect(await stage.knock('client', SERVER.v4)).toBe('timeout');
    });
    expect(frames.length).toBeGreaterThan(0);
    for (const { comment, source, destination } of frames) {
      expect(comment).toMatch(/^verdict=deny reason=drop_host_ingress rule=\S*through\|deny\|0 .*hook=forward$/);
      expect([source, destination]).toEqual([CLIENT.v4, SERVER.v4]);
    }
  });

  it.each(FAMILIES)('are captured of the one whose policy denies them (%s)', async (family) => {
    await stage.apply(
      hostEndpoint('in', { interfaceName: 'hepin' }),
      hostEndpoint('out', { interfaceName: 'hepout' }),
      hostPolicy({ name: 'shut-in', selector: "host == 'in'", ingress: [DENY, ALLOW] }),
      hostPolicy({ name: 'shut-out', selector: "host == 'out'", applyOnForward: true, egress: [DENY, ALLOW] }),
    );
    const words = ['capture', '--host-endpoint', 'out', '--verdict', 'deny', '-w', file];
    const frames = await during(async () => {
      expect(await stage.knock('client', GATE[family])).toBe('timeout');
      expect(await stage.knock('client', SERVER[family])).toBe('timeout');
      expect(await stage.knock(HOST, SERVER[family])).toBe('timeout');
    }, words);
    for (const { comment, destination } of frames) {
      expect(comment).toMatch(/^verdict=deny reason=drop_host_egress rule=\S*shut-out\|deny\|0 /);
      expect(destination).toBe(SERVER[family]);
    }
    const hooks = new Set(frames.map(({ comment }) => comment.replace(/^.* hook=/, '')));
    expect(hooks).toEqual(new Set(['forward', 'from_host']));
  });
});
