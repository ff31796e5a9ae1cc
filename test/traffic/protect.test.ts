// A machine that somebody has just installed, in a guest with a kernel and a disk of its own: systemd, sshd, a web server and a service
// that is nobody's business. Three commands of an SSH session protect it, and it stays so when the agent dies and when it boots again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProject } from '../../tools/lab/project.ts';
import { buildDebianPackage } from '../../tools/package/debian.ts';
import { Machine } from '../../tools/traffic/machine.ts';
import { VmCarrier } from '../../tools/traffic/vm-machines.ts';
import { makeSystemDisk } from './support/system-disk.ts';

/** What Debian's stable release has. */
const KERNEL = '6.12';
const WAIT_MS = 300_000;
/** A guest without KVM may take seconds to answer. */
const ANSWER_S = 40;
const HOST = '192.0.2.1';
const WEB = 80;
const PRIVATE = 9999;

interface Reach {
  readonly ssh: boolean;
  readonly web: boolean;
  readonly private: boolean;
}

const ALL: Reach = { ssh: true, web: true, private: true };
const PROTECTED: Reach = { ssh: true, web: true, private: false };

/** Who asks says no more after that: answers are for those, too. */
const SERVERS = `const http = require('node:http');
for (const port of [${WEB}, ${PRIVATE}]) {
  const server = http.createServer((_, answer) => answer.end('hello'));
  server.httpAllowHalfOpen = true;
  server.listen(port, '::');
}
`;

/** Somebody at the other end of a cable, from the first moment that the machine has a network. */
const CABLE = `set -e
ip netns add far
ip link add uplink0 type veth peer name eth0 netns far
ip address add ${HOST}/24 dev uplink0
ip link set uplink0 up
ip -n far address add 192.0.2.2/24 dev eth0
ip -n far link set eth0 up
[ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
ssh-keygen -A
`;

const unit = (command: string, type: string, before: string): string => `[Unit]
Before=${before}
[Service]
Type=${type}
RemainAfterExit=yes
ExecStart=${command}
[Install]
WantedBy=multi-user.target
`;

const SSH_CLIENT = `StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
BatchMode yes
ConnectTimeout 60
KexAlgorithms curve25519-sha256
`;

const FILES = {
  'etc/systemd/system/cable.service': unit('/bin/sh /root/cable.sh', 'oneshot', 'ssh.service'),
  'etc/systemd/system/servers.service': unit('/usr/bin/node /root/servers.cjs', 'exec', 'multi-user.target'),
  // A shell that is not the first one reads none of this machine's own start files.
  'etc/ssh/sshd_config': 'UsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\nSetEnv SHLVL=9\n',
  // A guest of slow processors has no time for large tables, nor for a database beside what is asked of it.
  'etc/default/tortie':
    'TORTIE_HEAP_WORDS=2097152\nTORTIE_MAX_FLOWS=16384\nTORTIE_FLOW_LOGS=off\nTORTIE_FLOW_STORE=off\n',
  'root/.ssh/config': SSH_CLIENT,
  'root/cable.sh': CABLE,
  'root/servers.cjs': SERVERS,
};

let folder: string;
let carrier: VmCarrier;
let machine: Machine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-protect-'));
  const disk = makeSystemDisk(folder, {
    package: await buildDebianPackage(findProject(), folder),
    enabled: ['tortie.service', 'ssh.service', 'cable.service', 'servers.service'],
    files: FILES,
  });
  const guest = { name: 'host', kernel: KERNEL, memoryMb: 2048, cpus: 2, number: 1, disk };
  carrier = await VmCarrier.create([guest], (what) => console.log(what));
  machine = await Machine.open('host', carrier);
  await untilUp();
});

afterAll(async () => {
  await carrier?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function untilUp(): Promise<void> {
  await vi.waitFor(() => machine.exec(['systemctl', 'is-active', 'multi-user.target']), {
    timeout: WAIT_MS,
    interval: 1000,
  });
  await vi.waitFor(() => machine.exec(['tortie', 'status']), { timeout: WAIT_MS, interval: 1000 });
}

const far = (...argv: readonly string[]): string[] => ['ip', 'netns', 'exec', 'far', ...argv];

/** A command in a new SSH session from elsewhere, as an operator types it. */
async function remote(command: string): Promise<string> {
  const { stdout } = await machine.exec(far('ssh', `root@${HOST}`, command));
  return stdout;
}

/** By one small program: starting a shell takes a guest seconds. */
async function answers(port: number, seconds: number): Promise<boolean> {
  const fetch = ['/run/tortie-guest/busybox', 'nc', '-w', String(seconds), HOST, String(port)];
  const { code, stdout, stderr } = await machine.run(far(...fetch), 'GET / HTTP/1.0\r\n\r\n');
  // One that cannot be asked is not closed.
  expect(code, stderr).toBeLessThan(126);
  expect(stderr).not.toContain('No such file');
  return stdout.includes('hello');
}

/** What is closed is dropped, so that only time tells: it has several times what the open one took. */
async function expectReach(expected: Reach): Promise<void> {
  const ssh = (await machine.run(far('ssh', `root@${HOST}`, 'true'))).code === 0;
  const start = performance.now();
  const web = await answers(WEB, ANSWER_S);
  const closedSeconds = 2 + Math.ceil((3 * (performance.now() - start)) / 1000);
  const isPrivateOpen = await answers(PRIVATE, expected.private ? ANSWER_S : closedSeconds);
  expect({ ssh, web, private: isPrivateOpen }).toEqual(expected);
}

describe('a machine that was just installed', () => {
  it('is protected by three commands of an SSH session', async () => {
    // Nobody has asked the private service so far: whoever had would be proposed to be let in.
    await remote('tortie protect --output host.yaml');
    await expectReach(ALL);
    await remote('tortie protect --from-file host.yaml --apply --confirm 10m');
    await expectReach(PROTECTED);
    expect(await remote('tortie confirm')).toMatch(/revision \d+ is confirmed/);
    await expectReach(PROTECTED);
  });

  it('stays so when the agent is killed, and when it comes again', async () => {
    // Otherwise another one is there a second later.
    await machine.write('/run/systemd/system/tortie.service.d/once.conf', '[Service]\nRestart=no\n');
    await machine.exec(['systemctl', 'daemon-reload']);
    await machine.exec(['systemctl', 'kill', '-s', 'KILL', 'tortie']);
    expect((await machine.run(['tortie', 'status'])).code).not.toBe(0);
    await expectReach(PROTECTED);
    await machine.exec(['systemctl', 'start', 'tortie']);
    await untilUp();
    await expectReach(PROTECTED);
  });

  it('stays so after a reboot', async () => {
    const before = await machine.exec(['cat', '/proc/sys/kernel/random/boot_id']);
    await machine.reboot();
    await untilUp();
    expect(await machine.exec(['cat', '/proc/sys/kernel/random/boot_id'])).not.toEqual(before);
    await expectReach(PROTECTED);
  });

  it('is open again by one command', async () => {
    await remote('tortie protect --undo');
    await expectReach(ALL);
  });
});
