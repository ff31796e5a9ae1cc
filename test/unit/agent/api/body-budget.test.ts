import { describe, expect, it } from 'vitest';
import { BodyBudget } from '../../../../src/agent/api/body-budget.ts';

describe('what all bodies may be together', () => {
  it('is refused above the limit, and is there again when others are done', () => {
    const budget = new BodyBudget(100);
    const [first, second] = [budget.open(), budget.open()];
    first.count(60);
    expect(() => second.count(41)).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
    second.count(40);
    second.end();
    first.end();
    const third = budget.open();
    third.count(100);
    expect(() => third.count(1)).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
  });
});
