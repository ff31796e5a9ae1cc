// What is asked of the store in sums: each packet counts once, however many records tell of it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlowDatabase } from '../../../../src/agent/flows/flow-database.ts';
import { EVERY_FLOW } from '../../../../src/observe/flow-query/filter.ts';
import { parseFilter } from '../../../../src/observe/flow-query/parse-filter.ts';
import type { TopQuestion } from '../../../../src/observe/flow-store/question.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const source = { reporter: 'src', packetsIn: 8, packetsOut: 10, bytesIn: 800, bytesOut: 1000 } as const;
const all = { filter: EVERY_FLOW, sort: 'time', limit: 10_000 } as const;

describe('sums over stored flows', () => {
  let directory: string;
  let open: FlowDatabase[];

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'tortie-flow-sums-')), 'flows');
    open = [];
  });

  afterEach(() => {
    for (const store of open) store.close();
    rmSync(join(directory, '..'), { recursive: true, force: true });
  });

  async function openStore(): Promise<FlowDatabase> {
    const store = await FlowDatabase.open({
      directory,
      retention: { days: 7, bytes: 2 ** 30 },
      log: () => undefined,
      now: () => START + 60_000,
      steadyNow: () => 0,
    });
    open.push(store);
    return store;
  }

  function closeStore(store: FlowDatabase): void {
    store.close();
    open = open.filter((one) => one !== store);
  }

  it('counts every flow to alike ends, of which only some report too, whatever is asked', async () => {
    const store = await openStore();
    const paired = [flowLog({ isPaired: true }), flowLog({ ...source, isPaired: true })];
    await store.append([...paired, ...Array.from({ length: 9 }, () => flowLog(source))]);
    const sumOf = async (given: Partial<TopQuestion>): Promise<unknown[][]> => {
      const rows = await store.top({ filter: EVERY_FLOW, by: 'pair', measure: 'bytes', limit: 10, ...given });
      return rows.map((row) => row.slice(-4).map(Number));
    };
    for (const by of ['pair', 'port', 'policy', 'namespace'] as const) {
      expect([by, await sumOf({ by })]).toEqual([by, [[18_000, 180, 10, 0]]]);
    }
    // Where the filter lets only one of two records through, that one counts.
    expect(await sumOf({ filter: parseFilter('reporter = src') })).toEqual([[18_000, 180, 10, 0]]);
    expect(await sumOf({ filter: parseFilter('reporter = dst') })).toEqual([[1800, 18, 1, 0]]);
    const [edge] = await store.graph({ filter: EVERY_FLOW, nodes: 'name', limit: 10 });
    expect(edge?.slice(-4).map(Number)).toEqual([18_000, 180, 10, 0]);
  });

  it('counts a denied flow once, of which the sender let the packets pass', async () => {
    const store = await openStore();
    const denied = { packetsIn: 3, packetsOut: 0, bytesIn: 180, bytesOut: 0, isPaired: true } as const;
    const passed = { ...source, packetsIn: 0, packetsOut: 3, bytesIn: 0, bytesOut: 180, isPaired: true } as const;
    await store.append([flowLog(passed), flowLog({ ...denied, action: 'deny', reason: 'drop_ingress_policy' })]);
    for (const by of ['pair', 'reason', 'port'] as const) {
      const [row] = await store.top({ filter: EVERY_FLOW, by, measure: 'bytes', limit: 10 });
      expect([by, row?.slice(-4).map(Number)]).toEqual([by, [180, 3, 1, 3]]);
    }
  });

  it('reads files of the version before, which do not tell what is reported twice, and writes new ones', async () => {
    let store = await openStore();
    await store.append([flowLog(), flowLog(source), flowLog({ ...source, destination: flowEnd() })]);
    closeStore(store);
    const instance = await DuckDBInstance.create(join(directory, 'flows-000001.duckdb'));
    const connection = await instance.connect();
    await connection.run('ALTER TABLE traits DROP COLUMN paired');
    await connection.run('UPDATE meta SET version = 2');
    connection.closeSync();
    instance.closeSync();
    for (const records of [4, 5]) {
      store = await openStore();
      await store.append([flowLog({ ...source, isPaired: true, destination: flowEnd() })]);
      expect(store.status()).toMatchObject({ files: 2, records, lost: 0, movedAside: 0, lastSequence: records });
      closeStore(store);
    }
    store = await openStore();
    const found = await store.list({ ...all, filter: parseFilter('reporter = src') });
    expect(found.map(({ log }) => log.isPaired)).toEqual([undefined, undefined, true, true]);
    expect(await store.list({ ...all, limit: 1 })).toMatchObject([{ sequence: 1, log: flowLog() }]);
    const top = await store.top({ filter: EVERY_FLOW, by: 'pair', measure: 'bytes', limit: 10 });
    expect(top.map((row) => row.slice(1).map(Number).slice(1))).toEqual([
      [5400, 54, 3, 0],
      [1800, 18, 1, 0],
    ]);
  });

  it('counts a flow that both ends report once, and a denial of either', async () => {
    const outside = flowEnd({ type: 'net', namespace: '', name: 'pub', aggregatedName: 'pub', labels: {} });
    const store = await openStore();
    await store.append([
      flowLog({ isPaired: true }),
      flowLog({ ...source, isPaired: true }),
      flowLog({
        action: 'deny',
        packetsIn: 3,
        packetsOut: 0,
        bytesIn: 180,
        bytesOut: 0,
        flowsStarted: 0,
        reason: 'drop_ingress_policy',
      }),
      flowLog({
        ...source,
        destination: outside,
        action: 'deny',
        packetsIn: 0,
        packetsOut: 2,
        bytesIn: 0,
        bytesOut: 120,
        reason: 'drop_egress_policy',
      }),
      flowLog({ ...source, destination: outside }),
    ]);
    const top = await store.top({ filter: EVERY_FLOW, by: 'pair', measure: 'bytes', limit: 10 });
    expect(top.map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value)))).toEqual([
      ['shop/web-5d4f-*', 'shop/db-*', 1980, 21, 1, 3],
      ['shop/web-5d4f-*', 'pub', 1920, 20, 2, 2],
    ]);
    const reasons = await store.top({ filter: EVERY_FLOW, by: 'reason', measure: 'denied', limit: 10 });
    expect(reasons.map(([reason, , , , denied]) => [reason, Number(denied)])).toEqual([
      ['drop_ingress_policy', 3],
      ['drop_egress_policy', 2],
    ]);
    const graph = await store.graph({ filter: parseFilter('verdict = deny'), nodes: 'namespace', limit: 10 });
    expect(graph.map((row) => row.slice(0, 6))).toEqual([
      ['shop', 'wep', 'shop', 'wep', 'TCP', 5432],
      ['shop', 'wep', 'pub', 'net', 'TCP', 0],
    ]);
  });
});
