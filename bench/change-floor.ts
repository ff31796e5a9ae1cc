// What no agent could do for less: milliseconds from the replacing of a file until another thread, which watches the
// directory and does nothing else, has read the file.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { REST_MS, waitWhile } from './change-setting.ts';
import type { BenchRun } from './run.ts';

const LIMIT_MS = 5000;

/** One sample for each text. */
export async function measureEventFloor(run: BenchRun, texts: readonly string[]): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(directory, { recursive: true, force: true }));
  const reads = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./change-floor-worker.js', import.meta.url), { workerData: { directory, reads } });
  run.onEnd(() => worker.terminate());
  await new Promise((resolve) => worker.once('message', resolve));
  const samples: number[] = [];
  for (const text of texts) {
    await sleep(REST_MS);
    writeFileSync(join(directory, '.new'), text);
    const before = Atomics.load(reads, 0);
    const startMs = performance.now();
    renameSync(join(directory, '.new'), join(directory, 'policy.yaml'));
    waitWhile(() => Atomics.load(reads, 0) === before, LIMIT_MS, 'policy.yaml');
    samples.push(performance.now() - startMs);
  }
  await worker.terminate();
  return samples;
}
