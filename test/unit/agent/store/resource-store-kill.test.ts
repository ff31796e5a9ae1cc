// A process that writes is killed at any instant: whatever it was told to be stored is there, and nothing of half a change.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const KILLS = 40;
const LONGEST_LIFE_MS = 60;
const WRITER = resolve(import.meta.dirname, 'store-writer.mjs');

let folder: string;

beforeAll(async () => {
  // Inside the project, so that the bundle finds lmdb.
  folder = mkdtempSync(resolve('node_modules/.tortie-store-'));
  const bundle = await rolldown({
    input: 'src/agent/store/resource-store.ts',
    external: [/^node:/, 'lmdb'],
    platform: 'node',
  });
  await bundle.write({ file: join(folder, 'store.mjs'), format: 'esm' });
  await bundle.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The last revision that it was told of. */
async function writeUntilKilled(directory: string, lifeMs: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, join(folder, 'store.mjs'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  await sleep(lifeMs);
  child.kill('SIGKILL');
  await closed;
  const whole = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return Number(whole.at(-1)?.replace('open ', ''));
}

async function checkStore(directory: string, acknowledged: number): Promise<void> {
  const store = ResourceStore.open(directory);
  try {
    expect(store.revision).toBeGreaterThanOrEqual(acknowledged);
    const expected = new Map<string, number>();
    let before = store.compacted;
    for (const { revision, changes } of store.entriesAfter(before)) {
      expect(revision).toBe(before + 1);
      expect(changes).toHaveLength(3);
      for (const { id } of changes) expected.set(id, revision);
      before = revision;
    }
    expect(before).toBe(store.revision);
    const found = new Map([...store.objects()].map(({ id, revision, manifest }) => [id, { revision, manifest }]));
    expect([...found].map(([id, { revision }]) => [id, revision]).sort()).toEqual([...expected].sort());
    for (const { revision, manifest } of found.values()) expect(manifest.text).toBe(String(revision).repeat(3000));
  } finally {
    await store.close();
  }
}

describe('ResourceStore', () => {
  it('has every acknowledged change and no half of one, however often its process is killed', async () => {
    const seed = newSeed('kills of a store');
    const random = new Random(seed);
    const directory = mkdtempSync(join(tmpdir(), 'tortie-store-'));
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const acknowledged = await writeUntilKilled(directory, random.below(LONGEST_LIFE_MS));
        await checkStore(directory, acknowledged);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 120_000);
});
