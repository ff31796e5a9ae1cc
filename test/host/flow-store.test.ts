// The process that keeps flows, on a disk that fills up, killed, and over the life of an agent.
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlowStoreService } from '../../src/agent/flows/flow-store-service.ts';
import { StoreClient } from '../../src/agent/flows/store-client.ts';
import { Logger } from '../../src/base/log.ts';
import { EVERY_FLOW } from '../../src/observe/flow-query/filter.ts';
import { FlowHub } from '../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import { flowLog } from '../support/flow-logs.ts';

const MAIN = process.env.TORTIE_STORE_PROCESS ?? resolve('dist/agent/flows/store-process-main.js');
const RETENTION = { days: 7, bytes: 2 ** 30 };
/** Retention is by the clock. */
const START = Date.now();
const WAIT = { timeout: 60_000, interval: 500 };
const all = { filter: EVERY_FLOW, sort: '-time', limit: 10 } as const;

describe('the process that keeps flows', { timeout: 120_000 }, () => {
  let folder: string;
  let said: string[];
  let child: ChildProcess;
  let client: StoreClient;
  /** It cannot be started. */
  let isAway: boolean;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-store-'));
    said = [];
    isAway = false;
  });

  afterEach(async () => {
    await client.close();
    if (isMounted(folder)) execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  function open(): StoreClient {
    client = new StoreClient({
      directory: join(folder, 'flows'),
      retention: RETENTION,
      log: new Logger({ level: 'info', write: (line) => said.push(line) }),
      start: () => {
        if (isAway) throw new Error('no memory left');
        child = fork(MAIN, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
        return child;
      },
    });
    return client;
  }

  /** What does not repeat does not shrink: half a megabyte. */
  const batch = (round: number): FlowLog[] =>
    Array.from({ length: 500 }, (_, index) =>
      flowLog({
        startTime: START + round,
        endTime: START + round,
        node: `${round}-${index}-${randomBytes(750).toString('base64')}`,
      }),
    );

  it('gives the oldest flows up on a full disk, goes on with the newest, and lives', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
    const store = open();
    let last = await store.append(batch(0));
    for (let round = 1; round < 60; round += 1) last = await store.append(batch(round));
    expect(last.expired + last.givenUp).toBeGreaterThan(0);
    expect(last.bytes).toBeLessThan(24 * 2 ** 20);
    const [newest] = await store.list(all);
    expect(newest?.log.startTime).toBe(START + 59);
    // Somebody else takes all the rest.
    try {
      writeFileSync(join(folder, 'other'), Buffer.alloc(24 * 2 ** 20));
    } catch {
      // Full, as it should be.
    }
    for (let round = 60; round < 70; round += 1) last = await store.append(batch(round));
    expect(last.expired + last.givenUp + last.lost).toBeGreaterThan(0);
    rmSync(join(folder, 'other'));
    last = await store.append(batch(70));
    last = await store.append(batch(71));
    expect((await store.list(all))[0]?.log.startTime).toBe(START + 71);
    expect(child.exitCode).toBeNull();
  });

  it('has what it had after it was killed, and is started again by whoever needs it', async () => {
    const store = open();
    await store.append([flowLog(), flowLog()]);
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
    await expect
      .poll(async () => (await store.list(all).catch(() => [])).length, { timeout: 30_000, interval: 1000 })
      .toBe(2);
    expect(said.join('')).toContain('the process that keeps flows has ended');
  });

  /** All records of the port, as the store has them. */
  async function stored(service: FlowStoreService): Promise<number> {
    const rows = await service.store.top({ filter: EVERY_FLOW, by: 'port', measure: 'flows', limit: 10 });
    return rows.reduce((sum, row) => sum + Number(row.at(-2)), 0);
  }

  /** Publishes so many records over some seconds. */
  async function publish(hub: FlowHub, rounds: number, each: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const time = Date.now();
      hub.publish(Array.from({ length: each }, () => flowLog({ startTime: time, endTime: time })));
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  function keep(): { hub: FlowHub; service: FlowStoreService } {
    const hub = new FlowHub(new Logger({ level: 'info', write: (line) => said.push(line) }));
    const service = new FlowStoreService({
      hub,
      stateDirectory: folder,
      log: new Logger({ level: 'info', write: (line) => said.push(line) }),
      options: { flowStore: 'all', flowStoreDays: 7, flowStoreBytes: 2 ** 30 },
      openStore: () => open(),
    });
    return { hub, service };
  }

  it('has every record once when it is killed under traffic, again and again', async () => {
    const { hub, service } = keep();
    const rounds = 100;
    const published = publish(hub, rounds, 600);
    // Amid writing: a batch is on its way at nearly any time.
    for (let kill = 0; kill < 4; kill += 1) {
      await expect.poll(() => child?.connected === true, { timeout: 20_000, interval: 20 }).toBe(true);
      await new Promise((done) => setTimeout(done, 700 + 311 * kill));
      child.kill('SIGKILL');
    }
    await published;
    await expect.poll(() => service.status(), WAIT).toMatchObject({ waiting: 0, handedOver: rounds * 600, lost: 0 });
    expect(said.filter((line) => line.includes('the process that keeps flows has ended')).length).toBeGreaterThan(1);
    await expect.poll(() => stored(service).catch(() => 0), WAIT).toBe(rounds * 600);
    await service.stop();
  });

  it('counts what is more than may wait while it is away for long, and has all the rest', async () => {
    const { hub, service } = keep();
    await publish(hub, 1, 100);
    await expect.poll(() => service.status().handedOver, WAIT).toBe(100);
    isAway = true;
    child.kill('SIGKILL');
    await publish(hub, 20, 15_000);
    const { lost, waiting, error } = service.status();
    expect(lost).toBeGreaterThan(50_000);
    expect(lost + waiting).toBe(300_000);
    expect(error).toContain('its process');
    isAway = false;
    await expect.poll(() => service.status(), WAIT).toMatchObject({ waiting: 0, handedOver: 300_100 - lost, lost });
    expect(await stored(service)).toBe(300_100 - lost);
    await service.stop();
  });

  it('stands behind others with each of its threads', async () => {
    const store = open();
    await store.append([flowLog()]);
    await store.list(all);
    const threads = readdirSync(`/proc/${child.pid}/task`);
    const niceOf = (thread: string): string | undefined => {
      const stat = readFileSync(`/proc/${child.pid}/task/${thread}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16];
    };
    expect(threads.length).toBeGreaterThan(4);
    expect([...new Set(threads.map(niceOf))]).toEqual(['10']);
  });

  it('ends with the agent, whatever signal the group gets', async () => {
    const store = open();
    await store.append([flowLog()]);
    child.kill('SIGTERM');
    child.kill('SIGINT');
    await store.append([flowLog()]);
    expect((await store.status()).records).toBe(2);
    const { pid } = child;
    await store.close();
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });
});

function isMounted(path: string): boolean {
  return execFileSync('findmnt', ['-n', '-o', 'TARGET', '--target', path], { encoding: 'utf8' }).trim() === path;
}
