// Sets of prefixes that nest, touch and repeat, addresses at their edges, and the obvious way to classify those.
import { cidrOf, containsAddress, type Family, type IpAddress } from '../../src/model/address.ts';
import type { ClassifiedCidr } from '../../src/tables/prefix-table-list.ts';
import type { Random } from './worlds/random.ts';

const CLASSES = 3;

/** Prefixes of one family. Few distinct bytes, so that they meet. */
export function nestingPrefixes(random: Random, family: Family, count: number): ClassifiedCidr[] {
  return Array.from({ length: count }, () => ({
    cidr: cidrOf(crowdedAddress(random, family), random.below(family === 4 ? 33 : 129)),
    class: random.below(CLASSES),
  }));
}

/** The first and last address of prefixes, the neighbours of those, and others. */
export function addressesAround(random: Random, prefixes: readonly ClassifiedCidr[], family: Family): IpAddress[] {
  const edges = prefixes.flatMap(({ cidr }) => {
    const last = { family, words: cidr.words.map((word, index) => lastWord(word, cidr.length - 32 * index)) };
    return [neighbour(cidr, -1), { family, words: cidr.words }, last, neighbour(last, 1)];
  });
  return [...edges, ...Array.from({ length: 50 }, () => crowdedAddress(random, family))];
}

/** The class of the longest prefix that contains the address; of equal ones the last; 0 without any. */
export function obviousClass(prefixes: readonly ClassifiedCidr[], address: IpAddress): number {
  let best: ClassifiedCidr | undefined;
  for (const prefix of prefixes) {
    if (!containsAddress(prefix.cidr, address)) continue;
    if (best === undefined || prefix.cidr.length >= best.cidr.length) best = prefix;
  }
  return best?.class ?? 0;
}

function crowdedAddress(random: Random, family: Family): IpAddress {
  const byte = (): number => (random.below(4) === 0 ? random.below(256) : random.below(3) * 127);
  const word = (): number => ((byte() << 24) | (byte() << 16) | (byte() << 8) | byte()) >>> 0;
  return { family, words: Array.from({ length: family === 4 ? 1 : 4 }, word) };
}

function lastWord(word: number, prefixBits: number): number {
  if (prefixBits >= 32) return word;
  return prefixBits <= 0 ? 0xffffffff : (word | (0xffffffff >>> prefixBits)) >>> 0;
}

/** One address on, around the ends. */
function neighbour({ family, words }: IpAddress, step: 1 | -1): IpAddress {
  const next = [...words];
  for (let index = next.length - 1; index >= 0; index -= 1) {
    next[index] = ((next[index] as number) + step) >>> 0;
    if (next[index] !== (step === 1 ? 0 : 0xffffffff)) break;
  }
  return { family, words: next };
}
