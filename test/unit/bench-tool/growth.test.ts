import { describe, expect, it } from 'vitest';
import { fitGrowth, fittedExponent } from '../../../bench/growth.ts';
import { row } from './support/rows.ts';

describe('growth', () => {
  it.each([
    { what: 'constant', values: [7, 7, 7, 7], exponent: 0 },
    { what: 'linear', values: [3, 30, 300, 3000], exponent: 1 },
    { what: 'square', values: [2, 200, 20_000, 2_000_000], exponent: 2 },
    { what: 'square root', values: [1, Math.sqrt(10), 10, Math.sqrt(1000)], exponent: 0.5 },
    { what: 'falling', values: [1000, 100, 10, 1], exponent: -1 },
  ])('finds the exponent of $what growth', ({ values, exponent }) => {
    expect(fittedExponent([1, 10, 100, 1000], values)).toBeCloseTo(exponent, 10);
  });

  it('fits rows that differ in one number, with the others as they are', () => {
    const rows = [4, 6].flatMap((family) =>
      [1, 100, 10_000].map((rules) => row('classify', { family, rules }, family * rules)),
    );
    expect(fitGrowth(rows).map(({ over, params, exponent }) => ({ over, params, exponent }))).toEqual([
      { over: 'rules', params: { family: 4 }, exponent: 1 },
      { over: 'rules', params: { family: 6 }, exponent: 1 },
    ]);
  });

  it('sorts rows by size, whatever order they come in', () => {
    const [fit] = fitGrowth([100, 1, 10].map((rules) => row('x', { rules }, 2 * rules)));
    expect(fit).toMatchObject({ sizes: [1, 10, 100], values: [2, 20, 200], exponent: 1 });
  });

  it.each([
    { what: 'two sizes', rows: [1, 10].map((rules) => row('x', { rules }, rules)) },
    { what: 'one size three times', rows: [1, 1, 1].map((rules) => row('x', { rules }, rules)) },
    { what: 'values without a logarithm', rows: [1, 10, 100].map((rules) => row('x', { rules }, 10 - rules)) },
    { what: 'names in place of numbers', rows: ['a', 'b', 'c'].map((who) => row('x', { who }, 5)) },
  ])('gives no exponent for $what', ({ rows }) => {
    expect(fitGrowth(rows)).toEqual([]);
  });
});
