// How a cost grows with a size: the exponent k of value = a * size^k, fitted by least squares over logarithms. Pure.
import type { BenchParams, BenchResult } from './results.ts';

const MIN_SIZES = 3;

export interface GrowthFit {
  readonly section: string;
  readonly name: string;
  /** The param that varies; the others are the same in all rows of the fit. */
  readonly over: string;
  readonly params: BenchParams;
  readonly sizes: readonly number[];
  readonly values: readonly number[];
  readonly unit: string;
  /** 0 = independent of the size, 1 = proportional to it. */
  readonly exponent: number;
}

/** One fit for each set of rows that differ in one number and have three or more of it. Values of 0 or less have no logarithm. */
export function fitGrowth(results: readonly BenchResult[]): GrowthFit[] {
  const groups = new Map<string, { over: string; params: BenchParams; rows: BenchResult[] }>();
  for (const row of results) {
    for (const over of numericParams(row)) {
      const params = Object.fromEntries(Object.entries(row.params).filter(([key]) => key !== over));
      const id = JSON.stringify([row.section, row.name, over, Object.entries(params).sort()]);
      const group = groups.get(id) ?? { over, params, rows: [] };
      group.rows.push(row);
      groups.set(id, group);
    }
  }
  return [...groups.values()].flatMap(fitGroup);
}

/** Slope of the line through the points' logarithms. */
export function fittedExponent(sizes: readonly number[], values: readonly number[]): number {
  const xs = sizes.map(Math.log);
  const ys = values.map(Math.log);
  const meanX = mean(xs);
  const meanY = mean(ys);
  const covariance = mean(xs.map((x, index) => (x - meanX) * ((ys[index] as number) - meanY)));
  return covariance / mean(xs.map((x) => (x - meanX) ** 2));
}

function fitGroup({ over, params, rows }: { over: string; params: BenchParams; rows: BenchResult[] }): GrowthFit[] {
  const usable = rows
    .filter(({ value }) => value > 0)
    .sort((a, b) => (a.params[over] as number) - (b.params[over] as number));
  const sizes = usable.map((row) => row.params[over] as number);
  const [first] = usable;
  if (first === undefined || new Set(sizes).size < MIN_SIZES) return [];
  const { section, name, unit } = first;
  const values = usable.map(({ value }) => value);
  const exponent = Math.round(fittedExponent(sizes, values) * 100) / 100;
  return [{ section, name, over, params, sizes, values, unit, exponent }];
}

function numericParams({ params }: BenchResult): string[] {
  return Object.keys(params).filter((key) => typeof params[key] === 'number' && (params[key] as number) > 0);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
