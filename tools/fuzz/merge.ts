// The fewest inputs of a target's corpus that reach as much of the code as all of it: how the tree's stays small.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { buildFuzzer, HarnessFailure } from './harness.ts';
import { fuzzerEnvironment, writeFiles } from './target.ts';
import type { FuzzTarget } from './targets.ts';

export interface CorpusSize {
  readonly files: number;
  readonly bytes: number;
}

/** First every edge that any input reaches, then how often edges are passed in one input, as far as short ones show it. */
const STEPS = [['-use_counters=0'], ['-max_len=448']] as const;

/** What a seed's files are, as for a run of the target. */
export interface MergeRequest {
  readonly seed: number;
  readonly worlds: number;
}

/** Replaces the corpus in the tree. Throws HarnessFailure: nothing is replaced. */
export function shrinkCorpus(
  root: string,
  target: FuzzTarget,
  { seed, worlds }: MergeRequest,
): { readonly before: CorpusSize; readonly after: CorpusSize } {
  const fuzzer = path.join(root, buildFuzzer(root, target.name, 'sanitized'));
  const files = writeFiles(target, { root, seed, worlds, print: () => undefined });
  const corpus = path.join(root, target.corpus);
  const results = path.join(root, 'build/fuzz/results');
  mkdirSync(results, { recursive: true });
  const least = mkdtempSync(path.join(results, `${seed}-least-`));
  const before = sizeOf(corpus);
  const env = { ...process.env, ...fuzzerEnvironment(files) };
  for (const options of STEPS) {
    const parameters = ['-set_cover_merge=1', ...options, least, corpus];
    const { status, stderr } = spawnSync(fuzzer, parameters, { encoding: 'utf8', env, maxBuffer: 2 ** 28 });
    if (status !== 0) throw new HarnessFailure(`${target.name}: no merge of the corpus\n${stderr.slice(-4000)}`);
  }
  const after = sizeOf(least);
  if (after.files === 0) throw new HarnessFailure(`${target.name}: ${target.corpus} holds nothing to merge`);
  for (const name of readdirSync(corpus)) rmSync(path.join(corpus, name));
  for (const name of readdirSync(least)) copyFileSync(path.join(least, name), path.join(corpus, name));
  for (const done of [least, ...files]) rmSync(done, { recursive: true, force: true });
  return { before, after };
}

function sizeOf(folder: string): CorpusSize {
  const sizes = readdirSync(folder).map((name) => statSync(path.join(folder, name)).size);
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
