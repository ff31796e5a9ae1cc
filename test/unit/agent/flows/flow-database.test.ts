import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlowDatabase, type FlowDatabaseOptions } from '../../../../src/agent/flows/flow-database.ts';
import { anyOf, EVERY_FLOW } from '../../../../src/observe/flow-query/filter.ts';
import { parseFilter } from '../../../../src/observe/flow-query/parse-filter.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { anyFlowLog, flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const DAY = 86_400_000;
const RETENTION = { days: 7, bytes: 1024 * 1024 * 1024 };

describe('store of flows', () => {
  let directory: string;
  let said: { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  let open: FlowDatabase[];

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'tortie-flows-')), 'flows');
    said = [];
    open = [];
  });

  afterEach(() => {
    for (const store of open) store.close();
    rmSync(join(directory, '..'), { recursive: true, force: true });
  });

  async function openStore(given: Partial<FlowDatabaseOptions> = {}): Promise<FlowDatabase> {
    const store = await FlowDatabase.open({
      directory,
      retention: RETENTION,
      log: (level, message, fields) => void said.push({ level, message, fields }),
      now: () => START + 60_000,
      steadyNow: () => 0,
      ...given,
    });
    open.push(store);
    return store;
  }

  function closeStore(store: FlowDatabase): void {
    store.close();
    open = open.filter((one) => one !== store);
  }

  const all = { filter: EVERY_FLOW, sort: 'time', limit: 10_000 } as const;

  it('gives back every field of what was put in, over a restart too', async () => {
    const logs = fc.sample(anyFlowLog, { numRuns: 1500, seed: 7 });
    let store = await openStore();
    await store.append(logs.slice(0, 1100));
    await store.append(logs.slice(1100));
    closeStore(store);
    store = await openStore();
    const found = await store.list({ ...all, limit: 5000 });
    const bySequence = found.toSorted((a, b) => a.sequence - b.sequence).map(({ log }) => log);
    expect(bySequence).toEqual(logs);
    expect(store.status()).toMatchObject({ records: 1500, lost: 0, movedAside: 0 });
  });

  it('writes what is handed over again once, over a restart too', async () => {
    const logs = Array.from({ length: 300 }, (_, bytesIn) => flowLog({ bytesIn }));
    let store = await openStore();
    await store.append(logs.slice(0, 100), 0);
    await store.append(logs.slice(0, 100), 0);
    expect(store.status()).toMatchObject({ records: 100, lastSequence: 100, lost: 0 });
    closeStore(store);
    store = await openStore();
    await store.append(logs.slice(0, 100), 0);
    await store.append(logs.slice(100, 200), 100);
    await store.append(logs.slice(200), 200);
    await store.append(logs.slice(200), 200);
    expect(store.status()).toMatchObject({ records: 300, lastSequence: 300, lost: 0 });
    const found = (await store.list(all)).toSorted((a, b) => a.sequence - b.sequence);
    expect(found.map(({ log }) => log.bytesIn)).toEqual(logs.map(({ bytesIn }) => bytesIn));
    // Another one that is alike.
    await store.append(logs.slice(200), 300);
    expect(store.status().records).toBe(400);
  });

  it('keeps its files from everybody but their owner', async () => {
    const store = await openStore();
    await store.append([flowLog()]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory)) {
      if (name.startsWith('flows-'))
        expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('goes from page to page without leaving a flow out or giving one twice', async () => {
    const store = await openStore();
    await store.append(Array.from({ length: 250 }, (_, index) => flowLog({ startTime: START + (index % 7) })));
    for (const sort of ['time', '-time'] as const) {
      const seen: number[] = [];
      for (let after: { time: number; sequence: number } | undefined; ; ) {
        const page = await store.list({ ...all, sort, limit: 40, after });
        seen.push(...page.map(({ sequence }) => sequence));
        const last = page.at(-1);
        if (last === undefined) break;
        after = { time: last.log.startTime, sequence: last.sequence };
      }
      expect(new Set(seen).size).toBe(250);
      expect(seen.length).toBe(250);
    }
  });

  it('begins a new file when one is large enough, and takes the oldest away when there is too much', async () => {
    const store = await openStore({ retention: { days: 7, bytes: 3 * 1024 * 1024 } });
    const [log] = fc.sample(anyFlowLog, { numRuns: 1, seed: 3 });
    // What does not repeat does not shrink.
    const unlike = (round: number) =>
      Array.from({ length: 500 }, (_, index) =>
        flowLog({ ...log, node: `${round}-${index}-${randomBytes(500).toString('base64')}` }),
      );
    for (let round = 0; round < 24; round += 1) await store.append(unlike(round));
    const { files, bytes, expired, records } = store.status();
    expect(files).toBeGreaterThan(1);
    expect(expired).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(5 * 1024 * 1024);
    expect(records).toBeLessThan(12_000);
    const [latest] = await store.list({ ...all, sort: '-time', limit: 1, filter: parseFilter('node = "23-499-*"') });
    expect(latest?.sequence).toBe(12_000);
  });

  it('takes away what is too old, but not when the clock was set forward', async () => {
    let [now, steady] = [START + 1000, 0];
    const store = await openStore({ retention: { days: 1, bytes: 2 ** 30 }, now: () => now, steadyNow: () => steady });
    const tick = (ms: number): void => {
      now += ms;
      steady += ms;
    };
    await store.append([flowLog()]);
    tick(DAY / 2);
    await store.append([flowLog({ startTime: now, endTime: now })]);
    expect(store.status()).toMatchObject({ records: 2, files: 2 });
    now += 400 * DAY;
    await store.append([flowLog({ startTime: now, endTime: now })]);
    expect(store.status()).toMatchObject({ records: 3, expired: 0 });
    now -= 400 * DAY;
    await store.retain();
    expect(store.status()).toMatchObject({ records: 3, expired: 0 });
    for (let hour = 0; hour < 30; hour += 1) {
      tick(3_600_000);
      await store.append([flowLog({ startTime: now, endTime: now })]);
    }
    const times = (await store.list(all)).map(({ log }) => log.endTime);
    expect(Math.min(...times)).toBeGreaterThan(now - 2 * DAY);
  });

  it('takes nothing away by a clock that was wrong at boot, and its sequence goes on', async () => {
    let [now, steady] = [START, 0];
    const clocks = {
      retention: { days: 7, bytes: 2 ** 30 },
      now: () => now,
      steadyNow: () => steady,
    };
    let store = await openStore(clocks);
    const tick = async (ms: number): Promise<void> => {
      now += ms;
      steady += ms;
      await store.append([flowLog({ startTime: now, endTime: now })]);
    };
    const restart = async (setBy: number): Promise<void> => {
      closeStore(store);
      now += setBy;
      steady = 0;
      store = await openStore(clocks);
    };
    for (let half = 0; half < 12; half += 1) await tick(DAY / 2);
    await restart(400 * DAY);
    await store.retain();
    expect(store.status()).toMatchObject({ records: 12, expired: 0 });
    await tick(60_000);
    // Nor by what that clock itself has written.
    await restart(60_000);
    await tick(60_000);
    expect(store.status()).toMatchObject({ records: 14, expired: 0, lastSequence: 14 });
    await restart(-400 * DAY);
    await store.retain();
    expect(store.status()).toMatchObject({ records: 14, expired: 0 });
    // One that has gone on for an hour is believed, over a restart too.
    await tick(60_000);
    for (let day = 0; day < 15; day += 1) await tick(DAY);
    const { records, lastSequence } = store.status();
    expect(lastSequence).toBe(30);
    expect(records).toBeLessThan(15);
    await restart(3_600_000);
    await tick(8 * DAY);
    now += 8 * DAY;
    steady += 8 * DAY;
    await store.retain();
    expect(store.status()).toMatchObject({ records: 0, lastSequence: 31 });
    await restart(0);
    expect(store.status()).toMatchObject({ records: 0, lastSequence: 31 });
  });

  it('moves a broken file aside, says so, and begins a new one', async () => {
    let store = await openStore();
    await store.append(fc.sample(anyFlowLog, { numRuns: 500, seed: 1 }));
    closeStore(store);
    writeFileSync(join(directory, 'flows-000001.duckdb'), 'this is no database');
    store = await openStore();
    await store.append([flowLog()]);
    expect((await store.list(all)).length).toBe(1);
    expect(readdirSync(directory).filter((name) => name.startsWith('corrupt-')).length).toBe(1);
    expect(said).toMatchObject([{ level: 'error', message: 'a file of flows cannot be read and was moved aside' }]);
    expect(store.status().movedAside).toBe(1);
  });

  it('moves a file of another layout aside, and says so', async () => {
    let store = await openStore();
    await store.append([flowLog()]);
    closeStore(store);
    const instance = await DuckDBInstance.create(join(directory, 'flows-000001.duckdb'));
    const connection = await instance.connect();
    await connection.run('UPDATE meta SET version = 1');
    connection.closeSync();
    instance.closeSync();
    store = await openStore();
    await store.append([flowLog(), flowLog()]);
    expect((await store.list(all)).length).toBe(2);
    expect(readdirSync(directory).filter((name) => name.startsWith('layout-')).length).toBe(1);
    expect(said).toMatchObject([
      {
        level: 'warn',
        message: 'a file of flows of another version was moved aside',
        fields: { error: expect.stringContaining('layout 1') },
      },
    ]);
    expect(store.status().movedAside).toBe(1);
  });

  it('empties what questions of an earlier process have left on the disk', async () => {
    closeStore(await openStore());
    writeFileSync(join(directory, 'spill', 'duckdb_temp_storage-0.tmp'), Buffer.alloc(1000));
    await openStore();
    expect(readdirSync(join(directory, 'spill'))).toEqual([]);
  });

  it('asks every file, and gives what comes first of all of them', async () => {
    let now = START + 60_000;
    const store = await openStore({ now: () => now });
    const logs: FlowLog[] = [];
    for (let file = 0; file < 4; file += 1) {
      const some = Array.from({ length: 30 }, (_, index) =>
        flowLog({
          startTime: now + 1000 * index,
          endTime: now + 1000 * index,
          bytesIn: (file * 7919 + index * 104_729) % 1000,
        }),
      );
      await store.append(some);
      logs.push(...some);
      now += DAY;
      await store.append([]);
      await store.append([flowLog({ startTime: now, endTime: now, bytesIn: file })]);
      logs.push(flowLog({ startTime: now, endTime: now, bytesIn: file }));
    }
    expect(store.status().files).toBeGreaterThan(3);
    const bytesOf = ({ bytesIn }: FlowLog) => bytesIn;
    const orders = {
      time: logs.map(({ startTime }) => startTime).toSorted((a, b) => a - b),
      '-time': logs.map(({ startTime }) => startTime).toSorted((a, b) => b - a),
      '-bytes': logs.map(bytesOf).toSorted((a, b) => b - a),
    } as const;
    for (const limit of [1, 40, 1000]) {
      for (const sort of ['time', '-time', '-bytes'] as const) {
        const found = await store.list({ ...all, sort, limit });
        const keys = found.map(({ log }) => (sort === '-bytes' ? bytesOf(log) : log.startTime));
        expect([sort, keys]).toEqual([sort, orders[sort].slice(0, limit)]);
      }
    }
    const [pair] = await store.top({ filter: EVERY_FLOW, by: 'pair', measure: 'bytes', limit: 10 });
    expect(Number(pair?.[2])).toBe(logs.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0));
  });

  it('answers no more than it may in one piece', async () => {
    const store = await openStore();
    const labels = { text: 'x'.repeat(1_000_000) };
    await store.append(Array.from({ length: 40 }, () => flowLog({ source: flowEnd({ labels }) })));
    expect((await store.list({ ...all, limit: 5 })).length).toBe(5);
    await expect(store.list(all)).rejects.toMatchObject({
      code: 'QUERY_TOO_COSTLY',
      message: expect.stringContaining('32 MiB'),
    });
    expect((await store.list({ ...all, limit: 1 })).length).toBe(1);
  });

  it('finds out while it answers, and answers from the other files', async () => {
    let store = await openStore({ retention: { days: 7, bytes: 2 ** 30 } });
    await store.append(fc.sample(anyFlowLog, { numRuns: 2500, seed: 1 }));
    closeStore(store);
    // As after a long time: the first file is only read.
    let now = START + 60_000;
    store = await openStore({ now: () => now });
    now += 6 * DAY;
    await store.append([flowLog()]);
    await store.append([flowLog()]);
    closeStore(store);
    const path = join(directory, 'flows-000001.duckdb');
    const bytes = readFileSync(path);
    chmodSync(path, 0o600);
    // Behind the headers and the first block, where rows are.
    for (let at = Math.floor(bytes.length / 3); at < bytes.length; at += 997) bytes[at] = (bytes[at] as number) ^ 0x55;
    writeFileSync(path, bytes);
    store = await openStore({ now: () => now });
    const found = await store.list(all);
    expect(found.length).toBeLessThan(2500);
    expect(store.status().movedAside).toBe(1);
    await store.append([flowLog()]);
    expect((await store.list(all)).length).toBe(found.length + 1);
  });

  it('says that a question takes too long, and answers the next one', async () => {
    const store = await openStore({
      limits: { memoryBytes: 64 * 2 ** 20, spillBytes: 2 ** 20, threads: 1, timeoutMs: 1 },
    });
    await store.append(fc.sample(anyFlowLog, { numRuns: 2000, seed: 1 }));
    const filter = anyOf(Array.from({ length: 200 }, (_, index) => parseFilter(`policy = "*a*b*${index}*"`)));
    await expect(store.list({ ...all, filter })).rejects.toMatchObject({ code: 'QUERY_TOO_COSTLY' });
    await store.append([flowLog()]);
    expect(store.status().records).toBe(2001);
  });
});
