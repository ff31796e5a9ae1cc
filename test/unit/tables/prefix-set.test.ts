import { describe, expect, it } from 'vitest';
import { type Cidr, containsAddress, type Family, formatCidr, type IpAddress } from '../../../src/model/address.ts';
import { PrefixSet } from '../../../src/tables/prefix-set.ts';
import { addressesAround, nestingPrefixes } from '../../support/prefixes.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

const FAMILIES: readonly Family[] = [4, 6];

function some(random: Random, family: Family): Cidr[] {
  return nestingPrefixes(random, family, random.below(40)).map(({ cidr }) => cidr);
}

const texts = (cidrs: Iterable<Cidr>): string[] => [...cidrs].map(formatCidr);
const sorted = (cidrs: Iterable<Cidr>): string[] => [...new Set(texts(cidrs))].sort();

describe('prefix set', () => {
  it.each(FAMILIES)('has what it was made from, once, in order (IPv%s)', (family) => {
    const seed = newSeed(`prefix set IPv${family}`);
    for (let index = 0; index < 100; index += 1) {
      const cidrs = some(new Random(seed, index), family);
      const words = Uint32Array.from(cidrs.flatMap((cidr) => cidr.words));
      const lengths = Uint8Array.from(cidrs, ({ length }) => length);
      const [set, other] = [PrefixSet.from(family, { words, lengths }), PrefixSet.of(family, cidrs)];
      expect(texts(set)).toEqual(texts(other));
      expect(sorted(set)).toEqual(sorted(cidrs));
      expect(set.count).toBe(new Set(texts(cidrs)).size);
      expect(cidrs.every((cidr) => set.has(cidr))).toBe(true);
    }
  });

  it.each(FAMILIES)('joins and leaves out as sets do (IPv%s)', (family) => {
    const seed = newSeed(`prefix set operations IPv${family}`);
    for (let index = 0; index < 200; index += 1) {
      const random = new Random(seed, index);
      const [first, second] = [some(random, family), some(random, family)];
      // What both have is what goes wrong.
      const shared = second.filter(() => random.below(2) === 0);
      const [a, b] = [PrefixSet.of(family, [...first, ...shared]), PrefixSet.of(family, second)];
      const union = a.union(b);
      expect(texts(union)).toEqual(texts(PrefixSet.of(family, [...a, ...b])));
      expect(texts(a.without(b))).toEqual(texts([...a].filter((cidr) => !b.has(cidr))));
      expect(texts(union.without(a))).toEqual(texts([...b].filter((cidr) => !a.has(cidr))));
    }
  });

  it.each(FAMILIES)('finds every prefix around an address, the shortest first (IPv%s)', (family) => {
    const seed = newSeed(`prefix set around IPv${family}`);
    for (let index = 0; index < 30; index += 1) {
      const random = new Random(seed, index);
      const cidrs = some(random, family);
      const set = PrefixSet.of(family, cidrs);
      const around = (address: IpAddress): string[] =>
        texts([...set].filter((cidr) => containsAddress(cidr, address)).sort((a, b) => a.length - b.length));
      const asked = addressesAround(
        random,
        cidrs.map((cidr) => ({ cidr, class: 1 })),
        family,
      );
      for (const address of asked) expect(texts(set.around(address))).toEqual(around(address));
    }
  });
});
