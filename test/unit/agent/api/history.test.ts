// What happened, the way back, and changes that come undone by themselves.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

let agent: KernelLessAgent;
let client: ResourceClient;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ manifests: { 'lab.yaml': WORKLOADS } });
  client = new ResourceClient(agent.options.socket);
});

afterEach(() => agent.end());

function tierNames(): string[] {
  return [...agent.stored.store.objects('Tier/')].filter(({ id }) => id.startsWith('Tier/')).map(({ id }) => id);
}

/** A manifest file that says another order each time. */
function edit({ stored }: KernelLessAgent, order: number, { before = '', after = '' } = {}): Promise<unknown> {
  const id = 'Tier//f';
  const location = { file: 'f.yaml', line: 1 };
  return stored.desk.record(() => ({
    time: new Date().toISOString(),
    who: { kind: 'file' },
    from: { files: ['f.yaml'] },
    verb: 'edit',
    changes: [
      {
        id,
        before: { id, manifest: { ...tier('f', order), before }, location },
        after: { id, manifest: { ...tier('f', order + 1), after }, location },
      },
    ],
  }));
}

const stream = (...objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n');

describe('history', () => {
  it('says who changed what, from where, and how it was before', async () => {
    await client.create({ type: 'Tier' }, tier('a', 1));
    await client.patch({ type: 'Tier', name: 'a' }, 'merge', { spec: { order: 2 } });
    const { items } = await client.history();
    expect(items).toMatchObject([
      {
        revision: 2,
        verb: 'patch',
        from: { userAgent: expect.stringMatching(/^tortie\/\d/) },
        changes: [{ id: 'Tier//a', result: 'configured' }],
      },
      { revision: 1, verb: 'create', who: { kind: 'agent' }, changes: [{ id: 'Tier//a', result: 'created' }] },
    ]);
    const entry = await client.historyEntry('2');
    expect(entry.changes).toMatchObject([{ before: { spec: { order: 1 } }, after: { spec: { order: 2 } } }]);
    expect((await client.history(1)).metadata).toEqual({ resourceVersion: '2', continue: '2' });
    expect((await client.history(1, '2')).items.map(({ revision }) => revision)).toEqual([1]);
    await expect(client.historyEntry('7')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('comes in pages that are not long, however long its entries are', async () => {
    const text = 'x'.repeat(1024 * 1024);
    for (let index = 0; index < 20; index += 1) await edit(agent, index, { before: text, after: text });
    const { items, metadata } = await client.history(500);
    expect(items.map(({ revision }) => revision)).toEqual([20, 19, 18, 17]);
    expect(JSON.stringify(items).length).toBeLessThan(4096);
    const found = [...items];
    for (let from = metadata.continue; from !== undefined; ) {
      const page = await client.history(500, from);
      found.push(...page.items);
      from = page.metadata.continue;
    }
    expect(found.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index));
    expect(found.at(-1)?.changes).toEqual([{ id: 'Tier//f', result: 'configured' }]);
  });

  it('leads back past more changes of files than it keeps', async () => {
    await agent.end();
    agent = await KernelLessAgent.start({ keptRevisions: 4 });
    client = new ResourceClient(agent.options.socket);
    await client.create({ type: 'Tier' }, tier('a', 1));
    await client.patch({ type: 'Tier', name: 'a' }, 'merge', { spec: { order: 2 } });
    for (let index = 0; index < 20; index += 1) await edit(agent, index);
    expect((await client.history()).items.map(({ revision }) => revision)).toEqual([22, 21, 20, 19, 2, 1]);
    expect((await client.history(5)).metadata.continue).toBe('2');
    expect((await client.history(1, '19')).items).toMatchObject([{ revision: 2, verb: 'patch' }]);
    const watch = client.watch({ type: 'Tier' }, { resourceVersion: '2' });
    await expect(watch.next()).rejects.toMatchObject({ code: 'REVISION_GONE' });
    expect(await client.rollBack('1')).toMatchObject({ revision: '23', kept: [{ id: 'Tier//f', revision: 22 }] });
    expect((await client.get({ type: 'Tier', name: 'a' })).spec).toEqual({ order: 1 });
  });

  it('leads back to any revision in one change', async () => {
    await client.applyAll(stream(tier('a', 1), tier('b', 1)));
    await client.applyAll(stream(policy('green', [80]), tier('b', 2), tier('c', 3)));
    await client.delete({ type: 'Tier', name: 'a' });
    expect([await agent.verdictOf(80), tierNames()]).toEqual(['allow', ['Tier//b', 'Tier//c']]);
    const { revision } = await client.rollBack('1');
    expect(revision).toBe('4');
    expect([await agent.verdictOf(80), tierNames()]).toEqual(['deny', ['Tier//a', 'Tier//b']]);
    expect((await client.get({ type: 'Tier', name: 'b' })).spec).toEqual({ order: 1 });
    await client.rollBack('2');
    expect([await agent.verdictOf(80), tierNames()]).toEqual(['allow', ['Tier//a', 'Tier//b', 'Tier//c']]);
    await client.rollBack('0');
    expect(agent.stored.store.objectCount).toBe(0);
    await expect(client.rollBack('99')).rejects.toMatchObject({ code: 'REVISION_GONE' });
  });
});

describe('a change of several objects', () => {
  it('is stored whole or not at all', async () => {
    const broken = { ...tier('b', 1), spec: { order: 'first' } };
    await expect(client.applyAll(stream(tier('a', 1), broken, tier('c', 1)))).rejects.toMatchObject({
      code: 'INVALID_FIELD',
    });
    expect([tierNames(), agent.stored.store.revision]).toEqual([[], 0]);
    await expect(client.applyAll(stream(tier('a', 1), tier('a', 2)))).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
  });

  it('is exported and imported again', async () => {
    await client.applyAll(stream(policy('green', [80]), tier('a', 1)));
    const everything = await client.exportAll();
    await client.applyAll(stream(policy('green', [81]), tier('b', 1)));
    expect((await client.importAll(everything, { isDryRun: true })).dryRun).toBe(true);
    const { changes } = await client.importAll(everything);
    expect(changes.map(({ id, result }) => `${id} ${result}`).sort()).toEqual([
      'NetworkPolicy/lab/green configured',
      'Tier//a unchanged',
      'Tier//b deleted',
    ]);
    expect([await agent.verdictOf(80), tierNames()]).toEqual(['allow', ['Tier//a']]);
  });
});

describe('a change that must be confirmed', () => {
  it('stays when it is, and comes undone when it is not', async () => {
    const first = await client.applyAll(stream(policy('green', [80])), { confirm: '60s' });
    expect(agent.status().store?.pending).toMatchObject({ revision: 1 });
    await expect(client.applyAll(stream(policy('green', [81])))).rejects.toMatchObject({ code: 'CONFLICT' });
    await client.applyAll(stream(tier('other', 1)));
    expect(await client.confirm(first.revision)).toMatchObject({ confirmed: expect.any(String) });
    await client.applyAll(stream(policy('green', [81])), { confirm: '1s' });
    expect(await agent.verdictOf(81)).toBe('allow');
    await vi.waitFor(async () => expect(await agent.verdictOf(80)).toBe('allow'), 5000);
    expect(agent.status().store?.pending).toBe(null);
    expect((await client.history(1)).items).toMatchObject([{ verb: 'expire', who: { kind: 'agent' }, target: 2 }]);
    expect(tierNames()).toEqual(['Tier//other']);
    await expect(client.confirm('3')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('comes undone at the start of an agent when its time passed while none ran', async () => {
    await client.applyAll(stream(policy('green', [80])), { confirm: '1s' });
    expect(await agent.verdictOf(80)).toBe('allow');
    await agent.stop();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    agent = await KernelLessAgent.start({ folder: agent.folder });
    expect([await agent.verdictOf(80), agent.stored.store.objectCount]).toEqual(['deny', 0]);
    expect(agent.log.join()).toContain('not confirmed in time');
  });

  it('still waits for its confirmation after a restart within its time', async () => {
    const { revision } = await client.applyAll(stream(policy('green', [80])), { confirm: '60s' });
    agent = await agent.restarted();
    client = new ResourceClient(agent.options.socket);
    expect([await agent.verdictOf(80), agent.status().store?.pending?.revision]).toEqual(['allow', 1]);
    await client.confirm(revision);
    agent = await agent.restarted();
    expect([await agent.verdictOf(80), agent.status().store?.pending]).toEqual(['allow', null]);
  });
});

describe('the store', () => {
  it('gives an object back to its file, and takes it up again when the file is gone', async () => {
    await client.create({ type: 'Tier' }, tier('a', 1));
    await agent.stop();
    agent = await KernelLessAgent.start({
      folder: agent.folder,
      manifests: { 'tier.yaml': JSON.stringify(tier('a', 5)) },
    });
    client = new ResourceClient(agent.options.socket);
    expect((await client.get({ type: 'Tier', name: 'a' })).spec).toEqual({ order: 5 });
    expect(agent.log.join()).toContain('DUPLICATE_NAME');
    const { rmSync } = await import('node:fs');
    rmSync(`${agent.folder}/manifests/tier.yaml`);
    await vi.waitFor(
      async () => expect((await client.get({ type: 'Tier', name: 'a' })).spec).toEqual({ order: 1 }),
      10_000,
    );
  });
});
