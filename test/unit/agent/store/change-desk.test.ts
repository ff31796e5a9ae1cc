// The desk with a real store and a host that only remembers what it was given.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AGENT_ACTOR } from '../../../../src/agent/store/actor.ts';
import {
  ChangeDesk,
  type PlannedChange,
  type PolicyHost,
  undoExpired,
} from '../../../../src/agent/store/change-desk.ts';
import { confirmationWithin, monotonicMs } from '../../../../src/agent/store/confirmation.ts';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { Logger } from '../../../../src/base/log.ts';

import { tier } from '../../../support/agent/store-manifests.ts';
import { worldOf } from '../../../support/worlds/questions.ts';

class RememberingHost implements PolicyHost {
  readonly given: string[][] = [];
  files = new Map<string, { file: string; line: number }>();
  failure: Error | undefined;
  /** Of the kernel, when it is stored. */
  lateFailure: Error | undefined;
  readonly world = worldOf([]);

  lookOut(): undefined {}

  fileOf(id: string): { file: string; line: number } | undefined {
    return this.files.get(id);
  }

  async putStored(
    changes: Parameters<PolicyHost['putStored']>[0],
    commit: Parameters<PolicyHost['putStored']>[1],
  ): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    commit(worldOf([]));
    if (this.lateFailure !== undefined) throw this.lateFailure;
    this.given.push(
      [...changes].map(([id, resource]) => `${id} ${resource === undefined ? 'gone' : JSON.stringify(resource.spec)}`),
    );
  }
}

let folder: string;
let store: ResourceStore;
let host: RememberingHost;
let desk: ChangeDesk;
const log: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-desk-'));
  store = ResourceStore.open(folder);
  host = new RememberingHost();
  log.length = 0;
  desk = new ChangeDesk(store, host, new Logger({ level: 'info', write: (line) => log.push(line) }));
});

afterEach(async () => {
  await desk.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const put = (name: string, order: number): PlannedChange => ({ id: `Tier//${name}`, manifest: tier(name, order) });
const submit = (changes: readonly PlannedChange[], more: object = {}): ReturnType<ChangeDesk['submit']> =>
  desk.submit({ actor: AGENT_ACTOR, verb: 'apply', plan: () => changes, ...more });

describe('the desk', () => {
  it('stores a change before it is in force, and only what is different', async () => {
    await submit([put('a', 1), put('b', 1)]);
    const { revision, changes } = await submit([put('a', 1), put('b', 2)]);
    expect({ revision, same: changes.map(({ before, after }) => before === after) }).toEqual({
      revision: 2,
      same: [true, false],
    });
    expect(host.given).toEqual([['Tier//a {"order":1}', 'Tier//b {"order":1}'], ['Tier//b {"order":2}']]);
    expect(store.entry(2)?.changes.map(({ id }) => id)).toEqual(['Tier//b']);
    expect((await submit([put('a', 1)])).revision).toBe(2);
    expect(host.given).toHaveLength(2);
  });

  it('carries changes out one after the other, each planned on what the one before has left', async () => {
    const count = (current: ResourceStore): readonly PlannedChange[] => [
      put('n', Number((current.get('Tier//n')?.manifest.spec as { order?: number })?.order ?? 0) + 1),
    ];
    await Promise.all(
      Array.from({ length: 20 }, () => desk.submit({ actor: AGENT_ACTOR, verb: 'apply', plan: count })),
    );
    expect(store.get('Tier//n')?.manifest.spec).toEqual({ order: 20 });
  });

  it('stores nothing that the host refuses, and goes on with the next', async () => {
    host.failure = new Error('does not compile');
    await expect(submit([put('a', 1)])).rejects.toThrow('does not compile');
    expect([store.revision, store.objectCount]).toEqual([0, 0]);
    host.failure = undefined;
    expect((await submit([put('a', 1)])).revision).toBe(1);
  });

  it('stores nothing in a dry run', async () => {
    const { revision, changes } = await submit([put('a', 1)], { isDryRun: true });
    expect([revision, changes.length, store.revision, host.given.length]).toEqual([0, 1, 0, 0]);
  });

  it('refuses what a file defines, but takes it back', async () => {
    await submit([put('a', 1)]);
    await submit([put('a', 2)]);
    host.files.set('Tier//a', { file: 'a.yaml', line: 3 });
    await expect(submit([put('a', 3)])).rejects.toMatchObject({ code: 'DEFINED_IN_FILE', found: 'a.yaml:3' });
    expect((await desk.rollBack(1, { actor: AGENT_ACTOR })).changes).toMatchObject([{ id: 'Tier//a' }]);
  });

  it('brings back what is stored, tells what files keep, and refuses to bring back files alone', async () => {
    const object = (name: string, order: number) => ({
      id: `Tier//${name}`,
      manifest: tier(name, order),
      location: { file: `${name}.yaml`, line: 1 },
    });
    const edit = (name: string, before: number | undefined, after: number) =>
      desk.record(() => ({
        time: '2026-01-01T00:00:00.000Z',
        who: { kind: 'file', uid: 7 },
        from: { files: [`${name}.yaml`] },
        verb: 'edit',
        changes: [{ id: `Tier//${name}`, ...(before && { before: object(name, before) }), after: object(name, after) }],
      }));
    await submit([put('a', 1)]);
    await edit('f', 1, 2);
    await edit('g', undefined, 1);
    await submit([put('a', 2)]);
    expect(store.get('Tier//f')).toBeUndefined();
    const { revision, changes, kept } = await desk.rollBack(1, { actor: AGENT_ACTOR });
    expect({ revision, changes: changes.map(({ id }) => id) }).toEqual({ revision: 5, changes: ['Tier//a'] });
    expect(kept).toEqual([
      { id: 'Tier//g', revision: 3, file: 'g.yaml', line: 1 },
      { id: 'Tier//f', revision: 2, file: 'f.yaml', line: 1 },
    ]);
    await expect(desk.rollBack(1, { actor: AGENT_ACTOR })).rejects.toMatchObject({
      code: 'DEFINED_IN_FILE',
      target: 'Tier//g',
      found: 'g.yaml:1, revision 3, and 1 more objects of files',
    });
    // Of what a file says as it did then there is nothing to tell.
    await edit('f', 2, 1);
    expect((await desk.rollBack(4, { actor: AGENT_ACTOR })).kept).toMatchObject([{ id: 'Tier//f' }]);
    expect((await desk.rollBack(1, { actor: AGENT_ACTOR })).kept).toMatchObject([{ id: 'Tier//g' }]);
  });

  it('holds what awaits a confirmation, and only that', async () => {
    await submit([put('a', 1)], { confirmMs: 60_000 });
    await expect(submit([put('a', 2)])).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(submit([put('c', 2)], { confirmMs: 1000 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await submit([put('b', 1)]);
    const who = { kind: 'local', uid: 7, gid: 7, pid: 9 } as const;
    await desk.confirm(1, { who, from: {} });
    expect(store.entry(1)).toMatchObject({ confirmed: expect.any(String), confirmedBy: who });
    await expect(desk.confirm(1, AGENT_ACTOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await submit([put('a', 2)]);
    expect(store.pending).toBeUndefined();
  });

  it('undoes what nobody confirms, and leaves the rest', async () => {
    await submit([put('a', 1)]);
    await submit([put('a', 2), put('c', 1)], { confirmMs: 300 });
    await submit([put('b', 1)]);
    await vi.waitFor(() => expect(store.revision).toBe(4), 5000);
    expect(host.given.at(-1)).toEqual(['Tier//a {"order":1}', 'Tier//c gone']);
    expect(store.entry(4)).toMatchObject({ verb: 'expire', target: 1 });
    expect([...store.objects()].map(({ id }) => id)).toEqual(['Tier//a', 'Tier//b']);
    expect(log.join()).toContain('not confirmed in time');
  });

  it('notes of what it brings back that a file defines it', async () => {
    await submit([put('a', 1), put('b', 1)]);
    await submit([put('a', 2), put('b', 2)]);
    host.files.set('Tier//a', { file: 'a.yaml', line: 3 });
    await desk.rollBack(1, { actor: AGENT_ACTOR });
    expect(store.entry(3)?.changes.map(({ id, isCovered }) => [id, isCovered])).toEqual([
      ['Tier//a', true],
      ['Tier//b', undefined],
    ]);
  });

  it('undoes what nobody confirms when far more was changed since than history keeps', async () => {
    await desk.close();
    await store.close();
    store = ResourceStore.open(folder, 3);
    desk = new ChangeDesk(store, host, new Logger({ level: 'info', write: (line) => log.push(line) }));
    await submit([put('a', 1)]);
    await submit([put('a', 2)], { confirmMs: 8000 });
    for (let order = 1; order <= 20; order += 1) await submit([put('b', order)]);
    expect([...store.entriesBack()].map(({ revision }) => revision)).toEqual([22, 21, 2]);
    expect(store.compacted).toBe(20);
    await expect(submit([put('a', 3)])).rejects.toMatchObject({ code: 'CONFLICT' });
    await vi.waitFor(() => expect(store.pending).toBeUndefined(), 20_000);
    expect([store.get('Tier//a'), store.get('Tier//b')]).toMatchObject([
      { manifest: tier('a', 1) },
      { manifest: tier('b', 20) },
    ]);
    await submit([put('b', 30)]);
    expect([...store.entriesBack()].map(({ revision }) => revision)).toEqual([24, 23, 22]);
  }, 40_000);

  it('goes on waiting when a rollback brings back only what came later', async () => {
    await submit([put('risky', 1)], { confirmMs: 1500 });
    await submit([put('other', 1)]);
    await desk.rollBack(1, { actor: AGENT_ACTOR });
    expect([...store.objects()].map(({ id }) => id)).toEqual(['Tier//risky']);
    expect(store.pending?.revision).toBe(1);
    await vi.waitFor(() => expect([store.pending, store.objectCount]).toEqual([undefined, 0]), 5000);
  });

  it('takes no rollback that comes undone itself while something waits', async () => {
    await submit([put('risky', 1)], { confirmMs: 60_000 });
    await expect(desk.rollBack(0, { actor: AGENT_ACTOR, confirmMs: 1000 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect([store.pending?.revision, store.revision]).toEqual([1, 1]);
    await desk.confirm(1, AGENT_ACTOR);
    await desk.rollBack(0, { actor: AGENT_ACTOR, confirmMs: 300 });
    await vi.waitFor(() => expect([...store.objects()].map(({ id }) => id)).toEqual(['Tier//risky']), 5000);
  });

  it('says that what is stored is not in force, and keeps its deadline', async () => {
    host.lateFailure = new Error('the kernel has no memory');
    const { revision, notInForce } = await submit([put('a', 1)], { confirmMs: 60_000 });
    expect([revision, store.revision, notInForce]).toEqual([1, 1, host.lateFailure]);
    expect(store.pending?.revision).toBe(1);
    host.lateFailure = undefined;
    expect((await submit([put('b', 1)])).notInForce).toBeUndefined();
  });

  it('ends the wait with a rollback', async () => {
    await submit([put('a', 1)], { confirmMs: 60_000 });
    await desk.rollBack(0, { actor: AGENT_ACTOR });
    expect([store.pending, store.objectCount]).toEqual([undefined, 0]);
  });
});

describe('undoExpired', () => {
  const commit = (confirmation: Partial<ReturnType<typeof confirmationWithin>>): void => {
    const now = new Date();
    const after = {
      id: 'Tier//a',
      manifest: tier('a', 1),
      revision: 1,
      generation: 1,
      uid: 'u',
      created: now.toISOString(),
    };
    store.commit(
      { time: now.toISOString(), who: { kind: 'agent' }, from: {}, verb: 'apply', changes: [{ id: after.id, after }] },
      (revision) => ({ ...confirmationWithin(revision, 3_600_000, now), ...confirmation }),
    );
  };

  it.each([{}, { expires: '1970-01-01T00:00:00Z' }, { expires: '2100-01-01T00:00:00Z' }])(
    'leaves what still has time, whatever the wall clock says: %o',
    (confirmation) => {
      commit(confirmation);
      expect([undoExpired(store), store.objectCount]).toEqual([undefined, 1]);
    },
  );

  const edit = (before: number | undefined, after: number | undefined): void => {
    const file = (order: number) => ({
      id: 'Tier//a',
      manifest: tier('a', order),
      location: { file: 'a.yaml', line: 1 },
    });
    const change = { id: 'Tier//a', ...(before && { before: file(before) }), ...(after && { after: file(after) }) };
    store.record({ time: '', who: { kind: 'file' }, from: {}, verb: 'edit', changes: [change] });
  };

  it('notes of what it undoes whether a file has come to define it', () => {
    commit({ expiresMonotonicMs: monotonicMs() - 1 });
    edit(undefined, 5);
    edit(5, 6);
    undoExpired(store);
    expect(store.entry(4)).toMatchObject({ verb: 'expire', changes: [{ id: 'Tier//a', isCovered: true }] });
    commit({ expiresMonotonicMs: monotonicMs() - 1 });
    edit(6, undefined);
    undoExpired(store);
    expect(store.entry(7)?.changes[0]?.isCovered).toBeUndefined();
  });

  it.each([
    ['its time is up', { expiresMonotonicMs: monotonicMs() - 1 }],
    ['the machine was started again', { bootId: '00000000-0000-0000-0000-000000000000' }],
  ])('undoes a change when %s', (_, confirmation) => {
    commit(confirmation);
    expect([undoExpired(store), store.objectCount, store.pending]).toEqual([1, 0, undefined]);
    expect(undoExpired(store)).toBeUndefined();
  });
});
