import { describe, expect, it } from 'vitest';
import { PacketSpace } from '../../../../src/analysis/diff/packet-space.ts';
import { L4_ENTRIES } from '../../../../src/tables/layout.ts';
import { NumberClasses } from '../../../../src/tables/number-classes.ts';

describe('PacketSpace', () => {
  it('goes over source ports in their order, whatever the order of the rules that name them', () => {
    const examplesOf = (...sets: number[][]) =>
      new PacketSpace(4, new NumberClasses(L4_ENTRIES).update([]), new NumberClasses(65536).update(sets))
        .sourceExamples;
    const [rest, ...named] = examplesOf([443, 443], [80, 80], [9000, 9000]);
    expect(named).toEqual([80, 443, 9000]);
    expect(examplesOf([9000, 9000], [80, 80], [443, 443])).toEqual([rest, ...named]);
  });
});
