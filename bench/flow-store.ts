// How long stored flows take to be asked for, how long to be written, and what they take on the disk: the agent's store with as
// many records as a busy node has in weeks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Database } from '../src/agent/flows/duckdb.ts';
import { DEFAULT_DATABASE_LIMITS, FlowDatabase } from '../src/agent/flows/flow-database.ts';
import { createSegment } from '../src/agent/flows/segment.ts';
import { SegmentFiles } from '../src/agent/flows/segment-files.ts';
import { parseFilter } from '../src/observe/flow-query/parse-filter.ts';
import { LogEncoder } from '../src/observe/flow-store/encode.ts';
import type { TopKey } from '../src/observe/flow-store/question.ts';
import { FLOWS } from '../src/observe/flow-store/schema.ts';
import type { FlowEnd, FlowLog } from '../src/observe/flows/flow-log.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const SECTION = 'flow-store';
const RECORDS = 10_000_000;
const QUICK_RECORDS = 500_000;
const FILES = 20;
/** Made one by one; the rest are those again, later. */
const DISTINCT = 25_000;
const BATCH = 2000;
/** What is measured has less. */
const FILL_BYTES = 2 ** 31;
const BUCKET_MS = 15_000;
const ENDS = 2000;
const NAMESPACES = 50;
const START = Date.UTC(2026, 0, 1);
const RETENTION = { days: 3650, bytes: 2 ** 40 };

const FILTERS: Readonly<Record<string, string>> = {
  namespace: 'namespace = ns-7',
  name: 'from = ns-7/app-1*',
  label: 'to.label = "app=app-77"',
  policy: 'policy = ns-19/allow-*',
  'denied port': 'verdict = deny and port = 8080',
  'nothing found': 'to.address = 192.0.2.0/24 or label = no-such-label',
};

/** Fills a store, asks it everything, and writes to it. */
export async function benchFlowStore({ rounds, isQuick, progress, onEnd }: BenchRun): Promise<BenchResult[]> {
  const records = isQuick ? QUICK_RECORDS : RECORDS;
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-flows-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  progress(`flow-store: writing ${records} records`);
  await fill(folder, records);
  const limits = { ...DEFAULT_DATABASE_LIMITS, timeoutMs: 120_000 };
  const store = await FlowDatabase.open({ directory: folder, retention: RETENTION, limits, log: () => undefined });
  onEnd(() => store.close());
  const { bytes } = store.status();
  const params = { records };
  const results: BenchResult[] = [
    { section: SECTION, name: 'record', params, value: round3(bytes / records), unit: 'B', spread: 0 },
  ];
  const least = Math.max(5, Math.ceil(rounds / 2));
  for (const [name, text] of Object.entries(FILTERS)) {
    progress(`flow-store: ${text}`);
    const question = { filter: parseFilter(text), sort: '-time', limit: 100 } as const;
    results.push(await timed(`query ${name}`, params, least, () => store.list(question)));
  }
  for (const by of ['pair', 'policy', 'port'] as const satisfies readonly TopKey[]) {
    progress(`flow-store: top by ${by}`);
    const question = { filter: parseFilter('namespace = ns-7'), by, measure: 'bytes', limit: 20 } as const;
    results.push(await timed(`top ${by}`, params, least, () => store.top(question)));
  }
  progress('flow-store: appending');
  const logs = Array.from({ length: BATCH }, (_, index) => logOf(index));
  const { value, spread, ...row } = await timed('append', params, least, () => store.append(logs));
  return [
    ...results,
    { ...row, value: round3((value * 1000) / BATCH), spread: round3((spread * 1000) / BATCH), unit: 'us' },
  ];
}

async function timed(
  name: string,
  params: BenchResult['params'],
  rounds: number,
  run: () => Promise<unknown>,
): Promise<BenchResult> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const start = performance.now();
    await run();
    // The first one reads what the others find in memory.
    if (round > 0) times.push(performance.now() - start);
  }
  const { median, spread } = summarize(times);
  return { section: SECTION, name, params, value: round3(median), unit: 'ms', spread: round3(spread) };
}

/** Files as the store makes them, one after the other in time, without its cost of taking every record from an object. */
async function fill(folder: string, records: number): Promise<void> {
  const files = new SegmentFiles(folder);
  const database = await Database.open({ ...DEFAULT_DATABASE_LIMITS, memoryBytes: FILL_BYTES }, files.spill);
  const distinct = new LogEncoder().encode(
    Array.from({ length: DISTINCT }, (_, index) => logOf(index)),
    1,
  );
  const copies = records / FILES / DISTINCT;
  for (let file = 0; file < FILES; file += 1) {
    const { alias } = await createSegment(database, files, START);
    await database.append(alias, distinct);
    const [places, time] = [`(copy * ${DISTINCT})`, `(copy * ${BUCKET_MS})`];
    const changed = `sequence + ${places} AS sequence, start_time + ${time} AS start_time, end_time + ${time} AS end_time`;
    await database.run(`CREATE OR REPLACE TABLE ${FLOWS} AS SELECT * FROM ${alias}.${FLOWS}`);
    await database.run(`DELETE FROM ${alias}.${FLOWS}`);
    await database.run(
      `INSERT INTO ${alias}.${FLOWS} SELECT f.* REPLACE (${changed}) FROM memory.${FLOWS} f, range(${file * copies}, ${(file + 1) * copies}) t(copy) ORDER BY sequence`,
    );
    await database.run(`CHECKPOINT ${alias}`);
    await database.detach(alias);
  }
  database.close();
}

/** One of the flows between so many ends; numbers that have nothing to do with one another. */
function logOf(index: number): FlowLog {
  const hash = Math.imul(index + 1, 2_654_435_761) >>> 0;
  const source = endOf(hash % ENDS, 0);
  const server = (Math.imul(hash, 40_503) >>> 8) % ENDS;
  const isDenied = hash % 37 === 0;
  return {
    startTime: START,
    endTime: START + BUCKET_MS,
    node: 'node-1',
    reporter: hash % 2 === 0 ? 'src' : 'dst',
    action: isDenied ? 'deny' : 'allow',
    source,
    destination: endOf(server, [80, 443, 8080, 5432, 53][hash % 5] as number),
    protocol: hash % 5 === 4 ? 'UDP' : 'TCP',
    service: { namespace: `ns-${server % NAMESPACES}`, name: `app-${server}`, portName: 'main', port: 80 },
    enforced: [`0|default|np:ns-${server % NAMESPACES}/allow-${server}|${isDenied ? 'deny' : 'allow'}|${server % 5}`],
    pending: [],
    ...(isDenied ? { reason: 'drop_ingress_policy' } : {}),
    packetsIn: hash % 1000,
    packetsOut: hash % 900,
    bytesIn: hash % 1_000_000,
    bytesOut: hash % 900_000,
    flowsStarted: hash % 10,
    flowsCompleted: hash % 10,
    flowsLive: hash % 5,
  };
}

function endOf(number: number, port: number): FlowEnd {
  const namespace = `ns-${number % NAMESPACES}`;
  const labels = {
    app: `app-${number}`,
    tier: `backend-${number % 7}`,
    team: `payments-${number % 11}`,
    'projectcalico.org/namespace': namespace,
  };
  return {
    type: 'wep',
    namespace,
    name: `app-${number}-*`,
    aggregatedName: `app-${number}-*`,
    address: '',
    port,
    labels,
  };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
