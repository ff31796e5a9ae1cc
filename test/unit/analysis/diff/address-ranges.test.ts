import { describe, expect, it } from 'vitest';
import {
  addressAt,
  addressNumber,
  cidrsOf,
  rangeOf,
  sizeOf,
  subtract,
  unite,
} from '../../../../src/analysis/diff/address-ranges.ts';
import { type Cidr, formatAddress, formatCidr, parseAddress, parseCidr } from '../../../../src/model/address.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const cidr = (text: string): Cidr => parseCidr(text) as Cidr;
const range = (text: string) => rangeOf(cidr(text));

describe('address ranges', () => {
  it.each(['0.0.0.0', '255.255.255.255', '10.1.2.3', '::', 'fd00:1:2::3', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'])(
    'number %s and back',
    (text) => {
      const address = parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;
      expect(formatAddress(addressAt(addressNumber(address), address.family))).toBe(text);
    },
  );

  it.each([
    ['everything without a half', ['0.0.0.0/0'], ['128.0.0.0/1'], ['0.0.0.0/1']],
    ['a hole in the middle', ['10.0.0.0/30'], ['10.0.0.1/32'], ['10.0.0.0/32', '10.0.0.2/31']],
    ['holes that overlap', ['10.0.0.0/29'], ['10.0.0.0/31', '10.0.0.0/30'], ['10.0.0.4/30']],
    ['neighbours joined', ['10.0.0.0/25', '10.0.0.128/25'], [], ['10.0.0.0/24']],
    ['IPv6', ['::/0'], ['8000::/1'], ['::/1']],
  ])('subtract: %s', (_, from, removed, expected) => {
    const left = subtract(unite(from.map(range)), unite(removed.map(range)));
    expect(cidrsOf(left, cidr(expected[0] as string).family).map(formatCidr)).toEqual(expected);
  });

  it('agree with sets of numbers', () => {
    const seed = newSeed('address ranges');
    for (let index = 0; index < 300; index += 1) {
      const random = new Random(seed, index);
      const made = () =>
        random.list(0, 5, () => {
          const first = random.below(60);
          return { first: BigInt(first), last: BigInt(Math.min(63, first + random.below(12))) };
        });
      const [a, b] = [made(), made()];
      const has = (ranges: typeof a, number: bigint): boolean =>
        ranges.some(({ first, last }) => first <= number && number <= last);
      const left = subtract(unite(a), unite(b));
      const numbers = Array.from({ length: 64 }, (_, number) => BigInt(number));
      const expected = numbers.filter((number) => has(a, number) && !has(b, number));
      expect(numbers.filter((number) => has([...left], number))).toEqual(expected);
      expect(sizeOf(left)).toBe(BigInt(expected.length));
      const covered = cidrsOf(left, 4).map(rangeOf);
      expect(numbers.filter((number) => has(covered, number))).toEqual(expected);
    }
  });
});
