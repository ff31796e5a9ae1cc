// The figures of one section: bars for each unit, then growth for each size and unit.
import type { BenchReport } from './report.ts';
import { drawing } from './svg.ts';
import { barChart, type Figure } from './svg-bars.ts';
import { growthChart } from './svg-curves.ts';

/** An SVG document; undefined when the section has no rows. */
export function sectionSvg({ results, fits }: BenchReport, section: string): string | undefined {
  const rows = results.filter((row) => row.section === section);
  const own = fits.filter((fit) => fit.section === section);
  if (rows.length === 0) return undefined;
  const charts: ((top: number) => Figure)[] = [
    ...groupBy(rows, ({ unit }) => unit).map((group) => (top: number) => barChart(group, group[0]?.unit ?? '', top)),
    ...groupBy(own, ({ over, unit }) => `${over} ${unit}`).map((group) => (top: number) => growthChart(group, top)),
  ];
  const parts: string[] = [];
  let height = 0;
  for (const chart of charts) {
    const figure = chart(height);
    parts.push(...figure.parts);
    height += figure.height;
  }
  return drawing(height, `Benchmark ${section}`, parts);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
