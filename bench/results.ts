// What a benchmark run leaves behind: bench/results/latest.json, and the table that people read.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

export interface BenchResult {
  readonly section: string;
  readonly name: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly value: number;
  readonly unit: string;
  /** Half the distance between the quartiles of the rounds, in the same unit. */
  readonly spread: number;
}

export interface BenchReport {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly results: readonly BenchResult[];
}

const FOLDER = 'bench/results';

export function describeMachine(): Record<string, string | number> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    load1m: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    date: new Date().toISOString(),
  };
}

/** Replaces the results of the sections that ran and keeps the others. */
export function writeReport(results: readonly BenchResult[]): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}/latest.json`;
  const sections = new Set(results.map(({ section }) => section));
  const kept = readResults(path).filter(({ section }) => !sections.has(section));
  const report: BenchReport = { machine: describeMachine(), results: [...kept, ...results] };
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

function readResults(path: string): readonly BenchResult[] {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as BenchReport).results;
  } catch {
    return [];
  }
}

/** Median and half the interquartile range. */
export function summarize(rounds: readonly number[]): { readonly median: number; readonly spread: number } {
  const sorted = [...rounds].sort((a, b) => a - b);
  const at = (share: number): number => {
    const position = share * (sorted.length - 1);
    const low = sorted[Math.floor(position)] as number;
    const high = sorted[Math.ceil(position)] as number;
    return low + (high - low) * (position - Math.floor(position));
  };
  return { median: at(0.5), spread: (at(0.75) - at(0.25)) / 2 };
}
