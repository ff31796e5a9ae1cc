// What an agent costs that has nothing to do: memory, and share of one CPU over half a minute.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeSetting } from './change-setting.ts';
import { policyWorld } from './change-world.ts';
import type { BenchResult } from './results.ts';
import type { BenchRun } from './run.ts';

const ENDPOINTS = [10, 30, 100];
const POLICIES_PER_ENDPOINT = 10;
/** After the start there is garbage to collect, which V8 does in several goes, and accepted manifests to write down. */
const SETTLE_MS = 55_000;
const WATCH_MS = 30_000;
const QUICK_MS = 3000;

export async function benchIdle(run: BenchRun): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const endpoints of run.isQuick ? ENDPOINTS.slice(0, 1) : ENDPOINTS) {
    run.progress(`idle: ${endpoints} endpoints`);
    results.push(...(await measure(run, endpoints)));
  }
  return results;
}

async function measure(run: BenchRun, endpoints: number): Promise<BenchResult[]> {
  const files = policyWorld(POLICIES_PER_ENDPOINT * endpoints, endpoints);
  const setting = await ChangeSetting.create(run, { workloads: endpoints, files });
  await setting.start();
  const { pid } = setting;
  await sleep(run.isQuick ? QUICK_MS : SETTLE_MS);
  const watchMs = run.isQuick ? QUICK_MS : WATCH_MS;
  const before = cpuMs(pid);
  await sleep(watchMs);
  const percent = (100 * (cpuMs(pid) - before)) / watchMs;
  const megabytes = residentBytes(pid) / 1e6;
  await setting.killAgent();
  const params = { endpoints };
  return [
    { section: 'idle', name: 'rss', params, value: Math.round(megabytes * 10) / 10, unit: 'MB', spread: 0 },
    { section: 'idle', name: 'cpu', params, value: Math.round(percent * 1000) / 1000, unit: '%', spread: 0 },
  ];
}

/** Of all threads. */
function cpuMs(pid: number): number {
  const tasks = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = tasks.slice(tasks.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * (1000 / TICKS_PER_SECOND);
}

/** USER_HZ, which is 100 wherever Linux runs. */
const TICKS_PER_SECOND = 100;

/** Without the kernel's arrays, which the agent maps: `tortie tables stats` says how much those are. */
function residentBytes(pid: number): number {
  const mappings = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = mappings.filter((mapping) => !mapping.split('\n', 1)[0]?.includes('bpf-map'));
  return own.reduce((sum, mapping) => sum + 1024 * Number(/^Rss:\s+(\d+) kB$/m.exec(mapping)?.[1] ?? 0), 0);
}
