// What becomes of files in history, with a real directory, a real store and agents that come and go.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManifestIntake } from '../../../../src/agent/manifest-intake.ts';
import type { AgentOptions } from '../../../../src/agent/options.ts';
import type { PolicyHost } from '../../../../src/agent/store/change-desk.ts';
import type { FileEntry } from '../../../../src/agent/store/history.ts';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { StoreSession } from '../../../../src/agent/store/session.ts';
import { Logger } from '../../../../src/base/log.ts';
import { DEFAULT_MANIFEST_LIMITS } from '../../../../src/resources/sources/manifest-limits.ts';
import { tier } from '../../../support/agent/store-manifests.ts';

/** Longer than the memory waits before it writes. */
const REMEMBERED_MS = 150;

let folder: string;
let manifests: string;
const log: string[] = [];
const opened: Life[] = [];

/** As much of an agent as reads files and keeps their history. */
class Life {
  readonly stored: StoreSession;
  readonly intake: ManifestIntake;
  isInForce = true;
  turns = 0;

  constructor() {
    const logger = new Logger({ level: 'info', write: (line) => log.push(line) });
    const options = {
      manifests,
      stateDirectory: join(folder, 'state'),
      limits: { manifests: DEFAULT_MANIFEST_LIMITS },
    };
    this.stored = new StoreSession(options.stateDirectory, {} as PolicyHost, logger);
    this.intake = new ManifestIntake(options as unknown as AgentOptions, this.stored, logger);
    opened.push(this);
    this.intake.memory.recall();
    this.intake.feed.start(() => this.turn());
    this.turn();
  }

  turn(): void {
    const tell = this.intake.taking();
    this.turns += 1;
    if (this.isInForce) tell();
  }

  async stop(): Promise<void> {
    await this.intake.close();
    await this.stored.close();
    this.intake.memory.close();
    opened.splice(opened.indexOf(this), 1);
  }

  /** As a SIGKILL leaves it: what is not on disk is gone. */
  async kill(): Promise<void> {
    this.intake.feed.close();
    await this.stored.close();
    this.intake.memory.recorded = () => undefined;
    opened.splice(opened.indexOf(this), 1);
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-file-history-'));
  manifests = join(folder, 'manifests');
  mkdirSync(manifests);
  log.length = 0;
});

afterEach(async () => {
  for (const life of [...opened]) await life.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, ...objects: readonly object[]): void {
  writeFileSync(join(folder, 'new'), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  renameSync(join(folder, 'new'), join(manifests, name));
}

function history(): FileEntry[] {
  const store = ResourceStore.open(join(folder, 'state'));
  const entries = [...store.entriesBack()] as FileEntry[];
  void store.close();
  return entries;
}

/** `<id> <order before>-><order after>` of each change, the latest first. */
const summary = (entries: readonly FileEntry[]): string[][] =>
  entries.map(({ changes }) =>
    changes.map(({ id, before, after }) => `${id} ${orderOf(before)}->${orderOf(after)}`).sort(),
  );
const orderOf = (object: FileEntry['changes'][number]['after']): unknown =>
  (object?.manifest.spec as { order?: number } | undefined)?.order;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const waitFor = (life: Life, entries: number): Promise<void> =>
  expect.poll(() => life.stored.status()?.revision ?? 0, { timeout: 5000 }).toBe(entries);

describe('history of files', () => {
  it('takes what a first agent finds for no change, and needs no store for it', async () => {
    write('a.yaml', tier('a', 1));
    const life = new Life();
    await sleep(REMEMBERED_MS);
    expect(life.stored.status()).toBeNull();
    await life.stop();
    await new Life().stop();
    expect(() => statSync(join(folder, 'state', 'store.mdb'))).toThrow();
  });

  it('has each change with its owner, its file and both versions, and nothing that says the same', async () => {
    write('a.yaml', tier('a', 1), tier('b', 1));
    const life = new Life();
    write('a.yaml', tier('a', 2), tier('b', 1));
    await waitFor(life, 1);
    const { turns } = life;
    writeFileSync(
      join(folder, 'new'),
      `# moved by a line\n${JSON.stringify(tier('a', 2))}\n---\n${JSON.stringify(tier('b', 1))}`,
    );
    renameSync(join(folder, 'new'), join(manifests, 'a.yaml'));
    await expect.poll(() => life.turns).toBeGreaterThan(turns);
    write('c.yaml', tier('c', 1));
    await waitFor(life, 2);
    rmSync(join(manifests, 'c.yaml'));
    await waitFor(life, 3);
    await life.stop();
    const entries = history();
    expect(summary(entries)).toEqual([['Tier//c 1->undefined'], ['Tier//c undefined->1'], ['Tier//a 1->2']]);
    expect(entries.map(({ who, from, verb }) => ({ who, from, verb }))).toEqual([
      { who: { kind: 'file' }, from: { files: ['c.yaml'] }, verb: 'edit' },
      { who: { kind: 'file', uid: process.getuid?.() }, from: { files: ['c.yaml'] }, verb: 'edit' },
      { who: { kind: 'file', uid: process.getuid?.() }, from: { files: ['a.yaml'] }, verb: 'edit' },
    ]);
    expect(entries[2]?.changes[0]).toMatchObject({ before: { location: { file: 'a.yaml', line: 1 } } });
  });

  it('has one entry for what one turn puts in force, and none before it is', async () => {
    const life = new Life();
    life.isInForce = false;
    write('a.yaml', tier('a', 1));
    await expect.poll(() => life.turns).toBeGreaterThan(1);
    write('b.yaml', tier('b', 1));
    write('a.yaml', tier('a', 2));
    await expect.poll(() => [...life.intake.feed.resources()].length).toBe(2);
    await sleep(REMEMBERED_MS);
    expect(life.stored.status()).toBeNull();
    life.isInForce = true;
    life.turn();
    await waitFor(life, 1);
    await life.stop();
    expect(summary(history())).toEqual([['Tier//a undefined->2', 'Tier//b undefined->1']]);
  });

  it('finds what was changed while no agent ran, be it moved from file to file', async () => {
    write('a.yaml', tier('a', 1), tier('moved', 1));
    write('gone.yaml', tier('gone', 1));
    await new Life().stop();
    write('a.yaml', tier('a', 2));
    write('b.yaml', tier('moved', 1), tier('new', 1));
    rmSync(join(manifests, 'gone.yaml'));
    const life = new Life();
    await waitFor(life, 2);
    await life.stop();
    expect(summary(history())).toEqual([['Tier//gone 1->undefined'], ['Tier//a 1->2', 'Tier//new undefined->1']]);
    await new Life().stop();
    expect(history()).toHaveLength(2);
  });

  it('loses nothing and tells nothing twice when an agent is killed between the change and its record', async () => {
    write('a.yaml', tier('a', 1));
    await new Life().stop();
    const before = new Life();
    before.isInForce = false;
    write('a.yaml', tier('a', 2));
    await expect.poll(() => before.intake.memory.digest()).not.toBe('');
    await expect.poll(() => before.turns).toBeGreaterThan(1);
    await sleep(REMEMBERED_MS);
    await before.kill();
    const accepted = join(folder, 'state', 'accepted');
    cpSync(accepted, join(folder, 'kept'), { recursive: true });
    const next = new Life();
    await waitFor(next, 1);
    await next.stop();
    // As if it had been killed when it was in history, and before the memory had noted that.
    rmSync(accepted, { recursive: true });
    cpSync(join(folder, 'kept'), accepted, { recursive: true });
    expect(summary(history())).toEqual([['Tier//a 1->2']]);
    const last = new Life();
    await sleep(REMEMBERED_MS);
    await last.stop();
    expect(summary(history())).toEqual([['Tier//a 1->2']]);
  });

  it('puts many objects in entries that somebody can read', async () => {
    const life = new Life();
    write('many.yaml', ...Array.from({ length: 450 }, (_, index) => tier(`t-${index}`, index)));
    await waitFor(life, 3);
    await life.stop();
    const sizes = history().map(({ changes }) => changes.length);
    expect(sizes).toEqual([50, 200, 200]);
  });

  it('says once that it cannot write, and catches up', async () => {
    const life = new Life();
    const { desk } = life.stored;
    const { record } = desk;
    let refused = 0;
    desk.record = () => {
      refused += 1;
      return Promise.reject(new Error('no space'));
    };
    write('a.yaml', tier('a', 1));
    await expect.poll(() => refused).toBe(1);
    write('a.yaml', tier('a', 2));
    await expect.poll(() => refused).toBe(2);
    expect(log.filter((line) => line.includes('no space'))).toHaveLength(1);
    desk.record = record;
    await life.stop();
    expect(summary(history())).toEqual([['Tier//a undefined->2']]);
  });

  it('gives up its oldest entries when they take too much room, and keeps the objects of the store', async () => {
    const store = ResourceStore.open(join(folder, 'small'), 10_000, 512 * 1024);
    const location = { file: 'a.yaml', line: 1 };
    const after = { id: 'Tier//a', manifest: { ...tier('a', 1), note: 'x'.repeat(20_000) }, location };
    const draft = { time: '2026-01-01T00:00:00.000Z', who: { kind: 'file' }, from: {}, verb: 'edit' } as const;
    for (let index = 0; index < 300; index += 1) store.record({ ...draft, changes: [{ id: after.id, after }] });
    expect(store.revision).toBe(300);
    // So many as there is room for, not one hundred less.
    expect(300 - store.compacted).toBeGreaterThan(15);
    expect(300 - store.compacted).toBeLessThan(26);
    expect([...store.entriesBack()]).toHaveLength(300 - store.compacted);
    expect(store.objectCount).toBe(0);
    expect(() => store.requireHistory(0)).toThrow('history does not know what came after it');
    await store.close();
  });
});
