import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_REPORT, readReport, rowsOf, withRun, writeReport } from '../../../bench/report.ts';
import { markdownReport } from '../../../bench/report-markdown.ts';
import { sectionSvg } from '../../../bench/report-svg.ts';
import { summarize } from '../../../bench/results.ts';
import { row } from './support/rows.ts';

const RUN = { date: '2026-01-01T00:00:00.000Z', seconds: 5, rounds: 21, load1m: 0 };
const scale = (name: string, rules: number, value: number) => row(name, { rules }, value, { section: 'scale' });

describe('report', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keeps the rows of what did not run, also under the same section', () => {
    const first = withRun(EMPTY_REPORT, 'scale', [scale('compute', 1, 1), scale('restart', 1, 2)], RUN);
    const second = withRun(first, 'events', [scale('events', 1, 3)], RUN);
    const third = withRun(second, 'scale', [scale('compute', 2, 4)], RUN);
    expect(third.results.map(({ name, params, value }) => [name, params.rules, value])).toEqual([
      ['events', 1, 3],
      ['compute', 2, 4],
    ]);
    expect(rowsOf(third, ['events']).map(({ name }) => name)).toEqual(['events']);
  });

  it('reads what it wrote', () => {
    const path = join(folder, 'a/b.json');
    const report = withRun(EMPTY_REPORT, 'verdict', [row('x', { rules: 1 }, 5)], RUN);
    writeReport(path, report);
    expect(readReport(path)).toEqual(report);
  });

  it('is nothing when there is no file, and refuses a file of something else', () => {
    const path = join(folder, 'other.json');
    expect(readReport(path)).toBeUndefined();
    for (const content of ['', '[1]', '{"results": 5}']) {
      writeFileSync(path, content);
      expect(() => readReport(path)).toThrowError('is not a file of benchmark results');
    }
  });

  it('says in Markdown what was promised, what was measured, and what was noisy', () => {
    const rows = [1, 100, 100_000].flatMap((rules) => [
      row('established', { family: 4, rules }, 11, { spread: 1 }),
      row('classify', { family: 4, rules }, 30, { spread: 7 }),
    ]);
    const text = markdownReport(
      withRun(EMPTY_REPORT, 'verdict', rows, { ...RUN, load1m: 99 }),
      (name) => `${name}.svg`,
    );
    expect(text).toContain(
      '| established flow, IPv4 | `verdict established` family 4, rules 100,000 | at most 12 | 11 ns | met |',
    );
    expect(text).toContain('| at most 15 | 30 ns | **missed** |');
    expect(text).toContain('| classify | family 4, rules 1 | 30 ns | ± 7 *noisy* |');
    expect(text).toContain('| established | family 4 | rules 1 100 100,000 | 0 |');
    expect(text).toContain('![verdict](verdict.svg)');
    expect(text).toContain('**The machine was busy with other work** during verdict (load 99)');
  });

  it('draws each row once and each curve with its exponent, as well-formed XML', () => {
    const rows = [1, 10, 100].map((rules) => row('<new> & "flow"', { rules }, 3 * rules, { spread: 1 }));
    const svg = sectionSvg(withRun(EMPTY_REPORT, 'verdict', rows, RUN), 'verdict') ?? '';
    expect(svg.match(/<rect /g)).toHaveLength(3);
    expect(svg.match(/<path /g)).toHaveLength(1);
    expect(svg).toContain('exponent 1');
    expect(svg).toContain('&lt;new&gt; &amp; &quot;flow&quot;');
    expect(unbalancedTags(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws rows whose values are zero or below', () => {
    const svg = sectionSvg(withRun(EMPTY_REPORT, 'verdict', [row('x', {}, 0), row('y', {}, -2)], RUN), 'verdict') ?? '';
    expect(svg).not.toMatch(/NaN|Infinity|width="-/);
  });
});

describe('summary of rounds', () => {
  it.each([
    { rounds: [5], median: 5, spread: 0 },
    { rounds: [3, 1, 2], median: 2, spread: 0.5 },
    { rounds: [1, 2, 3, 4], median: 2.5, spread: 0.75 },
    { rounds: [10, 10, 10, 10, 9999], median: 10, spread: 0 },
  ])('of $rounds is $median ± $spread', ({ rounds, median, spread }) => {
    expect(summarize(rounds)).toEqual({ median, spread });
  });
});

/** Names of elements that are opened and not closed, or the other way round. */
function unbalancedTags(xml: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', end] of xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (slash === '/') {
      if (open.pop() !== name) wrong.push(name);
    } else if (end !== '/') open.push(name);
  }
  return [...wrong, ...open];
}
