// The file of results: rows of the sections that ran last, how each was run, and on which machine.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fitGrowth, type GrowthFit } from './growth.ts';
import type { BenchResult, RowKey } from './results.ts';

/** How a section was run. */
export interface SectionRun {
  readonly date: string;
  readonly seconds: number;
  readonly rounds: number;
  /** Processes that ran or waited for a CPU, averaged over the minute before. */
  readonly load1m: number;
  /** The CPU that the harness was held to; absent = it ran where the kernel put it. */
  readonly cpu?: number;
  /** `section/name` of the rows it gave: the next run of it replaces them. */
  readonly rows: readonly string[];
}

export interface BenchReport {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly runs: Readonly<Record<string, SectionRun>>;
  readonly results: readonly BenchResult[];
  /** How rows grow with each of their sizes, where there are three or more. */
  readonly fits: readonly GrowthFit[];
}

export const EMPTY_REPORT: BenchReport = { machine: {}, runs: {}, results: [], fits: [] };

export function describeMachine(): Record<string, string | number> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    load1m: currentLoad(),
    date: new Date().toISOString(),
  };
}

/** Processes that ran or waited for a CPU, averaged over the last minute. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** Others want so much of the CPUs that readings suffer. */
export function isBusy(load1m: number): boolean {
  return load1m > cpus().length / 2;
}

/** The report with the rows of a run in place of those that the last run of the same gave. */
export function withRun(
  report: BenchReport,
  name: string,
  rows: readonly BenchResult[],
  run: Omit<SectionRun, 'rows'>,
): BenchReport {
  const own = [...new Set(rows.map(rowName))];
  const replaced = new Set([...own, ...(report.runs[name]?.rows ?? [])]);
  const results = [...report.results.filter((row) => !replaced.has(rowName(row))), ...rows];
  return {
    machine: describeMachine(),
    runs: { ...report.runs, [name]: { ...run, rows: own } },
    results,
    fits: fitGrowth(results),
  };
}

/** Which run of those in the report gave the row. */
export function runOf({ runs }: BenchReport, row: RowKey): SectionRun | undefined {
  return Object.values(runs).find(({ rows }) => rows.includes(rowName(row)));
}

/** Rows that the named sections gave when they ran last. */
export function rowsOf({ runs, results }: BenchReport, names: readonly string[]): BenchResult[] {
  const own = new Set(names.flatMap((name) => runs[name]?.rows ?? []));
  return results.filter((row) => own.has(rowName(row)));
}

function rowName({ section, name }: RowKey): string {
  return `${section}/${name}`;
}

/** undefined when there is no such file. Throws Error when it holds something else. */
export function readReport(path: string): BenchReport | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const report = parseReport(text);
  if (report === undefined) throw new Error(`${path} is not a file of benchmark results`);
  return report;
}

/** The whole file appears at once, so that a run may end at any moment. */
export function writeReport(path: string, report: BenchReport): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(report, null, 2)}\n`);
  renameSync(unfinished, path);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseReport(text: string): BenchReport | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<BenchReport>;
    return Array.isArray(parsed.results) ? { ...EMPTY_REPORT, ...parsed } : undefined;
  } catch {
    return undefined;
  }
}
