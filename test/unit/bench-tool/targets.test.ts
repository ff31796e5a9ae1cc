import { describe, expect, it } from 'vitest';
import { EMPTY_REPORT } from '../../../bench/report.ts';
import { judgeTargets, TARGETS } from '../../../bench/targets.ts';
import { row } from './support/rows.ts';

const forward = (name: string, value: number, rules?: number) =>
  row(name, rules === undefined ? {} : { rules }, value, { section: 'forward' });

describe('targets', () => {
  it.each([
    { value: 25, isMet: true },
    { value: 25.1, isMet: false },
  ])('a blocked source at $value ns meets its target: $isMet', ({ value, isMet }) => {
    const rows = [row('drop', { cidrs: 1_000_000, family: 4 }, value, { section: 'xdp' })];
    expect(judgeTargets({ ...EMPTY_REPORT, results: rows })).toMatchObject([{ isMet, value, unit: 'ns' }]);
  });

  it('compares rows with each other, and names the floor', () => {
    const results = [forward('none', 3000), forward('tortie', 2000, 100_000), forward('empty', 1900)];
    expect(judgeTargets({ ...EMPTY_REPORT, results })).toMatchObject([
      { value: 1.5, unit: 'x', isMet: true, floor: { value: 1900 } },
    ]);
  });

  it('says nothing about rows that were not measured', () => {
    expect(judgeTargets({ ...EMPTY_REPORT, results: [forward('none', 3000)] })).toEqual([]);
  });

  it('are each about something else', () => {
    const texts = TARGETS.map(({ text, row: { section, name, params } }) =>
      JSON.stringify([text, section, name, params]),
    );
    expect(new Set(texts).size).toBe(texts.length);
  });
});
