// tortie doctor on networks that something is wrong with: each check sees the very thing that was broken, and gives a hint.
import { chmodSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding, Level } from '../../src/agent/doctor/finding.ts';
import { builtFile } from '../../src/kernel/native.ts';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const red = workload('lab', 'red', 1);
const LINK = red.hostInterface;

/** A shell line that runs a script with the addon; `pass` is a program of others, `ifindex` the workload's interface. */
function native(script: string): string {
  const source = `
    const native = process.getBuiltinModule("module").createRequire("/")("${builtFile('build/Release/tortie.node')}");
    const pass = native.BpfObject.open("${builtFile('build/bpf/test/native.bpf.o')}", {}).program("pass");
    const { ifindex } = native.linkList().find(({ name }) => name === "${LINK}");
    ${script.replaceAll("'", '"')}`;
  return `'${process.execPath}' --input-type=module --eval '${source}'`;
}

describe('tortie doctor', { timeout: 60_000 }, () => {
  let setting: Setting;
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [red],
      outsiders: [{ name: 'net', hostInterface: 'up0', subnets: [{ host: '192.0.2.1/24', outsider: '192.0.2.2/24' }] }],
      listeners: [],
    });
    agent = await setting.startAgent({ attach: 'tcx' });
  });

  afterAll(async () => {
    await setting?.disarm(agent);
    await setting?.close();
  });

  /** Runs a shell line around it in the lab's host namespace, in mounts of its own. */
  async function examine(broken = 'true', mended = 'true'): Promise<{ findings: Finding[]; code: number }> {
    const places = ['--bpffs', setting.lab.bpffs, '--pin-root', pinRoot(setting.lab)];
    const state = ['--state-dir', join(setting.lab.directory, 'state')];
    const socket = ['--socket', join(setting.lab.directory, 'agent.sock')];
    const words = [...tortieCommand('doctor', ...places, ...state, ...socket), '--output', 'json'];
    const command = words.map((word) => `'${word}'`).join(' ');
    const script = `${broken} >&2; ${command}; code=$?; ${mended} >&2; echo $code >&2`;
    const { stdout, stderr } = await setting.lab.exec(HOST, ['unshare', '--mount', 'sh', '-c', script]);
    return { findings: JSON.parse(stdout) as Finding[], code: Number(stderr.trim().split('\n').at(-1)) };
  }

  async function finding(id: string, broken: string, mended: string): Promise<Finding | undefined> {
    return (await examine(broken, mended)).findings.find((one) => one.id === id);
  }

  it('has no failure to tell of while all is well', async () => {
    const { findings, code } = await examine();
    expect(findings.filter(({ level }) => level === 'fail')).toEqual([]);
    expect(findings.find(({ id }) => id === 'other-programs')?.found).toBe('2 hooks, ours alone');
    for (const id of ['agent', 'drift', 'tables', 'disk']) {
      expect(findings.find((one) => one.id === id)?.level, id).toBe('ok');
    }
    expect(code).toBe(0);
  });

  it.each<[string, Level, string, string, RegExp]>([
    ['forwarding', 'fail', 'sysctl -w net.ipv4.ip_forward=0', 'sysctl -w net.ipv4.ip_forward=1', /ip_forward=1/],
    [
      'rp_filter',
      'warn',
      `sysctl -w net.ipv4.conf.${LINK}.rp_filter=1`,
      `sysctl -w net.ipv4.conf.${LINK}.rp_filter=0`,
      new RegExp(`${LINK}.rp_filter=2`),
    ],
    [
      'route_localnet',
      'warn',
      `sysctl -w net.ipv4.conf.${LINK}.route_localnet=1`,
      `sysctl -w net.ipv4.conf.${LINK}.route_localnet=0`,
      new RegExp(`${LINK}.route_localnet=0`),
    ],
    [
      'nftables',
      'fail',
      `nft add table ip x && nft add chain ip x f '{ type filter hook forward priority 0; policy drop; }'`,
      'nft delete table ip x',
      /nft list ruleset/,
    ],
    ['iptables', 'fail', 'iptables-legacy -P FORWARD DROP', 'iptables-legacy -P FORWARD ACCEPT', /iptables-save/],
    [
      'other-filters',
      'warn',
      native(`native.clsactAttach(pass, ifindex, 'ingress', 1, 10);`),
      `tc qdisc delete dev ${LINK} clsact`,
      /tc filter show/,
    ],
    [
      'mtu',
      'warn',
      'ip route add default via 192.0.2.2 && ip link set up0 mtu 1400',
      'ip route delete default; ip link set up0 mtu 1500',
      /1400/,
    ],
    ['cgroup2', 'warn', 'umount --all --types cgroup2', 'true', /mount -t cgroup2/],
  ])('%s: says %s where somebody breaks just that', async (id, level, broken, mended, hint) => {
    const found = await finding(id, broken, mended);
    expect(found).toMatchObject({ level, hint: expect.stringMatching(hint) });
  });

  it('fails where there is no bpffs, and for a process without capabilities', async () => {
    const { findings, code } = await examine(`umount ${setting.lab.bpffs}`);
    expect(findings.find(({ id }) => id === 'bpffs')).toMatchObject({ level: 'fail', hint: expect.anything() });
    expect(code).toBe(1);
    const words = tortieCommand('doctor', '--output', 'json');
    const confined = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...words];
    const script = `${confined.map((word) => `'${word}'`).join(' ')} || true`;
    const { stdout } = await setting.lab.exec(HOST, ['sh', '-c', script]);
    const capabilities = (JSON.parse(stdout) as Finding[]).find(({ id }) => id === 'capabilities');
    expect(capabilities).toMatchObject({ level: 'fail', found: expect.stringContaining('CAP_BPF') });
  });

  it('tells of another program on a hook: in front of ours, or behind it once the agent has taken its place', async () => {
    const pin = join(setting.lab.bpffs, 'foreign');
    await setting.lab.exec(HOST, [
      'sh',
      '-c',
      native(`native.BpfLink.attachTcx(pass, ifindex, 'ingress').pin('${pin}');`),
    ]);
    // The agent takes its place in front again at its next audit.
    const found = await finding('other-programs', 'true', 'true');
    expect(['fail', 'warn']).toContain(found?.level);
    expect(found?.found).toContain(`${LINK} ingress`);
    unlinkSync(pin);
  });

  it('fails where anybody may write the state', async () => {
    const state = join(setting.lab.directory, 'state');
    chmodSync(state, 0o777);
    expect(await finding('state-directory', 'true', 'true')).toMatchObject({
      level: 'fail',
      hint: expect.stringContaining('chmod'),
    });
    chmodSync(state, 0o700);
  });

  it('fails, and skips what only an agent knows, once the agent is gone', async () => {
    await agent.kill();
    const { findings, code } = await examine();
    const levels = Object.fromEntries(findings.map(({ id, level }) => [id, level]));
    expect(levels).toMatchObject({ agent: 'fail', drift: 'skip', tables: 'skip', 'other-programs': 'ok' });
    expect(code).toBe(1);
  });
});
