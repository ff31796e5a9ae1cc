// The control plane on a large cluster: parsing it, the compute from checked manifests to tables, and an agent that
// starts again on what an earlier one left.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { ChangeSetting } from './change-setting.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';
import type { ScaleReading } from './scale-child.ts';
import { SCALE_SIZES, type ScaleSize, writeScaleWorld } from './scale-world.ts';

const CHILD = fileURLToPath(new URL('./scale-child.js', import.meta.url));
/** A reading takes up to a minute. */
const ROUNDS_PER_READING = 7;
/** The cluster has more values than the default lets an agent hold: its operator would raise it too. */
const LIMITS = ['manifest-values=8000000'];

type Params = BenchResult['params'];

export async function benchScale(run: BenchRun): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of run.isQuick ? SCALE_SIZES.slice(0, 1) : SCALE_SIZES) {
    const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-scale-'));
    run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
    const manifests = join(folder, 'manifests');
    writeScaleWorld(manifests, size);
    const { policies, pods, namespaces } = size;
    const params = { policies, pods, namespaces };
    results.push(...measureCompute(run, manifests, params), ...(await measureRestart(run, manifests, size, params)));
  }
  return results;
}

/** Each reading in a process of its own, so that none finds a warm heap. */
function measureCompute(run: BenchRun, manifests: string, params: Params): BenchResult[] {
  const readings: ScaleReading[] = [];
  for (let round = 0; round < Math.ceil(run.rounds / ROUNDS_PER_READING); round += 1) {
    run.progress(`scale: cold start, ${params.policies} policies, round ${round + 1}`);
    const { stdout, stderr, status } = spawnSync(process.execPath, [CHILD, manifests], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`scale: ${stderr}`);
    readings.push(JSON.parse(stdout) as ScaleReading);
  }
  return [
    row(
      'parse',
      params,
      's',
      readings.map(({ parseMs }) => parseMs / 1000),
    ),
    row(
      'compute',
      params,
      's',
      readings.map(({ computeMs }) => computeMs / 1000),
    ),
    row(
      'compute-rss',
      params,
      'MB',
      readings.map(({ rssBytes }) => rssBytes / 1e6),
    ),
  ];
}

async function measureRestart(
  run: BenchRun,
  manifests: string,
  size: ScaleSize,
  params: Params,
): Promise<BenchResult[]> {
  run.progress(`scale: first start of an agent, ${params.policies} policies`);
  const setting = await ChangeSetting.create(run, { workloads: size.localPods, files: new Map(), limits: LIMITS });
  await setting.start(manifests);
  await setting.waitUntilRemembered();
  const seconds: number[] = [];
  const loaded: number[] = [];
  let changed = 0;
  for (let round = 0; round < Math.ceil(run.rounds / ROUNDS_PER_READING); round += 1) {
    run.progress(`scale: restart, round ${round + 1}`);
    await setting.killAgent();
    const before = setting.generation;
    const startMs = performance.now();
    seconds.push((await setting.start(manifests)) / 1000);
    await setting.waitUntilLoaded();
    loaded.push((performance.now() - startMs) / 1000);
    // Verdicts are those of a generation: the same one gives the same.
    changed += setting.generation - before;
    await setting.waitUntilRemembered();
  }
  await setting.killAgent();
  return [
    row('restart', params, 's', seconds),
    row('restart-loaded', params, 's', loaded),
    row('restart-changed', params, 'verdicts', [changed]),
  ];
}

function row(name: string, params: Params, unit: string, samples: readonly number[]): BenchResult {
  const { median, spread } = summarize(samples);
  const round = (value: number): number => Math.round(value * 100) / 100;
  return { section: 'scale', name, params, value: round(median), unit, spread: round(spread) };
}
