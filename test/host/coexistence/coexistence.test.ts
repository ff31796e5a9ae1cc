// Other tools that write packet filters on the same host: nothing of theirs is changed, what Tortie allows still has to pass their rules,
// what Tortie denies no rule of theirs lets in, and whatever they do to their own leaves Tortie's verdicts in force.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import { findProject } from '../../../tools/lab/project.ts';
import { buildDebianPackage } from '../../../tools/package/debian.ts';
import { Machine } from '../packaging/machine.ts';
import {
  ADMIN,
  FRIEND,
  fetches,
  HOST,
  hasLease,
  moveIn,
  OWN_PORT,
  PACKAGES,
  RIVAL,
  rulesOfOthers,
  STRANGER,
  UNITS,
  UPLINK,
  WEB,
} from './neighbours.ts';

const WAIT_MS = 60_000 * PATIENCE;

const policy = (name: string, spec: Readonly<Record<string, unknown>>): object => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkPolicy',
  metadata: { name },
  spec: { selector: "role == 'host'", ...spec },
});
const tcp = (action: string, port: number, source?: string): object => ({
  action,
  protocol: 'TCP',
  ...(source !== undefined && { source: { nets: [`${source}/32`] } }),
  destination: { ports: [port] },
});

/** Ports of containers are seen before translation by one policy, and after it by another. */
const POLICY = [
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: { name: 'host', labels: { role: 'host' } },
    spec: { node: 'tortie', interfaceName: '*' },
  },
  policy('own-ports', {
    order: 5,
    types: ['Ingress', 'Egress'],
    ingress: [tcp('Allow', OWN_PORT, FRIEND), tcp('Deny', OWN_PORT)],
    egress: [{ action: 'Allow' }],
  }),
  policy('containers', {
    applyOnForward: true,
    order: 10,
    types: ['Ingress'],
    ingress: [tcp('Deny', WEB.port, STRANGER), { action: 'Allow' }],
  }),
  policy('published', {
    preDNAT: true,
    applyOnForward: true,
    types: ['Ingress'],
    ingress: [tcp('Deny', ADMIN.published, RIVAL)],
  }),
]
  .map((object) => JSON.stringify(object))
  .join('\n---\n');

/** Who asks for what, and whether it comes: before there is policy, and under it. firewalld keeps OWN_PORT shut. */
const QUESTIONS = [
  [
    'a container, by the port that Docker publishes',
    { in: 'far', from: FRIEND, to: HOST, port: WEB.published },
    true,
    true,
  ],
  ['a container whose own port is denied', { in: 'far', from: STRANGER, to: HOST, port: WEB.published }, true, false],
  ['the other container', { in: 'far', from: STRANGER, to: HOST, port: ADMIN.published }, true, true],
  [
    'a container whose published port is denied',
    { in: 'far', from: RIVAL, to: HOST, port: ADMIN.published },
    true,
    false,
  ],
  ['the one next to it', { in: 'far', from: RIVAL, to: HOST, port: WEB.published }, true, true],
  ['the world, as a guest behind libvirt', { in: 'guest', to: FRIEND, port: OWN_PORT }, true, true],
  [
    'the host, past firewalld, as the friend that policy allows',
    { in: 'far', from: FRIEND, to: HOST, port: OWN_PORT },
    false,
    false,
  ],
  ['the host, past firewalld, as a stranger', { in: 'far', from: STRANGER, to: HOST, port: OWN_PORT }, false, false],
] as const;

let folder: string;
let machine: Machine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-coexistence-'));
  const file = await buildDebianPackage(findProject(), folder);
  machine = await Machine.boot({ package: file, packages: PACKAGES, enabled: UNITS, isPrivileged: true });
  await moveIn(machine);
}, 600_000 * PATIENCE);

afterAll(async () => {
  await machine?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks all at once, until all answers are as they are to be. */
async function answers(column: 2 | 3): Promise<void> {
  const expected = QUESTIONS.map((question) => [question[0], question[column]]);
  await vi.waitFor(async () => {
    const found = await Promise.all(QUESTIONS.map(async ([what, where]) => [what, await fetches(machine, where)]));
    expect(found).toEqual(expected);
  }, WAIT_MS);
}

async function findings(): Promise<string> {
  const { stdout } = await machine.run('sh', '-c', 'tortie doctor || true');
  return stdout;
}

describe('a host where firewalld, Docker, libvirt and NetworkManager are at work', {
  timeout: 300_000 * PATIENCE,
}, () => {
  let before: string;

  it('has their rules, and does what they say', async () => {
    await answers(2);
    expect(await hasLease(machine)).toBe(true);
    before = await rulesOfOthers(machine);
    for (const sign of ['table inet firewalld', 'DOCKER', 'LIBVIRT_']) expect(before).toContain(sign);
  });

  it('keeps all their rules when policy comes into force, and obeys both', async () => {
    await machine.run(
      'sh',
      '-ec',
      `cat > /etc/tortie/manifests/host.yaml <<"END"\n${POLICY}\nEND\nsystemctl start tortie`,
    );
    await machine.run('tortie', 'status');
    await answers(3);
    expect(await hasLease(machine)).toBe(true);
    expect(await rulesOfOthers(machine)).toBe(before);
  });

  it('lets in what both allow, once firewalld does too, and nobody whom policy denies', async () => {
    await machine.run('firewall-cmd', `--add-port=${OWN_PORT}/tcp`);
    const asked = { in: 'far', to: HOST, port: OWN_PORT } as const;
    expect(await fetches(machine, { ...asked, from: FRIEND })).toBe(true);
    expect(await fetches(machine, { ...asked, from: STRANGER })).toBe(false);
    await machine.run('firewall-cmd', `--remove-port=${OWN_PORT}/tcp`);
    expect(await fetches(machine, { ...asked, from: FRIEND })).toBe(false);
  });

  it.each([
    ['firewalld reloads its rules', 'firewall-cmd --reload'],
    ['firewalld is restarted', 'systemctl restart firewalld && systemctl restart docker'],
    ['Docker is restarted', 'systemctl restart docker'],
    [
      'NetworkManager sets the uplink up again',
      `nmcli --wait 30 connection down ${UPLINK} && nmcli --wait 30 connection up ${UPLINK}`,
    ],
    [
      'libvirt builds its network again',
      'virsh net-destroy default && virsh net-start default && ip link set vguest master virbr0',
    ],
  ])('judges as before after %s', async (_, command) => {
    await machine.run('sh', '-ec', command);
    await answers(3);
    const { stdout } = await machine.run('tortie', 'status', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ inSync: true, repairs: {} });
  });

  it('judges as before while the agent is dead', async () => {
    await machine.run('systemctl', 'kill', '-s', 'KILL', 'tortie');
    await answers(3);
  });

  it('is told by doctor who else writes filters', async () => {
    await vi.waitFor(
      async () => expect(await findings()).toMatch(/^warn +firewall-managers +firewalld, Docker, libvirt/m),
      WAIT_MS,
    );
    expect(await findings()).toMatch(/^fail +nftables +.*FORWARD drops/m);
  });

  it('is theirs alone again when Tortie is taken off', async () => {
    await machine.run('sh', '-ec', 'systemctl stop tortie && tortie cleanup');
    await answers(2);
  });
});
