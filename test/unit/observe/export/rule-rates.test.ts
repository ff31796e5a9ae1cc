import { describe, expect, it } from 'vitest';
import { parseRate, type RateLimit, RuleRates } from '../../../../src/observe/export/rule-rates.ts';

describe('parseRate', () => {
  it.each([
    ['10/second', 10],
    ['6/minute', 0.1],
    ['36/h', 0.01],
    ['86400/day', 1],
  ])('reads %s', (text, perSecond) => {
    expect(parseRate(text, 5)).toEqual({ perSecond, burst: 5 });
  });

  it.each(['0/second', '10', '10/week', 'x/second', '10/constructor', '1e3/s', ' 1/s'])('refuses %j', (text) => {
    expect(parseRate(text, 5)).toBeUndefined();
  });

  it('takes nothing as no limit', () => {
    expect(parseRate('', 5)).toBe('unlimited');
  });
});

describe('RuleRates', () => {
  const limit: RateLimit = { perSecond: 10, burst: 5 };

  it('lets a burst through, then as many as the rate allows, and says how many it kept back', () => {
    const rates = new RuleRates<string>(limit);
    const admitted = Array.from({ length: 20 }, () => rates.admit('a', 'A', 0));
    expect(admitted.filter((one) => one !== undefined)).toEqual([0, 0, 0, 0, 0]);
    expect(rates.admit('a', 'A', 100)).toBe(15);
    expect(rates.admit('a', 'A', 100)).toBeUndefined();
    expect(rates.admit('a', 'A', 200)).toBe(1);
  });

  it('counts each rule on its own', () => {
    const rates = new RuleRates<string>({ perSecond: 1, burst: 1 });
    expect([rates.admit('a', 'A', 0), rates.admit('b', 'B', 0), rates.admit('a', 'A', 0)]).toEqual([0, 0, undefined]);
  });

  it('tells once what was suppressed and not said', () => {
    const rates = new RuleRates<string>({ perSecond: 1, burst: 1 });
    for (let n = 0; n < 4; n += 1) rates.admit('a', 'A', 0);
    expect(rates.takeSuppressed(0)).toEqual([{ rule: 'A', suppressed: 3 }]);
    expect(rates.takeSuppressed(0)).toEqual([]);
  });

  it('loses none of a flood of rules: each packet is admitted or counted', () => {
    const rates = new RuleRates<string>({ perSecond: 1, burst: 1 });
    let admitted = 0;
    for (let n = 0; n < 20_000; n += 1) if (rates.admit(`rule ${n}`, `${n}`, 0) !== undefined) admitted += 1;
    const suppressed = rates.takeSuppressed(0).reduce((sum, one) => sum + one.suppressed, 0);
    expect(admitted).toBeLessThanOrEqual(4097);
    expect(admitted + suppressed).toBe(20_000);
  });

  it('has no limit where none is set', () => {
    const rates = new RuleRates<string>('unlimited');
    expect(Array.from({ length: 100 }, () => rates.admit('a', 'A', 0)).every((one) => one === 0)).toBe(true);
  });
});
