// The rows that a benchmark gives, and how one comes from the readings of many rounds. What is kept of them between
// runs is in report.ts.

export type BenchParams = Readonly<Record<string, number | string>>;

/** A row's name: what was measured, under which circumstances. */
export interface RowKey {
  readonly section: string;
  readonly name: string;
  readonly params: BenchParams;
}

export interface BenchResult extends RowKey {
  readonly value: number;
  /** What ends in `/s` is better when higher, everything else when lower, unless bench/tolerance.json says otherwise. */
  readonly unit: string;
  /** Half the distance between the quartiles of the rounds, in the same unit. */
  readonly spread: number;
}

/** Equal for rows of the same name, whatever order their params have. */
export function rowId({ section, name, params }: RowKey): string {
  return JSON.stringify([section, name, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** As people read it: `rules 10,000, family 4`. */
export function formatParams(params: BenchParams): string {
  return Object.entries(params)
    .map(([key, setting]) => `${key} ${typeof setting === 'number' ? formatNumber(setting) : setting}`)
    .join(', ');
}

/** Thousands apart, at most four digits that say something. */
export function formatNumber(value: number): string {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
  return value.toLocaleString('en', { maximumFractionDigits: Number.isInteger(value) ? 0 : digits });
}

/** Median and half the interquartile range. No reading is left out: a few wild ones move neither figure. */
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
