import { describe, expect, it } from 'vitest';
import { smallest } from '../../../support/worlds/smallest.ts';

const BUDGET_MS = 10_000;

describe('smallest', () => {
  it('leaves only what the failure hangs on', () => {
    const value = { rules: [{ a: 1 }, { b: [1, 2, 3], c: { d: 'x', e: 'y' } }, { f: 2 }], other: 'z' };
    const isBad = (candidate: unknown): boolean => {
      const text = JSON.stringify(candidate);
      return text.includes('2,3') && text.includes('"e":"y"');
    };
    expect(smallest(value, isBad, BUDGET_MS)).toEqual({ rules: [{ b: [2, 3], c: { e: 'y' } }] });
  });

  it('leaves what cannot be smaller, and never changes what it was given', () => {
    const value = [1, 2, 3];
    expect(smallest(value, (candidate) => candidate.length === 3, BUDGET_MS)).toEqual([1, 2, 3]);
    expect(smallest(value, () => true, BUDGET_MS)).toEqual([]);
    expect(value).toEqual([1, 2, 3]);
  });

  it('gives up when its time is over', () => {
    expect(smallest([1, 2, 3], () => true, -1)).toEqual([1, 2, 3]);
  });
});
