import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AcceptedManifests } from '../../../src/agent/accepted-manifests.ts';
import { ManifestFeed, type ModelChanges } from '../../../src/agent/manifest-feed.ts';
import { Logger } from '../../../src/base/log.ts';
import type { Resource } from '../../../src/resources/resource.ts';

const log = new Logger({ level: 'error', write: () => undefined });
const FILES = 1200;

let folder: string;
let feed: ManifestFeed;
/** What came of all changes: order by tier name. */
let orders: Map<string, number | undefined>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-feed-'));
  mkdirSync(join(folder, 'manifests'));
  const memory = new AcceptedManifests({ stateDirectory: join(folder, 'state'), manifests: folder }, log);
  feed = new ManifestFeed(join(folder, 'manifests'), memory, log);
  orders = new Map();
});

afterEach(() => {
  feed.close();
  rmSync(folder, { recursive: true, force: true });
});

function writeTier(name: string, order: number): void {
  const text = `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, 'manifests', `${name}.yaml`));
}

function take({ changed, removed }: ModelChanges): void {
  for (const { key } of removed) orders.delete(key);
  for (const object of changed) if (object.type === 'tier') orders.set(object.name, object.order);
}

describe('ManifestFeed', () => {
  it('hands on everything there is, be it at once or in steps', () => {
    for (let index = 0; index < FILES; index += 1) writeTier(`tier-${index}`, index);
    const steps = [...feed.starting(take)].length;
    expect(steps).toBeGreaterThan(FILES);
    expect(orders.size).toBe(FILES + builtIn());
    const inSteps = new Map(orders);
    orders.clear();
    feed.close();
    const memory = { recall: () => new Map(), remember: () => undefined, forget: () => undefined };
    feed = new ManifestFeed(join(folder, 'manifests'), memory, log);
    feed.start(take);
    expect(orders).toEqual(inSteps);
  });

  it('says that Services have changed, whoever has them, and of nothing else', async () => {
    feed.start(take);
    const before = feed.serviceChanges;
    writeTier('tier-1', 1);
    await vi.waitFor(() => expect(orders.get('tier-1')).toBe(1), 5000);
    expect(feed.serviceChanges).toBe(before);
    const text = 'apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: lab}\nspec: {clusterIP: 10.96.0.10}\n';
    writeFileSync(join(folder, 'db.new'), text);
    renameSync(join(folder, 'db.new'), join(folder, 'manifests', 'db.yaml'));
    await vi.waitFor(() => expect(feed.serviceChanges).toBe(before + 1), 5000);
    const [stored] = feed.resources();
    feed.putStored(new Map([['Service/lab/other', { ...(stored as Resource), id: 'Service/lab/other' }]]));
    expect(feed.serviceChanges).toBe(before + 2);
    rmSync(join(folder, 'manifests', 'db.yaml'));
    await vi.waitFor(() => expect(feed.serviceChanges).toBe(before + 3), 5000);
  });

  it('ends with the last version of files that change between any two steps', async () => {
    const expected = new Map<string, number>();
    const write = (index: number, order: number): void => {
      writeTier(`tier-${index}`, order);
      expected.set(`tier-${index}`, order);
    };
    for (let index = 0; index < FILES; index += 1) write(index, index);
    let steps = 0;
    for (const _step of feed.starting(take)) {
      steps += 1;
      if (steps % 100 !== 0 && steps < FILES) continue;
      for (let index = steps % 40; index < FILES; index += 40) write(index, 10_000 + steps);
      // Long enough for the watch to say so, where there is one already.
      await sleep(20);
    }
    for (const name of orders.keys()) if (!name.startsWith('tier-')) orders.delete(name);
    await vi.waitFor(() => expect(orders).toEqual(expected), 5000);
  });
});

/** Tiers that are there without a manifest. */
function builtIn(): number {
  return [...orders.keys()].filter((name) => !name.startsWith('tier-')).length;
}
