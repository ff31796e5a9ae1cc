// What the API has acknowledged survives a power cut: whatever a change writes to the store is on the disk, as far as the kernel can say,
// before its answer is sent. A killed process alone would prove nothing of it: what the kernel has not written yet outlives that.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ResourceClient } from '../../src/cli/resource-client.ts';
import { socketPath } from '../../tools/lab/agent.ts';
import type { FaultPlan, FaultyAgent } from '../../tools/lab/faults.ts';
import { FlipArena } from '../../tools/lab/flip-arena.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { bundleAgent } from './support/proof-arena.ts';
import { IS_WHOLE } from './support/share.ts';

const STORE = '/state/store.mdb';
const WRITE = /^(pwrite64|writev|write):/;
const EIO = 5;
/** Of an open file's flags: a write returns when the disk has it. */
const O_DSYNC = 0o10_000;
const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
/** Changes that are looked at: not all of them write as many pages. */
const CHANGES = IS_WHOLE ? 50 : 10;
/** For each call at which something is to happen: changes by turns write pages in one call or in several, so its place is guessed. */
const TRIES = 60;
const TRACES = 6;
const QUIET_MS = 50;

/** What a change does to the store, in order; all but the last are pages, and the last one makes them count. */
interface StoreCalls {
  /** Places among all calls, from 1 on. */
  readonly pages: readonly number[];
  readonly sync: number;
  readonly root: number;
}

describe('a change that the API has acknowledged', () => {
  let arena: FlipArena;
  let client: ResourceClient;
  let faulty: FaultyAgent;
  let tiers = 0;
  const random = new Random(newSeed('durability'));

  beforeAll(async () => {
    arena = await FlipArena.create({ program: await bundleAgent('durability') });
    client = new ResourceClient(socketPath(arena.lab));
    await start();
  });

  afterAll(async () => {
    await faulty?.agent.kill();
    await arena?.close();
  });

  async function start(): Promise<void> {
    arena.write();
    faulty = await arena.launchFaulty({ kind: 'trace' });
    await arena.settle(faulty.agent);
    // History takes down what the files had become meanwhile, too.
    await traceChange();
  }

  async function restart(): Promise<void> {
    await faulty.agent.kill();
    await start();
  }

  /** Makes a change. Returns its object's name, and what it was answered. */
  async function change(): Promise<{ readonly name: string; readonly answer: 'acknowledged' | string }> {
    tiers += 1;
    const name = `tier-${tiers}`;
    const tier = { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec: { order: tiers } };
    const answer = await client.create({ type: 'Tier' }, tier).then(
      () => 'acknowledged',
      (error: { code?: string }) => String(error.code),
    );
    return { name, answer };
  }

  async function traceChange(): Promise<readonly string[]> {
    await sleep(QUIET_MS);
    await faulty.replan({ kind: 'trace' });
    expect((await change()).answer).toBe('acknowledged');
    return faulty.calls;
  }

  async function isStored(name: string): Promise<boolean> {
    return client.get({ type: 'Tier', name }).then(
      () => true,
      (error: { code?: string }) => {
        if (error.code === 'NOT_FOUND') return false;
        throw error;
      },
    );
  }

  /** A change at one call of which something happens: what it was answered, once it was just that call. */
  async function changeWith(
    which: (calls: StoreCalls) => number,
    plan: (at: number) => FaultPlan,
  ): Promise<{ readonly name: string; readonly answer: string }> {
    const places: number[] = [];
    for (let traces = 0; traces < TRACES; traces += 1) places.push(which(storeCalls(await traceChange())));
    for (let tries = 0; tries < TRIES; tries += 1) {
      places.push(which(storeCalls(await traceChange())));
      // As it went lately: how much else is called meanwhile depends on the machine.
      const at = random.pick([...new Set(places.slice(-TRACES))]);
      await sleep(QUIET_MS);
      await faulty.replan(plan(at));
      const changed = await change();
      const calls = plan(at).kind === 'fail' ? faulty.calls : faulty.calls.slice(0, at);
      const isThere = faulty.isDone && calls[at - 1]?.endsWith(STORE) === true && which(storeCalls(calls, at)) === at;
      // A store whose root could not be written is over until it is opened again, whichever call was meant.
      const isOver = plan(at).kind === 'fail' ? !isThere && changed.answer !== 'acknowledged' : faulty.isDone;
      if (isOver) await restart();
      if (isThere) return changed;
    }
    throw new Error('the change makes no such call');
  }

  it('has its pages synced before what makes them count, and that is written through', async () => {
    for (let changes = 0; changes < CHANGES; changes += 1) {
      const calls = await traceChange();
      const { pages, sync, root } = storeCalls(calls);
      expect(pages.length, calls.join()).toBeGreaterThan(0);
      expect(Math.max(...pages), calls.join()).toBeLessThan(sync);
      expect(sync, calls.join()).toBeLessThan(root);
      // Nothing of it comes later.
      expect(calls.slice(root).filter((call) => call.endsWith(STORE))).toEqual([]);
    }
    const flags = openFlags(faulty.tracedPid as number);
    const through = flags.filter((flag) => (flag & O_DSYNC) !== 0);
    expect(through.map((flag) => flag & O_ACCMODE)).toEqual([O_WRONLY]);
    expect(flags.length).toBeGreaterThan(through.length);
  });

  it.each([
    ['its pages are written', ({ pages }: StoreCalls) => pages[0] as number],
    ['its pages are synced', ({ sync }: StoreCalls) => sync],
    ['they are made to count', ({ root }: StoreCalls) => root],
  ])('was not answered before %s', async (_when, which) => {
    const { name, answer } = await changeWith(which, (at) => ({ kind: 'kill', at }));
    expect(answer).toBe('AGENT_UNREACHABLE');
    expect(await isStored(name)).toBe(false);
  });

  it('is there as soon as they count', async () => {
    const { name } = await changeWith(
      ({ root }) => root,
      (at) => ({ kind: 'kill-after', at }),
    );
    expect(await isStored(name)).toBe(true);
  });

  it.each([
    ['write its pages', ({ pages }: StoreCalls) => pages[0] as number],
    ['sync its pages', ({ sync }: StoreCalls) => sync],
  ])('was not answered so when the disk could not %s, and the next one is', async (_what, which) => {
    const { name, answer } = await changeWith(which, (at) => ({ kind: 'fail', at, errno: EIO }));
    expect(answer).toBe('STORE_FAILED');
    expect(await isStored(name)).toBe(false);
    const next = await change();
    expect(next.answer).toBe('acknowledged');
    expect(await isStored(next.name)).toBe(true);
  });

  it('was not answered so when the disk could not make it count, and the next agent has what it had before', async () => {
    const before = await change();
    const { answer } = await changeWith(
      ({ root }) => root,
      (at) => ({ kind: 'fail', at, errno: EIO }),
    );
    expect(answer).toBe('STORE_FAILED');
    // The agent goes on, without a store.
    expect((await change()).answer).toBe('STORE_FAILED');
    expect((await faulty.agent.status())?.inSync).toBe(true);
    await restart();
    expect(await isStored(before.name)).toBe(true);
    expect((await change()).answer).toBe('acknowledged');
  });
});

/** `end` = calls of a change that went no further. */
function storeCalls(calls: readonly string[], end?: number): StoreCalls {
  const places = (matches: (call: string) => boolean) =>
    calls.flatMap((call, index) => (call.endsWith(STORE) && matches(call) ? [index + 1] : []));
  const sync = places((call) => call.startsWith('fdatasync:'))[0] ?? end ?? 0;
  const writes = places((call) => WRITE.test(call));
  return {
    pages: writes.filter((at) => at < sync || at === end),
    sync,
    root: writes.find((at) => at > sync) ?? 0,
  };
}

/** As which the store's file is open. */
function openFlags(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    if (!nameOf(`/proc/${pid}/fd/${fd}`).endsWith(STORE)) return [];
    return [Number.parseInt(/^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)];
  });
}

/** Empty = it has been closed meanwhile. */
function nameOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
