import { describe, expect, it } from 'vitest';
import { finish, partsOf, type Steps } from '../../../src/base/steps.ts';

function* counting(to: number, seen: number[]): Steps<string> {
  for (let step = 1; step <= to; step += 1) {
    seen.push(step);
    yield;
  }
  return `${to} steps`;
}

describe('finish', () => {
  it('runs every step and returns what the last one does', () => {
    const seen: number[] = [];
    expect(finish(counting(3, seen))).toBe('3 steps');
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe('partsOf', () => {
  it.each([
    { items: [], parts: [] },
    { items: [1, 2], parts: [[1, 2]] },
    { items: [1, 2, 3, 4, 5], parts: [[1, 2], [3, 4], [5]] },
  ])('hands on $items in order, two at a time', ({ items, parts }) => {
    expect([...partsOf<number>(items, 2)]).toEqual(parts);
  });
});
