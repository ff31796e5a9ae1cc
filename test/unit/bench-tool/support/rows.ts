// Benchmark rows in one line.
import type { BenchParams, BenchResult } from '../../../../bench/results.ts';

export function row(
  name: string,
  params: BenchParams,
  value: number,
  { section = 'verdict', unit = 'ns', spread = 0 }: Partial<BenchResult> = {},
): BenchResult {
  return { section, name, params, value, unit, spread };
}
