// Two reports, row by row: what became slower past its tolerance, noise aside.
import { readFileSync } from 'node:fs';
import { type BenchResult, type RowKey, rowId } from './results.ts';

export interface Tolerance {
  /** How many times worse a row may become. */
  readonly factor: number;
  /** Absent: by the row's unit. */
  readonly better?: 'lower' | 'higher';
}

/** By `section/name`, by `section`, and `default`; what a narrower key leaves open, the wider one says. */
export type Tolerances = Readonly<Record<string, Partial<Tolerance>>>;

export type Change = 'slower' | 'faster' | 'same' | 'new' | 'gone';

export interface ComparedRow {
  readonly key: RowKey;
  readonly before: BenchResult | undefined;
  readonly now: BenchResult | undefined;
  /** How many times worse it became; below 1 = better. */
  readonly ratio: number | undefined;
  readonly factor: number;
  readonly change: Change;
}

const TOLERANCE_FILE = 'bench/tolerance.json';

/** Throws Error when the file lacks a default factor. */
export function readTolerances(path = TOLERANCE_FILE): Tolerances {
  const tolerances = JSON.parse(readFileSync(path, 'utf8')) as Tolerances;
  if (tolerances.default?.factor === undefined) throw new Error(`${path}: default.factor is missing`);
  return tolerances;
}

/** In the order of `now`, then rows of the same sections that are gone. */
export function compareRows(
  before: readonly BenchResult[],
  now: readonly BenchResult[],
  tolerances: Tolerances,
): ComparedRow[] {
  const sections = new Set(now.map(({ section }) => section));
  const earlier = new Map(before.map((row) => [rowId(row), row]));
  const rows = now.map((row) => compareRow(earlier.get(rowId(row)), row, tolerances));
  const present = new Set(now.map(rowId));
  const gone = [...earlier].filter(([id, { section }]) => sections.has(section) && !present.has(id));
  return [...rows, ...gone.map(([, row]) => compareRow(row, undefined, tolerances))];
}

export function toleranceOf({ section, name }: RowKey, unit: string, tolerances: Tolerances): Required<Tolerance> {
  const byUnit = unit.endsWith('/s') ? 'higher' : 'lower';
  const stated = { ...tolerances.default, ...tolerances[section], ...tolerances[`${section}/${name}`] };
  return { factor: stated.factor ?? 1, better: stated.better ?? byUnit };
}

function compareRow(
  before: BenchResult | undefined,
  now: BenchResult | undefined,
  tolerances: Tolerances,
): ComparedRow {
  const key = (now ?? before) as BenchResult;
  const { factor, better } = toleranceOf(key, key.unit, tolerances);
  if (before === undefined || now === undefined) {
    return { key, before, now, ratio: undefined, factor, change: now === undefined ? 'gone' : 'new' };
  }
  const ratio = better === 'lower' ? now.value / before.value : before.value / now.value;
  return { key, before, now, ratio, factor, change: changeOf(before, now, ratio, factor) };
}

/** Only what is past the factor and out of reach of both spreads counts. */
function changeOf(before: BenchResult, now: BenchResult, ratio: number, factor: number): Change {
  if (Math.abs(now.value - before.value) <= now.spread + before.spread) return 'same';
  if (ratio > factor) return 'slower';
  return ratio < 1 / factor ? 'faster' : 'same';
}
