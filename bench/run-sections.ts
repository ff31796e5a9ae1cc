// Runs sections one after the other. Each one's rows are handed over as soon as they are there, and what it set up is
// undone before the next begins.
import { performance } from 'node:perf_hooks';
import { allowedCpus, pinFor } from './pinning.ts';
import { type BenchReport, currentLoad, isBusy, type SectionRun } from './report.ts';
import type { BenchResult } from './results.ts';
import type { BenchSection } from './run.ts';
import { UndoStack } from './run-undo.ts';

export interface SectionsToRun {
  readonly sections: Readonly<Record<string, BenchSection>>;
  readonly chosen: readonly string[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Of the runs before, for how long it may take. */
  readonly before: BenchReport;
  readonly say: (text: string) => void;
  readonly onRows: (name: string, rows: readonly BenchResult[], run: Omit<SectionRun, 'rows'>) => void;
}

/** Returns the names of those that failed; each has said why. */
export async function runSections(todo: SectionsToRun): Promise<string[]> {
  const { chosen, say, before } = todo;
  const cpus = allowedCpus();
  const failed: string[] = [];
  for (const [index, name] of chosen.entries()) {
    say(`[${index + 1}/${chosen.length}] ${name}${lastTime(before.runs[name])}`);
    const load1m = currentLoad();
    if (isBusy(load1m)) say(`warning: the load is ${load1m}: readings are worse than this machine can do`);
    const start = performance.now();
    try {
      const cpu = pinFor(name, cpus);
      const rows = await runOne(name, todo);
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      const run = { date: new Date().toISOString(), seconds, rounds: todo.rounds, load1m };
      todo.onRows(name, rows, cpu === undefined ? run : { ...run, cpu });
    } catch (error) {
      failed.push(name);
      say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

async function runOne(
  name: string,
  { sections, rounds, isQuick, say }: SectionsToRun,
): Promise<readonly BenchResult[]> {
  const undo = new UndoStack(say);
  const start = performance.now();
  const progress = (text: string): void => say(`  ${clock(performance.now() - start)} ${text}`);
  try {
    const section = sections[name] as BenchSection;
    return await section({ rounds, isQuick, progress, onEnd: undo.add });
  } finally {
    await undo.undoAll();
  }
}

/** Sections differ too much to guess from one to the other: the only honest estimate is their own last run. */
function lastTime(run: SectionRun | undefined): string {
  return run === undefined ? '' : ` (took ${clock(1000 * run.seconds)} with ${run.rounds} rounds last time)`;
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
