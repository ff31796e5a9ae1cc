import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SUMMARISING,
  EXACT_ADDRESSES,
  summarise,
  unseenAddresses,
} from '../../../../src/analysis/recommend/prefixes.ts';
import { containsAddress, formatCidr, type IpAddress, parseAddress } from '../../../../src/model/address.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const addresses = (...texts: readonly string[]): IpAddress[] => texts.map((text) => parseAddress(text) as IpAddress);
const cidrs = (some: readonly IpAddress[], options = DEFAULT_SUMMARISING) =>
  summarise(some, options).map(({ cidr }) => formatCidr(cidr));

describe('summarise', () => {
  it('lists a few as they are, and joins whole halves', () => {
    expect(cidrs(addresses('192.0.2.9', '192.0.2.1'))).toEqual(['192.0.2.1/32', '192.0.2.9/32']);
    expect(cidrs(addresses('192.0.2.0', '192.0.2.1', '192.0.2.2', '192.0.2.3'))).toEqual(['192.0.2.0/30']);
  });

  it('summarises many, by what they have in common, never beyond the bound', () => {
    const near = addresses(...Array.from({ length: 9 }, (_, at) => `192.0.2.${at * 7}`), '198.51.100.200');
    expect(cidrs(near)).toEqual(['192.0.2.0/26', '198.51.100.200/32']);
    expect(unseenAddresses(summarise(near, DEFAULT_SUMMARISING))).toBe(64 - 9);
    expect(unseenAddresses(summarise(near, EXACT_ADDRESSES))).toBe(0);
  });

  it('covers every address, nothing that shares no bound prefix with one, and nothing else when exact', () => {
    const seed = newSeed('prefixes');
    for (let index = 0; index < 200; index++) {
      const random = new Random(seed, index);
      const some = addresses(
        ...random.list(1, 60, () => `198.51.${random.between(98, 101)}.${random.between(0, random.pick([15, 255]))}`),
      );
      const place = `case ${index} of seed ${seed}`;
      const found = summarise(some, DEFAULT_SUMMARISING);
      expect(
        some.every((address) => found.some(({ cidr }) => containsAddress(cidr, address))),
        place,
      ).toBe(true);
      const blocks = new Set(some.map(({ words }) => (words[0] as number) >>> 8));
      expect(unseenAddresses(found), place).toBeLessThanOrEqual(blocks.size * 256);
      expect(unseenAddresses(summarise(some, EXACT_ADDRESSES)), place).toBe(0);
    }
  });
});
