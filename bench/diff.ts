// Seconds that `tortie diff` takes over a large cluster and edits of it: the whole command, reading both directories
// included.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { stringify } from 'yaml';
import { type DiffScale, diffWorld, EDITS, type ManifestFiles } from './diff-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const COMMAND = 'dist/cli/main.js';
const SCALE: DiffScale = { namespaces: 2000, podsPerNamespace: 5 };
const POLICIES_PER_NAMESPACE = 5;
/** A run takes seconds, and varies little. */
const ROUNDS_PER_RUN = 7;

export async function benchDiff({ rounds, progress }: BenchRun): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-diff-'));
  try {
    const world = diffWorld(SCALE);
    const before = join(folder, 'before');
    writeFiles(before, world);
    return Object.entries(EDITS).map(([name, edit]) => {
      progress(`diff: ${name}`);
      const after = join(folder, 'after');
      rmSync(after, { recursive: true, force: true });
      writeFiles(after, edit(world));
      const runs = Array.from({ length: Math.ceil(rounds / ROUNDS_PER_RUN) }, () => measureOnce(before, after, name));
      return resultOf(name, runs);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeFiles(directory: string, files: ManifestFiles): void {
  mkdirSync(directory);
  for (const [name, objects] of files) {
    writeFileSync(join(directory, name), objects.map((object) => stringify(object)).join('---\n'));
  }
}

/** Throws unless the command finds a difference exactly where there is one. */
function measureOnce(before: string, after: string, name: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'diff', before, after], { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  if (status !== (name === 'nothing' ? 0 : 1)) throw new Error(`tortie diff ended with ${status}: ${stderr}`);
  return seconds;
}

function resultOf(edit: string, runs: readonly number[]): BenchResult {
  const { median, spread } = summarize(runs);
  const { namespaces, podsPerNamespace } = SCALE;
  const params = { edit, policies: namespaces * POLICIES_PER_NAMESPACE, pods: namespaces * podsPerNamespace };
  return { section: 'diff', name: 'seconds', params, value: round(median), unit: 's', spread: round(spread) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
