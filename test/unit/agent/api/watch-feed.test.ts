// Watches with far more to send than may wait in memory: a slow reader gets all of it, in order and once; one that takes
// nothing is cut off.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FileEntry, ObjectChange } from '../../../../src/agent/store/history.ts';
import type { Manifest } from '../../../../src/agent/store/manifest.ts';
import type { StoredObject } from '../../../../src/agent/store/stored-object.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { tier } from '../../../support/agent/store-manifests.ts';

interface Event {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string; readonly resourceVersion: string } };
}

const PATH = '/apis/projectcalico.org/v3/tiers?watch=true';
const LARGE = 200_000;
const COUNT = 40;
const MIB = 1024 * 1024;
const LAST = 'last';
const HEAD = { time: '2026-01-01T00:00:00.000Z', who: { kind: 'agent' }, from: {} } as const;
const LIMITS = { headersMs: 30_000, requestMs: 60_000, connections: 8 };

let agent: KernelLessAgent;
let asked: ClientRequest | undefined;

afterEach(async () => {
  asked?.destroy();
  await agent.end();
});

function start(idleMs = 60_000, keptRevisions?: number): Promise<KernelLessAgent> {
  return KernelLessAgent.start({ api: { limits: { ...LIMITS, idleMs } }, keptRevisions });
}

function stored(name: string, bytes = 0): StoredObject {
  const manifest = tier(name, 1, {}) as { readonly metadata: object };
  return {
    id: `Tier//${name}`,
    manifest: { ...manifest, metadata: { name, annotations: { filling: 'x'.repeat(bytes) } } },
    revision: agent.stored.store.revision + 1,
    generation: 1,
    uid: name,
    created: HEAD.time,
  };
}

/** One change of the store. */
function commit(...changes: ObjectChange[]): void {
  agent.stored.store.commit({ ...HEAD, verb: 'apply', changes });
}

function create(name: string, bytes = 0): StoredObject {
  const object = stored(name, bytes);
  commit({ id: object.id, after: object });
  return object;
}

/** What a file defines in the place of an object of the store. */
function cover({ id, manifest }: StoredObject): void {
  const after = { id, manifest: manifest as Manifest, location: { file: 'a.yaml', line: 1 } };
  const draft: Omit<FileEntry, 'revision'> = { ...HEAD, verb: 'edit', changes: [{ id, after }] };
  agent.stored.store.record(draft);
}

function watch(query: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked = request({ socketPath: agent.options.socket, path: `${PATH}${query}`, agent: false }, resolve);
    asked.on('error', reject).end();
  });
}

/** Until the event of that name, a little at a time. */
async function readSlowly(answer: IncomingMessage, onFirst: () => void): Promise<Event[]> {
  const events: Event[] = [];
  let rest = '';
  let isFirst = true;
  for await (const chunk of answer) {
    if (isFirst) onFirst();
    isFirst = false;
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() as string;
    events.push(...lines.map((line) => JSON.parse(line) as Event));
    const last = events.findIndex(({ object }) => object.metadata.name === LAST);
    if (last >= 0) return events.slice(0, last + 1);
    await sleep(5);
  }
  return events;
}

function wordsOf(events: readonly Event[]): string[] {
  return events.map(({ type, object: { metadata } }) =>
    [type, metadata.name, metadata.resourceVersion].filter((word) => word !== undefined).join(' '),
  );
}

/** What has arrived when the agent ends the watch. */
async function readToEnd(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  }
  return bytes;
}

const names = Array.from({ length: COUNT }, (_, index) => `t${index}`);

describe('a slow reader of a watch', () => {
  it('gets all of history, and what came meanwhile after it', async () => {
    agent = await start();
    const covered = create('covered');
    for (const name of names) create(name, LARGE);
    const events = await readSlowly(await watch('&resourceVersion=1'), () => {
      cover(covered);
      commit({ id: covered.id, before: covered, isCovered: true });
      create(LAST);
    });
    expect(wordsOf(events)).toEqual([
      ...names.map((name, index) => `ADDED ${name} ${index + 2}`),
      // The store had it then, and has not now.
      `MODIFIED covered ${COUNT + 2}`,
      `ADDED ${LAST} ${COUNT + 4}`,
    ]);
  });

  it('gets one change of many objects, with a bookmark behind it', async () => {
    agent = await start();
    create('first');
    const objects = names.map((name) => stored(name, LARGE));
    commit(...objects.map((after) => ({ id: after.id, after })));
    const events = await readSlowly(await watch('&resourceVersion=1'), () => create(LAST));
    expect(wordsOf(events)).toEqual([...names.map((name) => `ADDED ${name} 2`), 'BOOKMARK 2', `ADDED ${LAST} 3`]);
  });

  it('gets what is there, as it was when the watch began', async () => {
    agent = await start();
    for (const name of names) create(name, LARGE);
    const events = await readSlowly(await watch(''), () => {
      const before = agent.stored.store.get('Tier//t9') as StoredObject;
      commit({ id: before.id, before });
      create(LAST);
    });
    expect(wordsOf(events)).toEqual([
      ...[...names].sort().map((name) => `ADDED ${name} ${names.indexOf(name) + 1}`),
      `BOOKMARK ${COUNT}`,
      `DELETED t9 ${COUNT + 1}`,
      `ADDED ${LAST} ${COUNT + 2}`,
    ]);
  });
});

describe('a reader of a watch that takes nothing', () => {
  it('is cut off after a while', async () => {
    agent = await start(500);
    create('first');
    for (const name of names) create(name, LARGE);
    const answer = await watch('&resourceVersion=1');
    await sleep(2000);
    expect(await readToEnd(answer)).toBeLessThan(2 * MIB);
  });

  it('is cut off as well when it takes nothing of what comes', async () => {
    agent = await start(500);
    create('first');
    const answer = await watch('&resourceVersion=1');
    for (const name of names) create(name, LARGE);
    await sleep(2000);
    expect(await readToEnd(answer)).toBeLessThan(2 * MIB);
  });

  it('is told, when it comes again, that history has gone on without it', async () => {
    agent = await start(60_000, COUNT);
    create('first');
    for (const name of names.slice(1)) create(name, LARGE);
    const answer = await watch('&resourceVersion=1');
    for (const name of names) create(`later-${name}`);
    expect(await readToEnd(answer)).toBeLessThan(2 * MIB);
    expect((await watch('&resourceVersion=1')).statusCode).toBe(410);
  });

  it('is not cut off while there is nothing to take', async () => {
    agent = await start(300);
    create('first');
    const answer = await watch('&resourceVersion=1');
    setTimeout(() => create(LAST), 1000);
    expect(wordsOf(await readSlowly(answer, () => undefined))).toEqual(['BOOKMARK 1', `ADDED ${LAST} 2`]);
  });
});
