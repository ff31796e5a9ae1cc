// The latest whole result of each kernel on this machine: docs/kernels.md is written from these, whichever runs they came from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProject } from '../../lab/project.ts';
import type { KernelResult } from './kernel-run.ts';
import { lanesOf } from './plan.ts';

type Latest = Record<string, KernelResult>;

/** Keeps the results in which every feature of the kernel was run. */
export function rememberResults(results: readonly KernelResult[]): void {
  const whole = results.filter(({ request, features }) =>
    lanesOf(request).every((lane) => lane.features.every(({ name, isByName }) => isByName || name in features)),
  );
  const latest: Latest = { ...readLatest(), ...Object.fromEntries(whole.map((result) => [result.request, result])) };
  mkdirSync(path.dirname(place()), { recursive: true });
  writeFileSync(place(), JSON.stringify(latest));
}

/** In the order of the requests; kernels that were never run whole are missing. */
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
