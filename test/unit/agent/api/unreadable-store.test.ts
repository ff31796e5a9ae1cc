// Objects of the store that this version cannot read, as after a downgrade: they are not in force, and everything says so.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { askAgent, sendToAgent } from '../../../../src/cli/agent-client.ts';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { formatStatus } from '../../../../src/cli/status-text.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';
import { runCommand } from '../../../support/run-command.ts';

const DENY_ALL = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'deny-all' },
  spec: { types: ['Ingress'], isOfALaterVersion: true },
};
const POLICY = { type: 'GlobalNetworkPolicy', name: 'deny-all' } as const;

let agent: KernelLessAgent;

afterEach(() => agent.end());

/** As an agent of a later version has left it. */
async function keep(folder: string, ...manifests: Record<string, unknown>[]): Promise<void> {
  mkdirSync(join(folder, 'state'), { recursive: true });
  const store = ResourceStore.open(join(folder, 'state'));
  const changes = manifests.map((manifest) => {
    const id = `${manifest.kind}//${(manifest.metadata as { name: string }).name}`;
    return { id, after: { id, manifest, revision: 1, generation: 1, uid: 'u', created: '2026-01-01T00:00:00Z' } };
  });
  store.commit({ time: '2026-01-01T00:00:00Z', who: { kind: 'agent' }, from: {}, verb: 'apply', changes });
  await store.close();
}

async function start(manifests: Record<string, string> = {}): Promise<ResourceClient> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-unreadable-'));
  await keep(folder, DENY_ALL, tier('fine', 1));
  agent = await KernelLessAgent.start({ folder, manifests });
  return new ResourceClient(agent.options.socket);
}

const readiness = (): Promise<unknown> =>
  sendToAgent(agent.options.socket, { method: 'GET', path: '/readiness' }).then(
    ({ status }) => status,
    (error: Error) => error.message,
  );

it('is not in sync, and says what is wrong with which object, until it is mended', async () => {
  const client = await start({ 'lab.yaml': WORKLOADS });
  const status = agent.status();
  expect([status.inSync, status.manifests.errors]).toEqual([
    false,
    [{ code: 'UNKNOWN_FIELD', message: expect.stringMatching(/deny-all.*isOfALaterVersion/s) }],
  ]);
  expect(formatStatus(status)).toMatch(/^NOT in sync[\s\S]*, 1 refused\n {2}UNKNOWN_FIELD .*deny-all/);
  expect(await readiness()).not.toBe(200);
  const shown = await runCommand(['get', 'gnp', '--socket', agent.options.socket]);
  expect(shown.output).toMatch(/deny-all .*store, NOT IN FORCE/);
  const { isOfALaterVersion: _unknown, ...spec } = DENY_ALL.spec;
  await client.replace(POLICY, { ...(await client.get(POLICY)), spec });
  expect((await client.get(POLICY)).metadata).not.toHaveProperty('annotations');
  expect([agent.status().inSync, agent.status().manifests.errors]).toEqual([true, []]);
  expect(await readiness()).toBe(200);
});

it('is in sync again when the object is deleted, and not for a dry run of that', async () => {
  const client = await start();
  await client.delete(POLICY, { isDryRun: true });
  expect(agent.isInSync).toBe(false);
  await client.delete(POLICY);
  expect((await askAgent<{ inSync: boolean }>(agent.options.socket, 'GET', '/v1/status')).inSync).toBe(true);
});

it('goes with what is pruned by its labels, and is in the way of nobody else who prunes', async () => {
  const client = await start();
  const labelled = { ...tier('one', 5), metadata: { name: 'one', labels: { set: 'a' } } };
  await client.applyAll(JSON.stringify(labelled), { prune: 'set=a' });
  await client.applyAll(JSON.stringify(tier('two', 6)), { prune: 'set=a' });
  expect([...agent.stored.store.objects()].map(({ id }) => id)).toEqual([
    'GlobalNetworkPolicy//deny-all',
    'Tier//fine',
    'Tier//two',
  ]);
  await client.applyAll(JSON.stringify(tier('two', 6)), { prune: '!set' });
  expect([...agent.stored.store.objects()].map(({ id }) => id)).toEqual(['Tier//two']);
});

it('is in sync where a file defines the object, and still says that the stored one cannot be read', async () => {
  const { isOfALaterVersion: _unknown, ...spec } = DENY_ALL.spec;
  await start({ 'deny.yaml': JSON.stringify({ ...DENY_ALL, spec }) });
  expect([agent.isInSync, agent.status().manifests.errors.length]).toEqual([true, 1]);
});
