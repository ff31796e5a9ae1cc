// A machine that is administered through a real sshd and serves on port 80, and gets policy of its own through that very sshd:
// nobody is locked out, by mistake, by a dead agent or by a reboot.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Agent, cleanUp } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import type { ProbeResult } from '../../tools/lab/peer.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { Setting } from './support/setting.ts';
import { SshServer } from './support/ssh-server.ts';
import { NODE } from './support/workloads.ts';

const HOST_V4 = '192.0.2.1';
const HOST_V6 = '2001:db8:1::1';
/** No failsafe port: policy alone keeps it open. */
const SSH_PORT = 2222;
const WEB_PORT = 80;
const OTHER_PORT = 9100;
const PROBE_MS = 400;
const WAIT_MS = 20_000 * PATIENCE;

/** What somebody has to confirm a change, where everything takes its time. */
const seconds = (count: number): string => `${Math.ceil(count * PATIENCE)}s`;

/** Closes everything that is no failsafe port. */
const LOCKED = [
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'locked' },
    spec: {
      order: 1,
      selector: "role == 'locked'",
      types: ['Ingress'],
      ingress: [{ action: 'Deny', protocol: 'TCP' }],
    },
  },
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: { name: 'a-locked', labels: { role: 'locked' } },
    spec: { node: NODE, interfaceName: '*' },
  },
];

describe('a machine that is protected through its own sshd', { timeout: 120_000 }, () => {
  let setting: Setting;
  let ssh: SshServer;
  let agent: Agent;

  /** A command of ours in an SSH session, as an operator types it. */
  const remote = (...words: readonly string[]): Promise<string> =>
    ssh
      .run(
        'net',
        `${[...tortieCommand(...words), '--socket', join(setting.lab.directory, 'agent.sock')].join(' ')} 2>&1; echo exit $?`,
      )
      .then(({ stdout }) => stdout);
  const probe = (port: number, address: string = HOST_V4): Promise<ProbeResult> =>
    setting.probe('net', { transport: 'tcp', address, port, timeoutMs: PROBE_MS });
  const ports = (): Promise<ProbeResult[]> => Promise.all([probe(WEB_PORT), probe(OTHER_PORT)]);
  const locked = (): string => {
    const path = join(setting.lab.directory, 'locked.yaml');
    writeFileSync(path, LOCKED.map((object) => JSON.stringify(object)).join('\n---\n'));
    return path;
  };
  const pending = async (): Promise<unknown> => (await agent.status())?.store?.pending;

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [],
      outsiders: [
        {
          name: 'net',
          hostInterface: 'up0',
          subnets: [
            { host: `${HOST_V4}/24`, outsider: '192.0.2.2/24' },
            { host: `${HOST_V6}/64`, outsider: '2001:db8:1::2/64' },
          ],
        },
      ],
      listeners: [
        { transport: 'tcp', port: WEB_PORT },
        { transport: 'tcp', port: OTHER_PORT },
      ],
    });
    ssh = await SshServer.start(setting.lab, { port: SSH_PORT, address: HOST_V4 });
    await vi.waitFor(async () => expect(await ssh.isReachable('net')).toBe(true), WAIT_MS);
  });

  beforeEach(async () => {
    agent = await setting.startAgent();
  });

  /** Nothing of a test is left for the next one, whatever it ended with. */
  afterEach(async () => {
    if (agent.hasEnded) agent = await setting.startAgent();
    await agent.ask('protect', '--undo', '--force');
    const waiting = (await agent.status())?.store?.pending;
    if (waiting) await agent.ask('rollback', String(waiting.revision - 1), '--force');
    await setting.disarm(agent);
    expect(await ports()).toEqual(['open', 'open']);
  });

  afterAll(async () => {
    ssh?.stop();
    await setting?.close();
  });

  it('gets three commands from nothing to protected, and one back', async () => {
    const proposal = await remote('protect', '--ssh-only');
    expect(proposal).toContain('SSH session from 192.0.2.2');
    expect(proposal).toContain(`ports: [${SSH_PORT}]`);
    expect(await ports()).toEqual(['open', 'open']);

    const session = ssh.open('net');
    const applied = await remote('protect', '--ssh-only', '--apply', '--confirm', '60s');
    expect(applied).toContain('keep it:       tortie confirm');
    expect(applied).toContain('exit 0');
    expect(await ports()).toEqual(['timeout', 'timeout']);
    expect(await ssh.isReachable('net')).toBe(true);
    expect(await setting.probe('net', { transport: 'icmp', address: HOST_V4, timeoutMs: PROBE_MS })).toBe('open');
    expect(await setting.probe('net', { transport: 'icmp', address: HOST_V6, timeoutMs: PROBE_MS })).toBe('open');
    session.stdin?.write('echo still here\n');
    const [said] = (await once(session.stdout ?? session, 'data')) as [Buffer];
    expect(said.toString()).toBe('still here\n');
    session.kill();

    expect(await remote('confirm')).toMatch(/revision \d+ is confirmed/);
    expect(await pending()).toBeNull();
    expect(await remote('protect', '--undo')).toContain('this machine is as it was before protect');
    expect(await ports()).toEqual(['open', 'open']);
  });

  it('keeps what it serves, closes what nobody uses, and makes its own connections as before', async () => {
    const applied = await remote('protect', '--egress', 'seen', '--apply', '--no-confirm');
    expect(applied).toContain('in force; take it back with: tortie protect --undo');
    expect(await ports()).toEqual(['open', 'timeout']);
    expect(await probe(WEB_PORT, HOST_V6)).toBe('open');
    expect(await ssh.isReachable('net')).toBe(true);
    const out = { transport: 'tcp', address: '192.0.2.2', port: WEB_PORT, timeoutMs: PROBE_MS } as const;
    expect(await setting.probe(HOST, out)).toBe('timeout');
    expect(await remote('protect', '--apply', '--no-confirm')).toContain('configured');
    expect(await setting.probe(HOST, out)).toBe('open');
  });

  it('says which live connection a proposal would deny, and changes nothing', async () => {
    const stream = setting.peer('net').stream({ address: HOST_V4, port: OTHER_PORT, intervalMs: 50 });
    await stream.progress(3, WAIT_MS);
    const said = await remote('protect', '--web', '--preview', '2s');
    expect(said).toMatch(/in from +192\.0\.2\.2 +TCP 9100 .* default\|gnp:protect-inbound\|deny\|-1/);
    expect(said).toContain('exit 1');
    expect(said).not.toContain(`TCP ${SSH_PORT} `);
    await stream.progress(3, WAIT_MS);
    await stream.stop();
    expect(await ports()).toEqual(['open', 'open']);
  });

  it('refuses what would cut the session, with the packet and the rule', async () => {
    const said = await remote('apply', '-f', locked());
    expect(said).toMatch(/CUTS_CONNECTION: apply change: would cut the SSH session that it was sent from/);
    expect(said).toMatch(/TCP 192\.0\.2\.2:\d+ to 192\.0\.2\.1:2222 in by up0, denied by default\|gnp:locked\|deny\|0/);
    expect(said).toContain('exit 1');
    expect(await ssh.isReachable('net')).toBe(true);
    expect(await ports()).toEqual(['open', 'open']);
    expect((await agent.status())?.store?.objects ?? 0).toBe(0);
  });

  it('takes back by itself what was forced and nobody could confirm', async () => {
    await agent.ask('apply', '-f', locked(), '--force', '--confirm', seconds(6));
    expect(await ssh.isReachable('net')).toBe(false);
    await expect.poll(() => ssh.isReachable('net'), { timeout: WAIT_MS }).toBe(true);
    expect(await pending()).toBeNull();
  });

  it('takes it back when the agent was killed meanwhile and comes again before the time is up', async () => {
    await agent.ask('apply', '-f', locked(), '--force', '--confirm', seconds(8));
    await agent.kill();
    expect(await ssh.isReachable('net')).toBe(false);
    agent = await setting.startAgent();
    await expect.poll(() => ssh.isReachable('net'), { timeout: WAIT_MS }).toBe(true);
    expect(await pending()).toBeNull();
  });

  it('takes it back before all else when the agent comes again after the time is up', async () => {
    await agent.ask('apply', '-f', locked(), '--force', '--confirm', seconds(2));
    await agent.kill();
    await new Promise((resolve) => setTimeout(resolve, 2500 * PATIENCE));
    expect(await ssh.isReachable('net')).toBe(false);
    agent = await setting.startAgent();
    expect(await ssh.isReachable('net')).toBe(true);
    expect(await pending()).toBeNull();
  });

  it('takes it back after a reboot, long before the time is up: whoever was to confirm is gone', async () => {
    await agent.ask('apply', '-f', locked(), '--force', '--confirm', '1h');
    await agent.kill();
    await cleanUp(setting.lab);
    const bootId = join(setting.lab.directory, 'boot-id');
    writeFileSync(bootId, '00000000-1111-4222-8333-444444444444\n');
    const mount = `mount --bind ${bootId} /proc/sys/kernel/random/boot_id && exec "$@"`;
    agent = await setting.startAgent({ wrapper: ['unshare', '--mount', 'sh', '-c', mount, 'sh'] });
    expect(await ssh.isReachable('net')).toBe(true);
    expect(await ports()).toEqual(['open', 'open']);
    expect(await pending()).toBeNull();
  });

  it('keeps what was confirmed through a killed agent and a reboot', async () => {
    await remote('protect', '--ssh-only', '--apply', '--confirm', '60s');
    await remote('confirm');
    await agent.kill();
    expect([await ports(), await ssh.isReachable('net')]).toEqual([['timeout', 'timeout'], true]);
    await cleanUp(setting.lab);
    expect(await ports()).toEqual(['open', 'open']);
    agent = await setting.startAgent();
    expect([await ports(), await ssh.isReachable('net')]).toEqual([['timeout', 'timeout'], true]);
  });
});
