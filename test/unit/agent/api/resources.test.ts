// The API over a real socket, with all of the agent behind it but the kernel.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileEntry } from '../../../../src/agent/store/history.ts';
import type { Manifest } from '../../../../src/agent/store/manifest.ts';
import { sendToAgent } from '../../../../src/cli/agent-client.ts';
import { ResourceClient, type WatchEvent } from '../../../../src/cli/resource-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { policy, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';

const GREEN = { type: 'NetworkPolicy', namespace: 'lab', name: 'green' } as const;

let agent: KernelLessAgent;
let client: ResourceClient;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ manifests: { 'lab.yaml': WORKLOADS } });
  client = new ResourceClient(agent.options.socket);
});

afterEach(() => agent.end());

function metadataOf(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return object.metadata as Record<string, unknown>;
}

describe('objects of the API', () => {
  it('are in force when they are created, replaced, patched and deleted, and after a restart', async () => {
    expect(await agent.verdictOf(81)).toBe('deny');
    const created = await client.create({ type: 'NetworkPolicy', namespace: 'lab' }, policy('green', [80]));
    expect(metadataOf(created)).toMatchObject({ resourceVersion: '1', generation: 1 });
    expect([await agent.verdictOf(80), await agent.verdictOf(81)]).toEqual(['allow', 'deny']);
    await client.replace(GREEN, policy('green', [81]));
    expect([await agent.verdictOf(80), await agent.verdictOf(81)]).toEqual(['deny', 'allow']);
    const rule = { op: 'add', path: '/spec/ingress/0/destination/ports/-', value: 82 };
    await client.patch(GREEN, 'json', [rule]);
    expect([await agent.verdictOf(81), await agent.verdictOf(82)]).toEqual(['allow', 'allow']);
    agent = await agent.restarted();
    client = new ResourceClient(agent.options.socket);
    expect(await agent.verdictOf(82)).toBe('allow');
    expect(metadataOf(await client.get(GREEN))).toMatchObject({ resourceVersion: '3', generation: 3 });
    await client.delete(GREEN);
    expect(await agent.verdictOf(82)).toBe('deny');
    await expect(client.get(GREEN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of files are read, and refused to be written with the file that defines them', async () => {
    const ref = { type: 'WorkloadEndpoint', namespace: 'lab', name: 'node1-k8s-red-eth0' } as const;
    const found = await client.get(ref);
    expect(metadataOf(found).annotations).toEqual({ 'tortie.io/file': 'lab.yaml:1' });
    const refusals = [
      client.delete(ref),
      client.replace(ref, found),
      client.patch(ref, 'merge', { spec: { node: 'node2' } }),
      client.create({ type: 'WorkloadEndpoint', namespace: 'lab' }, found),
    ];
    for (const refusal of refusals) {
      await expect(refusal).rejects.toMatchObject({
        code: 'DEFINED_IN_FILE',
        message: expect.stringContaining('lab.yaml:1'),
      });
    }
    expect(agent.stored.store.revision).toBe(0);
  });

  it('are refused with what is wrong with them, and leave no trace', async () => {
    const broken = { ...policy('green', [80]), spec: { selector: 'a ==', ingres: [] } };
    await expect(client.create({ type: 'NetworkPolicy', namespace: 'lab' }, broken)).rejects.toMatchObject({
      code: 'UNKNOWN_FIELD',
      message: expect.stringContaining('did you mean ingress?'),
    });
    const taken = { ...WORKLOADS_COPY, metadata: { ...WORKLOADS_COPY.metadata, name: 'node1-k8s-blue-eth0' } };
    await expect(client.create({ type: 'WorkloadEndpoint', namespace: 'lab' }, taken)).rejects.toMatchObject({
      code: 'ADDRESS_CONFLICT',
    });
    expect([agent.stored.store.revision, agent.stored.store.objectCount]).toEqual([0, 0]);
    expect(await agent.verdictOf(81)).toBe('deny');
  });

  it('are changed only in the version that is meant', async () => {
    const created = await client.create({ type: 'Tier' }, tier('a', 1));
    await client.patch({ type: 'Tier', name: 'a' }, 'merge', { spec: { order: 2 } });
    await expect(client.replace({ type: 'Tier', name: 'a' }, created)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(client.delete({ type: 'Tier', name: 'a' }, { resourceVersion: '1' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(client.create({ type: 'Tier' }, tier('a', 1))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await client.get({ type: 'Tier', name: 'a' })).spec).toEqual({ order: 2 });
  });

  it('are applied by merging, and lose what their manager has given up', async () => {
    const ref = { type: 'Tier', name: 'a' } as const;
    await client.patch(ref, 'apply', tier('a', 1, { owner: 'web', stage: 'test' }), { fieldManager: 'web' });
    await client.patch(ref, 'apply', { metadata: { labels: { audit: 'yes' } } }, { fieldManager: 'audit' });
    const again = await client.patch(ref, 'apply', tier('a', 1, { owner: 'web' }), { fieldManager: 'web' });
    expect(metadataOf(again).labels).toEqual({ owner: 'web', audit: 'yes' });
    const revision = agent.stored.store.revision;
    await client.patch(ref, 'apply', tier('a', 1, { owner: 'web' }), { fieldManager: 'web' });
    expect(agent.stored.store.revision).toBe(revision);
  });

  it('are applied by so many managers and no more, since each keeps a copy', async () => {
    const ref = { type: 'Tier', name: 'a' } as const;
    const applyAs = (fieldManager: string) => client.patch(ref, 'apply', tier('a', 1), { fieldManager });
    for (let index = 0; index < 32; index += 1) await applyAs(`manager-${index}`);
    await expect(applyAs('another')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(applyAs('x'.repeat(129))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await applyAs('manager-31');
  });

  it('are only tried in a dry run, with what it would change for packets', async () => {
    const yaml = JSON.stringify(policy('green', [80]));
    const report = await client.applyAll(yaml, { isDryRun: true, withDiff: true });
    expect(report).toMatchObject({ dryRun: true, revision: '0', changes: [{ result: 'created' }] });
    expect(report.difference).toMatchObject({ summary: { sentences: expect.any(Number) } });
    expect([agent.stored.store.objectCount, await agent.verdictOf(80)]).toEqual([0, 'deny']);
  });

  it('are listed by page, by label and by name', async () => {
    for (let index = 0; index < 5; index += 1)
      await client.create({ type: 'Tier' }, tier(`t${index}`, index, { odd: String(index % 2) }));
    const names = async (query: object): Promise<unknown> => {
      const path = '/apis/projectcalico.org/v3/tiers';
      const { body } = await sendToAgent<{ items: Record<string, unknown>[] }>(agent.options.socket, {
        method: 'GET',
        path,
        query: { ...query },
      });
      return body.items.map((item) => metadataOf(item).name);
    };
    expect(await names({ labelSelector: 'odd=1' })).toEqual(['t1', 't3']);
    expect(await names({ labelSelector: 'odd notin (1),odd' })).toEqual(['t0', 't2', 't4']);
    expect(await names({ fieldSelector: 'metadata.name=t2' })).toEqual(['t2']);
    expect(await names({ limit: 2 })).toEqual(['t0', 't1']);
    const page = { method: 'GET', path: '/apis/projectcalico.org/v3/tiers', query: { limit: 2 } } as const;
    const { body } = await sendToAgent<{ metadata: { continue: string } }>(agent.options.socket, page);
    expect(await names({ limit: 9, continue: body.metadata.continue })).toEqual(['t2', 't3', 't4']);
    await expect(names({ labelSelector: 'a in b' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('are watched from a version on, and again after an interruption', async () => {
    await client.create({ type: 'Tier' }, tier('a', 1));
    const seen: string[] = [];
    const watch = client.watch({ type: 'Tier' }, { resourceVersion: '1' });
    await client.create({ type: 'Tier' }, tier('b', 2));
    await client.delete({ type: 'Tier', name: 'a' });
    for await (const { type, object } of watch) {
      if (type !== 'BOOKMARK')
        seen.push(`${type} ${String(metadataOf(object).name)} ${String(metadataOf(object).resourceVersion)}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['ADDED b 2', 'DELETED a 3']);
    await expect(client.watch({ type: 'Tier' }, { resourceVersion: '9' }).next()).rejects.toMatchObject({
      code: 'REVISION_GONE',
    });
  });

  it('are watched as manifest files change them, live and when they are caught up with', async () => {
    const objectOf = (order: number) => ({
      id: 'Tier//t',
      manifest: tier('t', order) as Manifest,
      location: { file: 'tiers.yaml', line: order },
    });
    const edit = (changes: FileEntry['changes']) =>
      agent.stored.desk.record(() => ({
        time: new Date().toISOString(),
        who: { kind: 'file' },
        from: { files: ['tiers.yaml'] },
        verb: 'edit',
        changes,
      }));
    const id = 'Tier//t';
    await client.create({ type: 'Tier' }, tier('first', 1));
    const live = client.watch({ type: 'Tier' }, { resourceVersion: '1' });
    await live.next();
    await edit([{ id, after: objectOf(1) }]);
    await edit([{ id, before: objectOf(1), after: objectOf(2) }]);
    await edit([{ id, before: objectOf(2) }]);
    await client.create({ type: 'Tier' }, tier('t', 5));
    // A file that covers an object of the store, and no longer does.
    await edit([{ id, after: objectOf(6) }]);
    await edit([{ id, before: objectOf(6) }]);
    await client.delete({ type: 'Tier', name: 't' });
    const expected = [
      'ADDED 2 1 tiers.yaml:1',
      'MODIFIED 3 2 tiers.yaml:2',
      'DELETED 4 2 tiers.yaml:2',
      'ADDED 5 5 store',
      'MODIFIED 6 6 tiers.yaml:6',
      'MODIFIED 5 5 store',
      'DELETED 8 5 store',
    ];
    expect(await take(live, expected.length)).toEqual(expected);
    expect(await take(client.watch({ type: 'Tier' }, { resourceVersion: '1' }), expected.length)).toEqual(expected);
    const last = client.watch({ type: 'Tier' }, { resourceVersion: '5' });
    expect(await take(last, 3)).toEqual(expected.slice(4));
    const others = client.watch({ type: 'Tier' }, { resourceVersion: '1', fieldSelector: 'metadata.name=first' });
    expect((await others.next()).value).toMatchObject({ type: 'BOOKMARK' });
    await others.return(undefined);
  });
});

describe('objects of the store that a file covers', () => {
  const id = 'Tier//t';
  const path = () => join(agent.folder, 'manifests', 'tiers.yaml');
  const inFile = { id, manifest: tier('t', 9) as Manifest, location: { file: 'tiers.yaml', line: 1 } };
  const edit = (change: FileEntry['changes'][number]) =>
    agent.stored.desk.record(() => ({
      time: new Date().toISOString(),
      who: { kind: 'file' },
      from: { files: ['tiers.yaml'] },
      verb: 'edit',
      changes: [change],
    }));
  const cover = async () => {
    writeFileSync(path(), JSON.stringify(tier('t', 9)));
    await expect.poll(() => agent.fileOf(id), { timeout: 10_000 }).toBeDefined();
    await edit({ id, after: inFile });
  };
  const uncover = async () => {
    rmSync(path());
    await expect.poll(() => agent.fileOf(id), { timeout: 10_000 }).toBeUndefined();
    await edit({ id, before: inFile });
  };

  it('are no news for a watch when they are rolled back', async () => {
    await client.create({ type: 'Tier' }, tier('t', 1));
    await client.patch({ type: 'Tier', name: 't' }, 'merge', { spec: { order: 2 } });
    const live = client.watch({ type: 'Tier' }, { resourceVersion: '2' });
    await live.next();
    await cover();
    await client.rollBack('1');
    await client.rollBack('0');
    await client.rollBack('1');
    await client.create({ type: 'Tier' }, tier('u', 5));
    await uncover();
    const expected = ['MODIFIED 3 9 tiers.yaml:1', 'ADDED 7 5 store', 'MODIFIED 6 1 store'];
    expect(await take(live, 3)).toEqual(expected);
    for (const [resourceVersion, left] of [
      ['2', expected],
      ['3', expected.slice(1)],
      ['5', expected.slice(1)],
      ['7', expected.slice(2)],
    ] as const) {
      expect(await take(client.watch({ type: 'Tier' }, { resourceVersion }), left.length)).toEqual(left);
    }
  }, 30_000);

  it('are no news for a watch when nobody confirms what made them', async () => {
    await client.applyAll(JSON.stringify(tier('t', 1)), { confirm: '10s' });
    const live = client.watch({ type: 'Tier' }, { resourceVersion: '1' });
    await live.next();
    await cover();
    await expect.poll(() => agent.stored.store.pending, { timeout: 30_000 }).toBeUndefined();
    await client.create({ type: 'Tier' }, tier('u', 5));
    await uncover();
    const expected = ['MODIFIED 2 9 tiers.yaml:1', 'ADDED 4 5 store', 'DELETED 5 9 tiers.yaml:1'];
    expect(await take(live, 3)).toEqual(expected);
    expect(await take(client.watch({ type: 'Tier' }, { resourceVersion: '1' }), 3)).toEqual(expected);
  }, 60_000);
});

/** The next so many events, in words: type, version, order, and where it is defined. */
async function take(watch: AsyncGenerator<WatchEvent>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type, object } of watch) {
    if (type === 'BOOKMARK') continue;
    const { resourceVersion, annotations = {} } = metadataOf(object) as Readonly<Record<string, unknown>>;
    const [place = 'store'] = Object.values(annotations as Readonly<Record<string, string>>);
    seen.push(`${type} ${String(resourceVersion)} ${(object.spec as { order: number }).order} ${place}`);
    if (seen.length === count) break;
  }
  return seen;
}

const WORKLOADS_COPY = JSON.parse(WORKLOADS.split('\n---\n')[0] as string) as { metadata: object };
