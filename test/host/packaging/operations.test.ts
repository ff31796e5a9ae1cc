// docs/operations.md, followed to the letter on a machine with systemd by somebody who has nothing else: install, upgrade, go back,
// look, change, every command of the runbooks, start over, restore.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProject } from '../../../tools/lab/project.ts';
import { buildDebianPackage } from '../../../tools/package/debian.ts';
import { commandsOf } from '../../support/monitoring/runbooks.ts';
import { Machine } from './machine.ts';
import { endpointOf, MANIFEST, plug, reach } from './network.ts';
import { inlineCommandsOf, sectionsOf } from './page.ts';

const WAIT_MS = 60_000;
const PAGE = sectionsOf(readFileSync(join(findProject(), 'docs/operations.md'), 'utf8'));
const RUNBOOKS = [
  'A pod cannot reach a service',
  'High CPU',
  'Flow logs are missing',
  'The datastore lags behind',
  'Packets drop in the kernel, and policy is not it',
];
/** Of lines of prose: these are run, what else is named there looks at devices that this machine has not. */
const PROGRAMS = ['tortie', 'systemctl', 'journalctl', 'ip'];
/** What goes on until it is told to stop; what is a process's name; what ends enforcement has a test of its own. */
const ENDLESS = /^tortie (monitor|drops)$/;
const NOT_RUN = /<|^tortie (agent|cleanup)$/;
/** Their status says what they found. */
const MAY_FIND = /^tortie (doctor|status|diff)\b/;

const workload = (pod: string, address: string): object => endpointOf(pod, address, 'shop');
const policy = (name: string, port: number): object => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
  spec: {
    selector: "app == 'db-1'",
    types: ['Ingress'],
    ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } }],
  },
});
/** Of the store alone: by files nothing may leave api-1, and nobody has closed db-1. */
const OUT = { order: 1, selector: "app == 'api-1'", types: ['Egress'], egress: [{ action: 'Allow' }] };
const SHUT = { order: 1, selector: "app == 'db-1'", types: ['Ingress'], ingress: [{ action: 'Deny' }] };
const stored = Object.entries({ out: OUT, shut: SHUT }).map(([name, spec]) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
  spec,
}));
const manifests = (...objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n');

describe('docs/operations.md', { timeout: 300_000 }, () => {
  let folder: string;
  let machine: Machine;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-operations-'));
    const file = await buildDebianPackage(findProject(), folder);
    machine = await Machine.boot({
      package: file,
      enabled: [],
      files: {
        'etc/tortie/manifests/lab.yaml': MANIFEST,
        'root/my-policies.yaml': manifests(workload('api-1', '10.94.0.7'), workload('db-1', '10.94.0.8')),
        'root/policy.yaml': manifests(policy('db', 5432)),
        'root/other.yaml': manifests(policy('other', 80)),
        'root/stored.yaml': manifests(...stored),
      },
    });
    await plug(machine);
    // A machine that has never had it, and what its operator has downloaded.
    await run(`cp /package/tortie.deb ${basename(file)}`);
    await run('dpkg --purge tortie');
  }, 300_000);

  afterAll(async () => {
    await machine?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** One line as the operator types it: its output. Throws when it ends badly and does not only say what it found. */
  async function run(line: string): Promise<string> {
    const script = `cd /root; EDITOR=true; { ${line}\n} > /tmp/said 2>&1; echo $?; cat /tmp/said`;
    const { stdout } = await machine.run('sh', '-c', script);
    const [code = '', ...said] = stdout.split('\n');
    const text = said.join('\n');
    const isWell =
      code === '0' || (code === '124' && line.startsWith('timeout ')) || (code === '1' && MAY_FIND.test(line));
    if (!isWell || text.includes('USAGE')) throw new Error(`${line}\nended with ${code}\n${text}`);
    return text;
  }

  async function follow(commands: readonly string[]): Promise<string[]> {
    const said: string[] = [];
    for (const command of commands) {
      said.push(await run(command.replace(/^timeout 10 /, 'timeout 3 ').replace('sleep 10', 'sleep 1')));
    }
    return said;
  }

  function section(title: string): string {
    const text = PAGE.get(title);
    if (text === undefined) throw new Error(`docs/operations.md has no section ${title}`);
    return text;
  }

  async function untilEnforced(): Promise<void> {
    await vi.waitFor(async () => expect(await reach(machine)).toBe('what policy allows'), WAIT_MS);
  }

  it('installs', async () => {
    expect(await reach(machine)).toBe('everything');
    const said = await follow(commandsOf(section('On a host')));
    expect(said.join('\n')).toMatch(/^in sync/m);
    await untilEnforced();
  });

  it('upgrades and goes back, and enforces all the while', async () => {
    await run('dpkg-deb -R tortie_0.1.0_amd64.deb next && sed -i "s/^Version: .*/Version: 0.2.0/" next/DEBIAN/control');
    await run('dpkg-deb -Zgzip -z1 -b next tortie_0.2.0_amd64.deb && rm -r next');
    const upgraded = follow(commandsOf(section('Upgrade and downgrade')));
    expect(await reach(machine)).toBe('what policy allows');
    await upgraded;
    expect(await run('dpkg -s tortie')).toContain('Version: 0.2.0');
    await untilEnforced();
    await run('apt-get install -y --allow-downgrades ./tortie_0.1.0_amd64.deb');
    expect(await run('dpkg -s tortie')).toContain('Version: 0.1.0');
    await untilEnforced();
    expect(await run('tortie status --wait 30')).toMatch(/^in sync/m);
  });

  it('says whether all is well', async () => {
    const [status] = await follow(commandsOf(section('Is all well?')));
    expect(status).toMatch(/^in sync/);
  });

  it('changes policy, and takes it back', async () => {
    const commands = commandsOf(section('Change, and take it back'));
    const last = commands.findIndex((command) => command.startsWith('tortie rollback'));
    await follow(commands.slice(0, last));
    expect(await run('tortie get networkpolicy --namespace shop -o name')).toContain('/db');
    await run('tortie apply -f other.yaml');
    await follow([(commands[last] as string).replace('41', '1')]);
    expect((await run('tortie get networkpolicy --namespace shop -o name')).trim()).toMatch(/\/db$/);
  });

  it.each(RUNBOOKS)('has a runbook whose commands run: %s', async (title) => {
    const text = section(title);
    const commands = commandsOf(text);
    expect(commands.length).toBeGreaterThan(3);
    const said = await follow(commands);
    expect(said.filter((one) => one.includes('AGENT_UNREACHABLE'))).toEqual([]);
    const spoken = inlineCommandsOf(text, PROGRAMS).filter((command) => !NOT_RUN.test(command));
    const timed = spoken.map((command) => command.replace(ENDLESS, 'timeout 10 $&'));
    await follow(timed.map((command) => command.replace(/^ip route get$/, '$& 10.94.0.2')));
    await untilEnforced();
  });

  it('says of policy that came over the API alone what it does', async () => {
    await run('tortie apply -f stored.yaml');
    const asked = [
      ...commandsOf(section(RUNBOOKS[0] as string)),
      ...inlineCommandsOf(section(RUNBOOKS[0] as string), PROGRAMS),
    ].filter((command) => /^tortie (why|trace|explain) /.test(command));
    expect(asked.map((command) => command.split(' ')[1])).toEqual(['why', 'why', 'trace', 'explain']);
    const answers = await follow(asked);
    for (const said of answers) expect(said).toMatch(/\bnp[:/]shop\/shut\b/);
    for (const said of answers.slice(0, 3)) expect(said).toMatch(/^DENY /);
    await run('tortie delete networkpolicy shut --namespace shop');
    for (const said of await follow(asked.slice(0, 3))) expect(said).toMatch(/^ALLOW [\s\S]*np:shop\/db\b/);
    await run('tortie delete networkpolicy out --namespace shop');
  });

  it('takes the limit of memory that the page shows', async () => {
    const [, text = ''] = /```ini\n([\s\S]*?)```/.exec(section('How much memory')) ?? [];
    const folder = '/etc/systemd/system/tortie.service.d';
    await run(`mkdir -p ${folder} && printf '%s' '${text}' > ${folder}/override.conf && systemctl daemon-reload`);
    const shown = await follow(
      inlineCommandsOf(section('How much memory'), ['systemctl']).filter((one) => !one.includes(' edit ')),
    );
    expect(shown.join('\n')).toMatch(/^MemoryMax=1073741824$/m);
    await untilEnforced();
    expect(await run('tortie status --wait 30')).toMatch(/^in sync/m);
    await run(`rm -r ${folder} && systemctl daemon-reload`);
  });

  it('starts over', async () => {
    const commands = commandsOf(section('Start over'));
    const begin = commands.findIndex((command) => command.startsWith('tortie export'));
    await follow(commands.slice(0, begin));
    await untilEnforced();
    const cut = commands.findIndex((command) => command.startsWith('tortie import'));
    await follow(commands.slice(begin, cut));
    expect(await run('tortie get networkpolicy --namespace shop -o name')).not.toContain('/db');
    await follow(commands.slice(cut));
    expect(await run('tortie get networkpolicy --namespace shop -o name')).toContain('/db');
    await untilEnforced();
  });

  it('collects what somebody else needs', async () => {
    await follow(inlineCommandsOf(section('Ask for help'), PROGRAMS));
    expect(await run('tar -tzf tortie-support-*.tar.gz')).toContain('/status.json');
  });
});
