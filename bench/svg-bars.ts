// Rows of one section as bars with their spread: one chart for each unit, since lengths of different units say nothing
// about each other.
import { type BenchResult, formatNumber, formatParams } from './results.ts';
import { colourOf, line, round, text, WIDTH } from './svg.ts';

const LABEL_WIDTH = 290;
const VALUE_WIDTH = 130;
const BAR_HEIGHT = 16;
const STEP = 22;
const HEAD = 46;

export interface Figure {
  readonly height: number;
  readonly parts: readonly string[];
}

/** Bars of all rows that have the unit, those of one name together, from `top` down. */
export function barChart(rows: readonly BenchResult[], unit: string, top: number): Figure {
  const most = Math.max(...rows.map(({ value, spread }) => value + spread));
  const scale = most > 0 ? (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most : 0;
  const names = [...new Set(rows.map(({ name }) => name))];
  const parts = [text(0, top + 20, `${rows[0]?.section}: ${unit}`, { class: 'title' })];
  const grouped = names.flatMap((name) => rows.filter((row) => row.name === name));
  for (const [index, row] of grouped.entries()) {
    parts.push(...bar(row, top + HEAD + index * STEP, scale, colourOf(names.indexOf(row.name))));
  }
  return { height: HEAD + rows.length * STEP + 12, parts };
}

function bar({ name, params, value, unit, spread }: BenchResult, y: number, scale: number, colour: string): string[] {
  const width = Math.max(0, value) * scale;
  const middle = y + BAR_HEIGHT / 2;
  const low = LABEL_WIDTH + Math.max(0, value - spread) * scale;
  const high = LABEL_WIDTH + Math.max(0, value + spread) * scale;
  const label = [name, formatParams(params)].filter((part) => part !== '').join(', ');
  return [
    text(LABEL_WIDTH - 8, y + 12, label, { anchor: 'end' }),
    `<rect x="${LABEL_WIDTH}" y="${round(y)}" width="${round(width)}" height="${BAR_HEIGHT}" fill="${colour}"/>`,
    line(low, middle, high, middle, 'spread'),
    line(low, middle - 4, low, middle + 4, 'spread'),
    line(high, middle - 4, high, middle + 4, 'spread'),
    text(Math.max(high, LABEL_WIDTH + width) + 6, y + 12, `${formatNumber(value)} ${unit}`, { class: 'quiet' }),
  ];
}
