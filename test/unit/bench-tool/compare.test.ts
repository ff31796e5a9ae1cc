import { describe, expect, it } from 'vitest';
import { compareRows, readTolerances, type Tolerances, toleranceOf } from '../../../bench/compare.ts';
import { row } from './support/rows.ts';

const TOLERANCES: Tolerances = {
  default: { factor: 1.1 },
  verdict: { factor: 1.5 },
  'verdict/new-flow': { factor: 2 },
  tcp: { better: 'higher' },
  'tcp/p99': { better: 'lower' },
};

describe('comparison with a baseline', () => {
  it.each([
    { what: 'equal', before: 10, now: 10, change: 'same' },
    { what: 'within the factor', before: 10, now: 14.9, change: 'same' },
    { what: 'past the factor', before: 10, now: 15.1, change: 'slower' },
    { what: 'better by more than the factor', before: 15.1, now: 10, change: 'faster' },
    { what: 'better within the factor', before: 14.9, now: 10, change: 'same' },
  ])('calls a row that is $what $change', ({ before, now, change }) => {
    expect(compareRows([row('x', {}, before)], [row('x', {}, now)], TOLERANCES)).toMatchObject([{ change }]);
  });

  it.each([
    { spread: 4.9, change: 'slower' },
    { spread: 5, change: 'same' },
  ])('does not blame what spreads of $spread on either side explain', ({ spread, change }) => {
    const [compared] = compareRows([row('x', {}, 10, { spread })], [row('x', {}, 20, { spread })], TOLERANCES);
    expect(compared).toMatchObject({ change, ratio: 2 });
  });

  it.each([
    { section: 'scale', name: 'events', unit: 'flows/s', change: 'slower' },
    { section: 'tcp', name: 'stream', unit: '%', change: 'slower' },
    { section: 'tcp', name: 'p99', unit: 'ms', change: 'faster' },
    { section: 'forward', name: 'none', unit: 'ns', change: 'faster' },
  ])('knows that half as many $unit of $section $name is $change', ({ section, name, unit, change }) => {
    const [compared] = compareRows(
      [row(name, {}, 10, { section, unit })],
      [row(name, {}, 5, { section, unit })],
      TOLERANCES,
    );
    expect(compared?.change).toBe(change);
  });

  it('takes the narrowest tolerance that is stated', () => {
    const factorOf = (section: string, name: string) =>
      toleranceOf({ section, name, params: {} }, 'ns', TOLERANCES).factor;
    expect([factorOf('verdict', 'new-flow'), factorOf('verdict', 'x'), factorOf('diff', 'x')]).toEqual([2, 1.5, 1.1]);
  });

  it('matches rows by their params, in whatever order those are written', () => {
    const compared = compareRows(
      [row('x', { family: 4, rules: 1 }, 1), row('x', { family: 6, rules: 1 }, 5)],
      [row('x', { rules: 1, family: 6 }, 5), row('x', { rules: 1, family: 4 }, 1)],
      TOLERANCES,
    );
    expect(compared.map(({ change }) => change)).toEqual(['same', 'same']);
  });

  it('names rows that are new, and those that are gone from sections that ran', () => {
    const compared = compareRows(
      [row('old', {}, 1), row('x', {}, 1, { section: 'diff' })],
      [row('fresh', {}, 1)],
      TOLERANCES,
    );
    expect(compared.map(({ key, change }) => [key.name, change])).toEqual([
      ['fresh', 'new'],
      ['old', 'gone'],
    ]);
  });

  it('reads tolerances that allow no row to become better only', () => {
    for (const { factor } of Object.values(readTolerances())) {
      if (factor !== undefined) expect(factor).toBeGreaterThan(1);
    }
  });
});
