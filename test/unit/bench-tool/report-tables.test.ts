import { describe, expect, it } from 'vitest';
import { EMPTY_REPORT } from '../../../bench/report.ts';
import { fillTables } from '../../../bench/report-tables.ts';

const row = (name: string, params: Record<string, number | string>, value: number, spread = 0) => {
  return { section: 'verdict', name, params, value, unit: 'ns', spread };
};
const REPORT = {
  ...EMPTY_REPORT,
  results: [
    row('classify', { family: 4, rules: 1 }, 13, 1),
    row('classify', { family: 4, rules: 1000 }, 14),
    row('classify', { family: 6, rules: 1000 }, 22.5),
    row('established', { family: 4, rules: 100_000 }, 11),
  ],
};

function between(request: string): string {
  return `before\n<!-- bench ${request} -->\nold\n<!-- /bench -->\nafter`;
}

describe('fillTables', () => {
  it('writes rows with their circumstances, and leaves the rest of the document alone', () => {
    expect(fillTables(between('verdict classify'), REPORT)).toBe(
      [
        'before',
        '<!-- bench verdict classify -->',
        '',
        '| row | params | value |',
        '| --- | --- | --- |',
        '| `classify` | family 4, rules 1 | 13 ± 1 ns |',
        '| `classify` | family 4, rules 1,000 | 14 ns |',
        '| `classify` | family 6, rules 1,000 | 22.5 ns |',
        '',
        '<!-- /bench -->',
        'after',
      ].join('\n'),
    );
  });

  it('gives each value of a param a column', () => {
    const text = fillTables(between('verdict classify by rules'), REPORT);
    expect(text).toContain('| row | params | rules 1 | 1,000 |');
    expect(text).toContain('| `classify` | family 4 | 13 ± 1 ns | 14 ns |');
    expect(text).toContain('| `classify` | family 6 |  | 22.5 ns |');
  });

  it('writes targets with what was measured', () => {
    expect(fillTables(between('targets'), REPORT)).toContain(
      '| established flow, IPv4 (family 4, rules 100,000) | at most 12 | 11 ns | met |',
    );
  });

  it('writes targets of some sections', () => {
    expect(fillTables(between('targets xdp,tcp'), REPORT)).not.toContain('established');
    expect(fillTables(between('targets verdict'), REPORT)).toContain('established');
  });

  it('writes the same when it writes again', () => {
    const once = fillTables(between('verdict classify by rules'), REPORT);
    expect(fillTables(once, REPORT)).toBe(once);
  });

  it('refuses a mark that names rows which are not there', () => {
    expect(() => fillTables(between('verdict nothing'), REPORT)).toThrow('bench verdict nothing');
  });
});
