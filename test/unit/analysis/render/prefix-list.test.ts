import { describe, expect, it } from 'vitest';
import {
  inside,
  intersection,
  isEverything,
  type PrefixList,
  prefixList,
  withoutCovered,
} from '../../../../src/analysis/render/prefix-list.ts';
import { type Cidr, formatCidr, parseCidr } from '../../../../src/model/address.ts';

function list(...texts: readonly string[]): PrefixList {
  return prefixList(texts.map((text) => parseCidr(text) as Cidr));
}

describe('a prefix list', () => {
  it.each([
    { name: 'is sorted', given: ['10.2.0.0/16', '10.1.0.0/16'], expected: ['10.1.0.0/16', '10.2.0.0/16'] },
    { name: 'has no prefix twice', given: ['10.1.0.0/16', '10.1.0.0/16'], expected: ['10.1.0.0/16'] },
    {
      name: 'has no prefix inside another',
      given: ['10.1.2.0/24', '10.1.0.0/16', '10.1.2.3/32'],
      expected: ['10.1.0.0/16'],
    },
    { name: 'keeps neighbours apart', given: ['10.0.0.0/32', '10.0.0.1/32'], expected: ['10.0.0.0/32', '10.0.0.1/32'] },
  ])('$name', ({ given, expected }) => {
    expect(list(...given).map(formatCidr)).toEqual(expected);
  });

  const a = list('10.0.0.0/8', '11.1.0.0/16', 'fd00::1/128');
  const b = list('10.1.0.0/16', '11.0.0.0/8', 'fd00::/16', '12.0.0.0/8');

  it('meets another in the smaller prefixes', () => {
    expect(intersection(a, b).map(formatCidr)).toEqual(['10.1.0.0/16', '11.1.0.0/16', 'fd00::1/128']);
  });

  it('loses what another covers whole, and only that', () => {
    expect(withoutCovered(a, b).map(formatCidr)).toEqual(['10.0.0.0/8']);
    expect(inside(a, b).map(formatCidr)).toEqual(['11.1.0.0/16', 'fd00::1/128']);
  });

  it('knows when it is everything', () => {
    expect([isEverything(list('0.0.0.0/0', '10.0.0.0/8')), isEverything(list('10.0.0.0/8')), isEverything([])]).toEqual(
      [true, false, false],
    );
  });
});
