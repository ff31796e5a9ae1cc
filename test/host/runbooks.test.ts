// What the runbooks tell to do, done where it is called for: each command in lines of prose runs, and has the effect for which it is named.
// Commands of their blocks are run in monitoring.test.ts, those of the service manager in packaging/debian.test.ts.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ResourceClient } from '../../src/cli/resource-client.ts';
import { GuardObject } from '../../src/kernel/guard-object.ts';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { findProject } from '../../tools/lab/project.ts';
import { needsServiceManager, remediesOf, runbooks } from '../support/monitoring/runbooks.ts';
import { OperatorShell } from './support/operator-shell.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [{ transport: 'tcp', port: 7000 }] as const;
const GREEN = { namespace: 'lab', selector: "app == 'green'" };
/** Interfaces that are to be guarded, behind somebody else's program, in the driver and above it. */
const GUARDED = [
  ['up1', 'xdpdrv'],
  ['up2', 'xdpgeneric'],
] as const;
const MOVED = 'calimoved';
const WAIT_MS = 20_000;
/** What stands for something in a runbook, here. */
const STANDS_FOR: readonly (readonly [RegExp, string])[] = [
  [/\bNAMESPACE\/NAME\b/, 'lab/red'],
  [/--interface NAME\b/, `--interface ${MOVED}`],
  [/\bdev NAME xdp\b/, 'dev up1 xdp'],
  [/\bdev NAME xdpgeneric\b/, 'dev up2 xdpgeneric'],
  [/\bCIDR\b/, '198.51.100.0/24'],
  [/\bREVISION\b/, '1'],
  [/\bA\b/g, 'lab/red'],
  [/\bB\b/g, 'lab/green'],
  [/\bN\b/, '7000'],
];
const ENDLESS = /^tortie (monitor|drops)$/;
/** Their status says what they found. */
const MAY_FIND = /^tortie (doctor|status|lint)\b/;
const REMEDIES = [...new Set([...runbooks(findProject()).values()].flatMap(remediesOf))].filter(
  (command) => !needsServiceManager(command),
);

/** With everything put in. Throws where something is left. */
function toRun(remedy: string): string {
  const command = STANDS_FOR.reduce((words, [sign, value]) => words.replace(sign, value), remedy);
  if (/\b[A-Z]+\b/.test(command)) throw new Error(`${remedy}: nobody knows what stands in it`);
  return command.replace(ENDLESS, 'timeout 10 $&');
}

describe('remedies of the runbooks', { timeout: 60_000 }, () => {
  let setting: Setting;
  let agent: Agent;
  let shell: OperatorShell;
  const done = new Set<string>();

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    await putForeignPrograms();
    setting.manifests.write('50-policy.yaml', [
      policy({ ...GREEN, name: 'open', order: 100, ingress: allowPorts([7000]) }),
    ]);
    agent = await setting.startAgent({
      wrapper: ['env', `TORTIE_GUARD_INTERFACES=${GUARDED.map(([name]) => name).join(',')}`],
      auditSeconds: 2,
    });
    shell = new OperatorShell(setting);
    const client = new ResourceClient(join(setting.lab.directory, 'agent.sock'));
    await client.applyAll(
      JSON.stringify(policy({ ...GREEN, name: 'harmless', order: 50, ingress: [{ action: 'Pass' }] })),
    );
    const shut = policy({ ...GREEN, name: 'shut', order: 10, ingress: [{ action: 'Deny' }] });
    await client.applyAll(JSON.stringify(shut));
  });

  afterAll(() => setting?.close());

  const onHost = (...argv: readonly string[]) => setting.lab.exec(HOST, argv);

  /** Attached by netlink, as tools do: what holds a link is not taken off by anybody else. */
  async function putForeignPrograms(): Promise<void> {
    const pin = join(setting.lab.bpffs, 'foreign');
    const foreign = new GuardObject({ blocks: 4 });
    try {
      foreign.program().pin(pin);
    } finally {
      foreign.close();
    }
    for (const [name, mode] of GUARDED) {
      await onHost('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}x`);
      await onHost('ip', 'link', 'set', 'dev', name, mode, 'pinned', pin);
      await onHost('ip', 'link', 'set', name, 'up');
    }
  }

  /** Does what the runbooks tell: what it says. */
  async function take(remedy: string): Promise<string> {
    expect(REMEDIES).toContain(remedy);
    done.add(remedy);
    const { code, text } = await shell.run(toRun(remedy));
    const isWell = code === 0 || (code === 1 && MAY_FIND.test(remedy) && !text.includes('USAGE'));
    expect([remedy, isWell ? 'done' : `exit ${code}: ${text}`]).toEqual([remedy, 'done']);
    return text;
  }

  async function look(line: string): Promise<string> {
    const { code, text } = await shell.run(line);
    return `${text}exit ${code}`;
  }

  async function reach(): Promise<string> {
    const addresses = { address: '10.66.0.2', sourceAddress: '10.66.0.1' } as const;
    return setting.probe('red', { transport: 'tcp', port: 7000, ...addresses, timeoutMs: 200 });
  }

  it('find the change of the store that denies, and undo it', async () => {
    expect(await reach()).toBe('timeout');
    const why = await take('tortie why --from A --to B --port N');
    expect(why).toMatch(/^DENY [\s\S]*np:lab\/shut[\s\S]*since revision 2/);
    expect(await take('tortie history REVISION')).toContain('harmless');
    await take('tortie rollback REVISION');
    expect(await reach()).toBe('open');
  });

  it('take the program of somebody else off an interface, which is guarded then', async () => {
    expect(await look('tortie block add 203.0.113.0/24')).toMatch(/another XDP program[\s\S]*exit 4$/);
    expect(await look('ip -details link show')).toMatch(/up2[^\n]* xdpgeneric\b/);
    await take('ip link set dev NAME xdp off');
    await take('ip link set dev NAME xdpgeneric off');
    await vi.waitFor(async () => expect(await look('tortie block list')).not.toContain('another XDP program'), {
      timeout: WAIT_MS,
      interval: 500,
    });
    await take('tortie block add CIDR --ttl 1h');
    expect(await take('tortie block list')).toContain('198.51.100.0/24');
    expect(await look('tortie block test 198.51.100.7')).toMatch(/block/);
  });

  it('put an endpoint behind the interface that it has in truth', async () => {
    await onHost('ip', 'link', 'set', 'calired', 'down');
    await onHost('ip', 'link', 'set', 'calired', 'name', MOVED);
    await onHost('ip', 'link', 'set', MOVED, 'up');
    await agent.waitFor(({ endpoints }) => endpoints.some(({ state }) => state !== 'ready'), WAIT_MS);
    await take('tortie endpoint add NAMESPACE/NAME --interface NAME');
    await agent.waitFor(({ endpoints }) => endpoints.every(({ state }) => state === 'ready'), WAIT_MS);
    expect(await look('tortie endpoint get lab/red')).toMatch(new RegExp(`${MOVED}[\\s\\S]*exit 0$`));
  });

  it('measure a pod by itself', async () => {
    expect(await take('tortie probe --from A --to A')).toMatch(/^TCP +\d+ +\d+ +0\.0 %/m);
  });

  it('collect what somebody else needs', async () => {
    await take('tortie support-bundle');
    expect(readdirSync(shell.folder)).toContainEqual(expect.stringMatching(/^tortie-support-.*\.tar\.gz$/));
  });

  it('run, all others', async () => {
    const others = REMEDIES.filter((remedy) => !done.has(remedy) && remedy !== 'tortie cleanup');
    // What has something to be put in does something: it has a test above.
    expect(others.filter((remedy) => remedy !== toRun(remedy) && !ENDLESS.test(remedy))).toEqual([]);
    for (const remedy of others) await take(remedy);
  });

  it('take off what is pinned, for another size of the tables', async () => {
    expect(await agent.stop()).toBe(0);
    expect(existsSync(pinRoot(setting.lab))).toBe(true);
    await take('tortie cleanup');
    expect(existsSync(pinRoot(setting.lab))).toBe(false);
  });
});
