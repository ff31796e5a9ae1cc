import { describe, expect, it } from 'vitest';
import { groupRanges, joinRanges, subtractRanges } from '../../../../src/analysis/render/port-ranges.ts';
import type { PortRange } from '../../../../src/calc/resolved.ts';

function ranges(text: string): PortRange[] {
  return text.split(' ').map((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return { first, last };
  });
}

function text(list: readonly PortRange[]): string {
  return list.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(' ');
}

describe('port ranges', () => {
  it('are joined where they meet', () => {
    expect(text(joinRanges(ranges('90-95 80 81 93-99 7')))).toBe('7 80-81 90-99');
  });

  it('lose what is subtracted', () => {
    expect(text(subtractRanges(ranges('0-65535'), ranges('0 80-90 65535')))).toBe('1-79 91-65534');
  });

  it('fill groups in which a range takes two places', () => {
    expect(groupRanges(ranges('1 3-4 6 8-9 11'), 3).map(text)).toEqual(['1 3-4', '6 8-9', '11']);
  });
});
