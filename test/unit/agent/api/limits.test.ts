// Where the API ends: history that is gone, tables that are full, confirmations that nobody can give any more.

import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { confirmationWithin } from '../../../../src/agent/store/confirmation.ts';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { sendToAgent } from '../../../../src/cli/agent-client.ts';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let agent: KernelLessAgent;

afterEach(() => agent.end());

describe('history that was compacted', () => {
  it('is gone for watches, rollbacks and single changes, and a new list leads on', async () => {
    agent = await KernelLessAgent.start({ keptRevisions: 3 });
    const client = new ResourceClient(agent.options.socket);
    for (let order = 1; order <= 8; order += 1)
      await client.patch({ type: 'Tier', name: 'a' }, 'apply', tier('a', order));
    const gone = { code: 'REVISION_GONE' };
    await expect(client.watch({ type: 'Tier' }, { resourceVersion: '2' }).next()).rejects.toMatchObject(gone);
    await expect(client.rollBack('2')).rejects.toMatchObject(gone);
    await expect(client.historyEntry('2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await client.history()).items.map(({ revision }) => revision)).toEqual([8, 7, 6]);
    const { resourceVersion } = await client.list({ type: 'Tier' });
    const events: string[] = [];
    for await (const { type, object } of client.watch({ type: 'Tier' }, { resourceVersion: '5' })) {
      if (type === 'BOOKMARK') break;
      events.push(`${type} ${(object.metadata as { resourceVersion: string }).resourceVersion}`);
    }
    expect([resourceVersion, events]).toEqual(['8', ['MODIFIED 6', 'MODIFIED 7', 'MODIFIED 8']]);
  });

  it('is answered with 410', async () => {
    agent = await KernelLessAgent.start({ keptRevisions: 1 });
    const client = new ResourceClient(agent.options.socket);
    for (const order of [1, 2, 3]) await client.patch({ type: 'Tier', name: 'a' }, 'apply', tier('a', order));
    const { request } = await import('node:http');
    const path = '/apis/projectcalico.org/v3/tiers?watch=true&resourceVersion=1';
    const status = await new Promise((resolve) => {
      request({ socketPath: agent.options.socket, path }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(410);
  });
});

describe('tables that are full', () => {
  it('refuse the change that does not fit, and keep what is in force', async () => {
    agent = await KernelLessAgent.start({
      manifests: { 'lab.yaml': WORKLOADS },
      tableSizes: { heapWords: 2 ** 21, v6Nodes: 64 },
    });
    const client = new ResourceClient(agent.options.socket);
    await client.applyAll(JSON.stringify(policy('green', [80])));
    // Two addresses of each block of 256: hardly any two blocks are alike.
    const nets = Array.from({ length: 10_000 }, (_, index) => `10.${index >> 8}.${index & 255}`).flatMap(
      (block, index) => [`${block}.${(index * 7) % 128}/32`, `${block}.${128 + ((index >> 7) % 128)}/32`],
    );
    const set = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkSet',
      metadata: { name: 'large', namespace: 'lab', labels: { large: 'yes' } },
      spec: { nets: [...new Set(nets)] },
    };
    const rule = { action: 'Deny', source: { selector: "large == 'yes'" } };
    const spec = { selector: 'all()', types: ['Ingress'], order: 1, ingress: [rule] };
    const large = [set, { ...policy('large', []), spec }];
    for (const isDryRun of [true, false]) {
      await expect(client.applyAll(JSON.stringify(large), { isDryRun })).rejects.toMatchObject({ code: 'TABLE_FULL' });
    }
    expect([agent.stored.store.revision, await agent.verdictOf(80), await agent.verdictOf(81)]).toEqual([
      1,
      'allow',
      'deny',
    ]);
    await client.applyAll(JSON.stringify(tier('a', 1)));
    expect(agent.stored.store.revision).toBe(2);
  });
});

describe('a change that awaits a confirmation', () => {
  it('is undone by the agent that starts after a reboot, however long it had', async () => {
    agent = await KernelLessAgent.start({ manifests: { 'lab.yaml': WORKLOADS } });
    await new ResourceClient(agent.options.socket).applyAll(JSON.stringify(policy('green', [80])));
    await agent.stop();
    const store = ResourceStore.open(join(agent.folder, 'state'));
    const before = store.get('NetworkPolicy/lab/green');
    if (before === undefined) throw new Error('the policy is not stored');
    const after = { ...before, manifest: policy('green', [81]), revision: 2 };
    const now = new Date();
    store.commit(
      {
        time: now.toISOString(),
        who: { kind: 'agent' },
        from: {},
        verb: 'apply',
        changes: [{ id: before.id, before, after }],
      },
      (revision) => ({
        ...confirmationWithin(revision, 3_600_000, now),
        bootId: '00000000-0000-0000-0000-000000000000',
      }),
    );
    await store.close();
    agent = await KernelLessAgent.start({ folder: agent.folder });
    expect([await agent.verdictOf(80), await agent.verdictOf(81)]).toEqual(['allow', 'deny']);
    expect(agent.status().store?.pending).toBe(null);
    const asked = { method: 'GET', path: '/history', query: { limit: 1 } } as const;
    const { body } = await sendToAgent<{ items: object[] }>(agent.options.socket, asked);
    expect(body.items).toMatchObject([{ revision: 3, verb: 'expire', target: 1 }]);
  });
});
