import { describe, expect, it } from 'vitest';
import { allowedCpus, parseCpuList } from '../../../bench/pinning.ts';

describe('CPU lists', () => {
  it.each([
    { list: '0', cpus: [0] },
    { list: '0-3', cpus: [0, 1, 2, 3] },
    { list: '0-1,4,6-7', cpus: [0, 1, 4, 6, 7] },
  ])('$list is $cpus', ({ list, cpus }) => {
    expect(parseCpuList(list)).toEqual(cpus);
  });

  it('of this process has a CPU', () => {
    expect(allowedCpus().length).toBeGreaterThan(0);
  });
});
