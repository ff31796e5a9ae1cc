// Which CPU does what, on machines of different sizes.
import { describe, expect, it } from 'vitest';
import { planCpus } from '../../../src/bench/cpus.ts';

describe('planCpus', () => {
  it.each([
    { count: 1, traffic: 0, others: '0' },
    { count: 2, traffic: 1, others: '0' },
    { count: 4, traffic: 3, others: '0,1,2' },
  ])('keeps the last of $count CPUs for traffic where there is another', ({ count, traffic, others }) => {
    expect(planCpus(count)).toEqual({ traffic, others });
  });
});
