// The latest result of each feature of each kernel on this machine: docs/kernels.md is written from these, whichever runs they came from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProject } from '../../lab/project.ts';
import type { KernelResult } from './kernel-run.ts';

type Latest = Record<string, KernelResult>;

/** Keeps what was run, feature by feature: a guest without KVM takes ten minutes for all of them. Results of another kernel go. */
export function rememberResults(results: readonly KernelResult[]): void {
  const latest = readLatest();
  for (const result of results) latest[result.request] = mergeResults(latest[result.request], result);
  mkdirSync(path.dirname(place()), { recursive: true });
  writeFileSync(place(), JSON.stringify(latest));
}

/** What is known of a kernel after a run of some of its features. */
export function mergeResults(before: KernelResult | undefined, now: KernelResult): KernelResult {
  if (before?.abi !== now.abi) return now;
  return {
    ...now,
    features: { ...before.features, ...now.features },
    verified: now.verified.length > 0 ? now.verified : before.verified,
    probe: Object.keys(now.probe).length > 0 ? now.probe : before.probe,
  };
}

/** In the order of the requests; kernels that were never run are missing. */
export function latestResults(requests: readonly string[]): KernelResult[] {
  const latest = readLatest();
  return requests.flatMap((request) => latest[request] ?? []);
}

function readLatest(): Latest {
  return existsSync(place()) ? (JSON.parse(readFileSync(place(), 'utf8')) as Latest) : {};
}

function place(): string {
  return path.join(findProject(), 'build/vm-results.json');
}
