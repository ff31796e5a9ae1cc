// The same for the terminal: aligned columns, no markup.
import type { ComparedRow } from './compare.ts';
import type { GrowthFit } from './growth.ts';
import { type BenchResult, formatNumber, formatParams } from './results.ts';
import type { TargetOutcome } from './targets.ts';

export function formatRows(rows: readonly BenchResult[]): string {
  return columns(
    rows.map(({ section, name, params, value, unit, spread }) => [
      `${section} ${name}`,
      formatParams(params),
      `${formatNumber(value)} ${unit}`,
      `± ${formatNumber(spread)}`,
    ]),
  );
}

export function formatFits(fits: readonly GrowthFit[]): string {
  return columns(
    fits.map(({ section, name, params, over, sizes, exponent }) => [
      `${section} ${name}`,
      formatParams(params),
      `grows as ${over}^${exponent}`,
      `(${sizes.map(formatNumber).join(', ')})`,
    ]),
  );
}

export function formatOutcomes(outcomes: readonly TargetOutcome[]): string {
  return columns(
    outcomes.map(({ target, value, unit, isMet, floor }) => [
      isMet ? 'met' : 'MISSED',
      target.text,
      formatParams(target.row.params),
      `${formatNumber(value)} ${unit}`,
      `${target.compare} ${formatNumber(target.limit)}`,
      floor === undefined ? '' : `floor ${formatNumber(floor.value)} ${floor.unit}`,
    ]),
  );
}

export function formatComparison(rows: readonly ComparedRow[]): string {
  return columns(
    rows.map(({ key, before, now, ratio, factor, change }) => [
      change,
      `${key.section} ${key.name}`,
      formatParams(key.params),
      `${measured(before)} -> ${measured(now)}`,
      ratio === undefined ? '' : `x ${formatNumber(ratio)} of ${formatNumber(factor)} allowed`,
    ]),
  );
}

function measured(row: BenchResult | undefined): string {
  return row === undefined ? 'none' : `${formatNumber(row.value)} ${row.unit}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const aligned = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  '));
  return aligned.map((line) => line.trimEnd()).join('\n');
}
