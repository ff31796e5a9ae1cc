// The Debian package: what is in it, and its life on a machine with systemd, from installation before the first boot to its purge.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../../src/bench/command.ts';
import { findProject } from '../../../tools/lab/project.ts';
import { buildDebianPackage } from '../../../tools/package/debian.ts';
import { deadLinks } from '../../support/links.ts';
import { commandsOf, needsServiceManager, runbooks, spokenIn } from '../../support/monitoring/runbooks.ts';
import { Machine } from './machine.ts';
import { MANIFEST, plug, plugSecond, reach, unplugSecond } from './network.ts';

const WAIT_MS = 30_000;
const UNIT = 'tortie.service';
/** Compressing the database that flows are kept in takes a minute of a processor with nothing else to do. */
const BUILD_MS = 300_000;

let folder: string;
let file: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-packages-'));
  file = await buildDebianPackage(findProject(), folder);
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the Debian package', () => {
  it('is the same bytes when it is built again', { timeout: BUILD_MS }, async () => {
    const again = await buildDebianPackage(findProject(), join(folder, 'again'));
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  });

  it('has nothing that lintian takes for an error', async () => {
    const { stdout } = await runCommand(['lintian', '--allow-root', '--fail-on', 'error', file]);
    expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).toEqual([]);
  });

  it('holds what runs and nothing that builds or tests', async () => {
    const { stdout } = await runCommand(['dpkg-deb', '-c', file]);
    const paths = stdout.split('\n').map((line) => line.split(/\s+/)[5] ?? '');
    expect(paths).toEqual(
      expect.arrayContaining(['./usr/bin/tortie', './etc/tortie/tortie.yaml', './etc/tortie/manifests/']),
    );
    expect(
      paths.filter((path) => /\/(typescript|vitest|biome|test)\/|(?<!\/build)\/src\/|\.(ts|map|cc?|h)$/.test(path)),
    ).toEqual([]);
  });
});

describe('documents of the package', () => {
  const DOCUMENTS = 'usr/share/doc/tortie';
  let pages: Map<string, string>;
  let files: string[];

  beforeAll(async () => {
    const { stdout } = await runCommand(['dpkg-deb', '-c', file]);
    files = stdout.split('\n').flatMap((line) => (/^-/.test(line) ? [(line.split(/\s+/)[5] ?? '').slice(2)] : []));
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" "./$3"';
    await runCommand(['sh', '-c', script, 'sh', file, folder, DOCUMENTS]);
    const names = files.filter((path) => path.startsWith(DOCUMENTS) && path.endsWith('.md'));
    pages = new Map(names.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  });

  it('lead to what is in it', () => {
    expect(deadLinks(pages, files)).toEqual([]);
    for (const page of ['operations', 'errors', 'limits', 'observability']) {
      expect([...pages.keys()]).toContain(`${DOCUMENTS}/${page}.md`);
    }
  });

  it('have the runbook of each alert where its link leads', () => {
    const text = readFileSync(join(folder, DOCUMENTS, 'prometheus/tortie-alerts.rules.yml'), 'utf8');
    const links = [...text.matchAll(/runbook_url: file:\/\/\/(\S+)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((path) => !pages.has(path))).toEqual([]);
  });
});

describe('the package on a machine', () => {
  let machine: Machine;

  beforeAll(async () => {
    const watchdog = '[Service]\nWatchdogSec=3s\n';
    machine = await Machine.boot({
      package: file,
      enabled: [UNIT, 'systemd-networkd.service'],
      files: {
        'etc/tortie/manifests/lab.yaml': MANIFEST,
        [`etc/systemd/system/${UNIT}.d/test.conf`]: watchdog,
      },
    });
    await plug(machine);
    await untilReach('what policy allows');
  });

  afterAll(() => machine?.close());

  async function untilReach(expected: string): Promise<void> {
    await vi.waitFor(async () => expect(await reach(machine)).toBe(expected), WAIT_MS);
  }

  async function untilUnit(expected: Readonly<Record<string, unknown>>): Promise<void> {
    await vi.waitFor(async () => expect(await machine.unit(UNIT)).toMatchObject(expected), WAIT_MS);
  }

  async function mainPid(): Promise<string> {
    return (await machine.unit(UNIT)).MainPID ?? '';
  }

  it('is ready before there is a network', async () => {
    const agent = await machine.unit(UNIT);
    const network = await machine.unit('systemd-networkd.service');
    expect(agent).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
    expect(agent.StatusText).toMatch(/^in sync, /);
    const [ready, begun] = [agent.ActiveEnterTimestampMonotonic, network.InactiveExitTimestampMonotonic].map(Number);
    expect([ready, begun].map((time) => (time ?? 0) > 0)).toEqual([true, true]);
    expect(begun).toBeGreaterThan(ready ?? Number.POSITIVE_INFINITY);
  });

  it('has a unit that systemd takes as it is, and that leaves little exposed', async () => {
    const unit = `/usr/lib/systemd/system/${UNIT}`;
    const { stdout, stderr } = await machine.run('systemd-analyze', '--man=no', 'verify', unit);
    expect([stdout, stderr]).toEqual(['', '']);
    // Ten times what systemd-analyze shows; the agent's need for the network and for root is in it.
    await machine.run('systemd-analyze', 'security', '--offline=true', '--threshold=23', unit);
  });

  it('has the command, which finds the agent and all that the kernel must have', async () => {
    expect((await machine.run('tortie', '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await machine.run('tortie', 'doctor', '--kernel')).stdout).toContain('bpfSyscall');
    expect((await machine.run('tortie', 'status')).stdout).toMatch(/^in sync/);
  });

  it('is reloaded by systemctl, which comes back when it is done', async () => {
    const pid = await mainPid();
    await machine.run('sh', '-c', 'echo "eventBudget: 77" >> /etc/tortie/tortie.yaml');
    await machine.run('systemctl', 'reload', UNIT);
    expect((await machine.run('tortie', 'config')).stdout).toMatch(/^eventBudget +77 +file/m);
    expect(await mainPid()).toBe(pid);
  });

  it('counts flows, keeps them and tells of them with no more than its unit lets it do', async () => {
    const settings = [
      'flowStore: all',
      'flowLogsInterval: 1',
      'exports: file:///var/log/tortie/flows.jsonl',
      // A bare colon at the end would be a mapping.
      'packetLog: "journald:"',
    ];
    await machine.run('sh', '-c', `printf '%s\\n' '${settings.join("' '")}' >> /etc/tortie/tortie.yaml`);
    await machine.run('systemctl', 'reload', UNIT);
    expect((await machine.run('tortie', 'config')).stdout).toMatch(/^packetLog +journald: +file/m);
    await vi.waitFor(async () => {
      expect(await reach(machine)).toBe('what policy allows');
      const { stdout } = await machine.run('tortie', 'flows', '--last', '100', '--output', 'json');
      expect(stdout).toContain('"action":"allow"');
      expect(stdout).toContain('"action":"deny"');
      expect((await machine.run('cat', '/var/log/tortie/flows.jsonl')).stdout).toContain('"action":"deny"');
      const lines = await machine.run('journalctl', '-t', 'tortie-packet', '-o', 'cat');
      expect(lines.stdout).toMatch(/PROTO=ICMP.* VERDICT=allow/);
    }, 2 * WAIT_MS);
    const { stdout: log } = await machine.run('journalctl', '-u', UNIT, '-o', 'cat');
    expect(log).not.toMatch(/EPERM|EACCES|no flow logs|flows are not stored|flows not read/);
    // The process that keeps flows lets others go first, and is the first to go when memory is short.
    const [keeper = ''] = (await machine.run('pgrep', '-f', 'store-process-main')).stdout.split('\n');
    // Both have the unit's filter of system calls, besides what the machine itself is under.
    const filters = async (pid: string): Promise<number> => {
      const { stdout } = await machine.run('cat', `/proc/${pid}/status`);
      return Number(/^Seccomp_filters:\s*(\d+)$/m.exec(stdout)?.[1]);
    };
    for (const pid of [await mainPid(), keeper]) expect(await filters(pid)).toBeGreaterThan(await filters('1'));
    expect((await machine.run('ps', '-o', 'ni=', '-p', String(keeper))).stdout.trim()).toBe('10');
    expect((await machine.run('cat', `/proc/${keeper}/oom_score_adj`)).stdout).toBe('500\n');
  });

  it('has what runbooks ask of the service manager', async () => {
    const texts = [...runbooks(findProject()).values()];
    const commands = new Set(
      texts.flatMap((text) => [...commandsOf(text), ...spokenIn(text)]).filter(needsServiceManager),
    );
    expect(commands.size).toBeGreaterThan(5);
    // Last, what begins the agent anew.
    const inOrder = [...commands].sort((a, b) => Number(a.includes('restart')) - Number(b.includes('restart')));
    for (const command of inOrder) {
      const { stdout } = await machine.run('sh', '-c', command);
      if (!command.includes('restart')) expect([command, stdout]).toEqual([command, expect.stringMatching(/./)]);
    }
    await untilUnit({ ActiveState: 'active' });
    await untilReach('what policy allows');
  });

  it('has rules whose links lead to another place, as the page says', async () => {
    const page = readFileSync(join(findProject(), 'docs/observability.md'), 'utf8');
    const script = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].find(([, block = '']) => block.startsWith('sed '))?.[1];
    await machine.run('sh', '-ec', `mkdir -p /etc/prometheus\n${script}`);
    const { stdout: rules } = await machine.run('cat', '/etc/prometheus/tortie-alerts.rules.yml');
    expect(rules.match(/runbook_url: https:\/\/docs\.example\/tortie\/runbooks\/tortie-[\w-]+\.md$/gm)?.length).toBe(
      runbooks(findProject()).size,
    );
    expect(rules).not.toContain('file:');
  });

  it('measures between pods when the unit for that is started, and not before', async () => {
    const unit = '/usr/lib/systemd/system/tortie-probe.service';
    const { stdout, stderr } = await machine.run('systemd-analyze', '--man=no', 'verify', unit);
    expect([stdout, stderr]).toEqual(['', '']);
    expect(await machine.unit('tortie-probe.service')).toMatchObject({ ActiveState: 'inactive' });
    await machine.run('sh', '-c', 'echo "PROBE_OPTIONS=--every 1 --count 2" > /etc/default/tortie-probe');
    await machine.run('systemctl', 'start', 'tortie-probe.service');
    const log = async (): Promise<string> =>
      (await machine.run('journalctl', '-u', 'tortie-probe', '-o', 'cat')).stdout;
    await vi.waitFor(async () => expect(await log()).toContain('needs two endpoints that are enforced'), WAIT_MS);
    await plugSecond(machine);
    const metrics = 'curl -sS --unix-socket /run/tortie/agent.sock http://agent/metrics';
    await vi.waitFor(async () => {
      const { stdout: text } = await machine.run('sh', '-c', metrics);
      for (const protocol of ['TCP', 'UDP']) {
        expect(text, await log()).toMatch(
          new RegExp(`^tortie_probe_duration_seconds_count\\{protocol="${protocol}"\\} [1-9]`, 'm'),
        );
      }
    }, WAIT_MS);
    expect(await log()).not.toMatch(/EPERM|EACCES/);
    await machine.run('systemctl', 'stop', 'tortie-probe.service');
    await unplugSecond(machine);
    await untilReach('what policy allows');
  });

  it('comes back after it was killed, and nothing changes meanwhile', async () => {
    const pid = await mainPid();
    await machine.run('kill', '-9', pid);
    expect(await reach(machine)).toBe('what policy allows');
    await untilUnit({ ActiveState: 'active', NRestarts: '1', MainPID: expect.not.stringMatching(`^(0|${pid})$`) });
    await untilReach('what policy allows');
  });

  it('is ended by the watchdog when it stands still, and comes back', async () => {
    await machine.run('kill', '-STOP', await mainPid());
    await untilUnit({ ActiveState: 'active', NRestarts: '2' });
    expect((await machine.run('journalctl', '-u', UNIT, '-o', 'cat')).stdout).toContain('Watchdog timeout');
    await untilReach('what policy allows');
  });

  it('is restarted by an upgrade, and enforces all the while', async () => {
    const pid = await mainPid();
    const upgraded = machine.run('dpkg', '-i', '/package/tortie.deb');
    expect(await reach(machine)).toBe('what policy allows');
    await upgraded;
    await untilUnit({ ActiveState: 'active', MainPID: expect.not.stringMatching(`^(0|${pid})$`) });
    expect((await machine.run('cat', '/etc/tortie/tortie.yaml')).stdout).toContain('eventBudget: 77');
    await untilReach('what policy allows');
  });

  it('leaves verdicts in force when it is stopped, and when it is removed', async () => {
    const enforced = async (): Promise<string> =>
      (await machine.run('sh', '-c', 'cd /run/tortie/agent.endpoints && grep -H . *')).stdout;
    const before = await enforced();
    expect(before).toMatch(/^lab_pod\.json:.*"interface":"calipod"/);
    await machine.run('systemctl', 'stop', UNIT);
    expect(await machine.unit(UNIT)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
    expect(await reach(machine)).toBe('what policy allows');
    expect(await enforced()).toBe(before);
    await machine.run('systemctl', 'start', UNIT);
    expect(await enforced()).toBe(before);
    await machine.run('dpkg', '--remove', 'tortie');
    expect(await machine.succeeds('pgrep', '-f', 'tortie agent')).toBe(false);
    expect(await reach(machine)).toBe('what policy allows');
  });

  it('ends with its purge, but for the manifests', async () => {
    await machine.run('dpkg', '--purge', 'tortie');
    expect(await reach(machine)).toBe('everything');
    const left =
      'ls -d /sys/fs/bpf/tortie /var/lib/tortie /run/tortie /etc/tortie/tortie.yaml /etc/tortie/manifests 2>/dev/null || true';
    expect((await machine.run('sh', '-c', left)).stdout).toBe('/etc/tortie/manifests\n');
  });

  it('takes filters of clsact off, too, when it is purged', async () => {
    await machine.run('dpkg', '-i', '/package/tortie.deb');
    await machine.run('sh', '-c', 'echo "attach: clsact" >> /etc/tortie/tortie.yaml');
    await machine.run('systemctl', 'start', UNIT);
    await untilReach('what policy allows');
    expect((await machine.run('tc', 'filter', 'show', 'dev', 'calipod', 'ingress')).stdout).toContain('handle 0x7474');
    await machine.run('dpkg', '--purge', 'tortie');
    expect(await reach(machine)).toBe('everything');
  });
});
