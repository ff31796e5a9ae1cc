// What history keeps and gives up, in a real database.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { confirmationWithin } from '../../../../src/agent/store/confirmation.ts';
import type { HistoryEntry } from '../../../../src/agent/store/history.ts';
import { openRoot } from '../../../../src/agent/store/lmdb-root.ts';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import type { StoredObject } from '../../../../src/agent/store/stored-object.ts';
import { tier } from '../../../support/agent/store-manifests.ts';

const TIME = '2026-01-01T00:00:00.000Z';

let folder: string;
let store: ResourceStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-history-'));
  store = ResourceStore.open(folder, 5);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function reopen(keptRevisions: number, keptBytes?: number): Promise<void> {
  await store.close();
  store = ResourceStore.open(folder, keptRevisions, keptBytes);
}

function stored(name: string, text: string): StoredObject {
  return {
    id: `Tier//${name}`,
    manifest: { ...tier(name, 1), text },
    revision: store.revision + 1,
    generation: 1,
    uid: 'u',
    created: TIME,
  };
}

function change(name: string, { text = '', isPending = false } = {}): number {
  const after = stored(name, text);
  const draft = { time: TIME, who: { kind: 'agent' }, from: {}, verb: 'apply' } as const;
  const before = store.get(after.id);
  const changes = [{ id: after.id, ...(before && { before }), after }];
  const pending = (revision: number) => confirmationWithin(revision, 60_000, new Date());
  return store.commit({ ...draft, changes }, isPending ? pending : undefined).revision;
}

function edit(name: string, text = ''): number {
  const after = { id: `Tier//${name}`, manifest: { ...tier(name, 1), text }, location: { file: 'a.yaml', line: 1 } };
  const draft = { time: TIME, who: { kind: 'file' }, from: {}, verb: 'edit' } as const;
  return store.record({ ...draft, changes: [{ id: after.id, after }] }).revision;
}

const revisions = (entries: Iterable<HistoryEntry> = store.entriesBack()): number[] =>
  [...entries].map(({ revision }) => revision);

describe('history', () => {
  it('gives up changes of files for changes of files, and those of the store for those of the store', async () => {
    change('a');
    for (let index = 0; index < 20; index += 1) edit('f');
    change('b');
    expect(revisions()).toEqual([22, 21, 20, 19, 18, 17, 1]);
    expect(store.compacted).toBe(16);
    await reopen(5);
    expect([revisions(), store.compacted]).toEqual([[22, 21, 20, 19, 18, 17, 1], 16]);
    for (let index = 0; index < 20; index += 1) change('c');
    edit('f');
    expect(revisions()).toEqual([43, 42, 41, 40, 39, 38, 21, 20, 19, 18]);
    expect(store.compacted).toBe(37);
    expect(revisions(store.entriesAfter(37))).toEqual([38, 39, 40, 41, 42, 43]);
  });

  it('leads back past changes of files that are gone, and tells whoever must know of them', () => {
    change('a');
    for (let index = 0; index < 20; index += 1) edit('f');
    expect(() => store.requireWayBack(0)).not.toThrow();
    const gone = expect.objectContaining({ code: 'REVISION_GONE', expected: '16 to 21' });
    expect(() => store.requireHistory(15)).toThrow(gone);
    expect(() => [...store.entriesAfter(1)]).toThrow(gone);
    expect(() => store.requireHistory(16)).not.toThrow();
    for (let index = 0; index < 5; index += 1) change('b');
    expect(() => store.requireWayBack(0)).toThrow(expect.objectContaining({ expected: '1 to 26' }));
  });

  it('tells who reads on while it is given up', () => {
    for (let index = 0; index < 5; index += 1) change('a');
    const reading = store.entriesAfter(0);
    expect(reading.next().value).toMatchObject({ revision: 1 });
    for (let index = 0; index < 5; index += 1) change('a');
    expect(() => reading.next()).toThrow(expect.objectContaining({ code: 'REVISION_GONE' }));
  });

  it('bounds the bytes of each of both', async () => {
    await reopen(10_000, 512 * 1024);
    const text = 'x'.repeat(20_000);
    for (let index = 0; index < 10; index += 1) change('a', { text: `${text}${index}` });
    for (let index = 0; index < 100; index += 1) edit('f', text);
    const [verbs, first] = [[...store.entriesBack()].map(({ verb }) => verb), revisions().at(-1)];
    expect([verbs.filter((verb) => verb === 'apply').length, first]).toEqual([10, 1]);
    expect(verbs.length).toBeLessThan(10 + 26);
    expect(verbs.length).toBeGreaterThan(10 + 15);
  });

  it('keeps what awaits a confirmation, and no more for it', async () => {
    for (let index = 0; index < 3; index += 1) change('a');
    const pending = change('p', { isPending: true });
    for (let index = 0; index < 300; index += 1) change('a');
    expect(revisions()).toEqual([304, 303, 302, 301, pending]);
    await reopen(5);
    expect(store.entry(pending)).toMatchObject({ changes: [{ id: 'Tier//p' }] });
    expect(store.confirm(pending, new Date(), { kind: 'agent' })).toMatchObject({
      revision: pending,
      confirmed: expect.any(String),
    });
    change('a');
    expect([revisions(), store.compacted]).toEqual([[305, 304, 303, 302, 301], 300]);
  });

  it('goes on from what an earlier version has written', async () => {
    await store.close();
    const root = openRoot(join(folder, 'store.mdb'));
    const history = root.openDB({ name: 'history', encoding: 'json' });
    const meta = root.openDB({ name: 'meta', encoding: 'json' });
    const head = { time: TIME, who: { kind: 'file' }, from: {}, changes: [] };
    for (const revision of [7, 8, 9]) await history.put(revision, { ...head, revision, verb: 'edit' });
    await meta.put('head', { revision: 9, compacted: 6 });
    await root.close();
    store = ResourceStore.open(folder, 5);
    expect([revisions(store.entriesAfter(6)), store.compacted]).toEqual([[7, 8, 9], 6]);
    for (let index = 0; index < 10; index += 1) edit('f');
    expect(revisions()).toEqual([19, 18, 17, 16, 15, 9, 8, 7]);
    for (let index = 0; index < 5; index += 1) change('a');
    expect([revisions(), store.compacted]).toEqual([[24, 23, 22, 21, 20, 19, 18, 17, 16, 15], 14]);
  });
});

describe('reading history', () => {
  it('page by page finds every entry, and no page is long', async () => {
    await reopen(10_000);
    const text = 'x'.repeat(30_000);
    for (let index = 0; index < 40; index += 1) (index % 2 === 0 ? change : edit)('a');
    for (let index = 0; index < 20; index += 1) edit('f', text);
    const sizes: number[] = [];
    const found: number[] = [];
    for (let before: number | undefined; before !== 1; before = found.at(-1)) {
      const page = revisions(store.pageBack(before, 15, 100_000));
      sizes.push(page.length);
      found.push(...page);
      expect(store.hasEntryBefore(page.at(-1) as number)).toBe(page.at(-1) !== 1);
    }
    expect(found).toEqual(revisions());
    expect(found).toHaveLength(60);
    // Four of them are more than 100,000 bytes.
    expect(sizes).toEqual([4, 4, 4, 4, 4, 15, 15, 10]);
  });

  it('of one object decodes none that do not name it', async () => {
    await reopen(10_000);
    // Longer than what LMDB hands over at once.
    change('long', { text: 'é'.repeat(200_000) });
    for (let index = 0; index < 200; index += 1)
      (index === 70 ? edit : change)(index % 50 === 20 ? 'wanted' : `o-${index}`);
    const parse = vi.spyOn(JSON, 'parse');
    const found = revisions(store.entriesOf('Tier//wanted'));
    const decoded = parse.mock.calls.length;
    parse.mockRestore();
    expect([found, decoded]).toEqual([[172, 122, 72, 22], 4]);
    const [long] = store.entriesOf('Tier//long');
    expect(long?.changes[0]?.after?.manifest.text).toBe('é'.repeat(200_000));
  });

  it('ends with the store', async () => {
    change('a');
    change('a');
    const reading = store.entriesBack();
    reading.next();
    await store.close();
    expect(() => reading.next()).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    store = ResourceStore.open(folder);
  });
});
