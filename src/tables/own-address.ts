// An address that a prefix has for itself: one that no longer prefix under it takes. Knows no classes.
import { type Cidr, containsAddress, type IpAddress } from '../model/address.ts';
import type { OrderedPrefixes } from './ordered-prefixes.ts';

/** The lowest address of the prefix at the position whose longest prefix it is; undefined = there is none. */
export function ownAddress(ordered: OrderedPrefixes, position: number): IpAddress | undefined {
  const { cidr } = ordered.memberAt(position);
  let words: readonly number[] | undefined = cidr.words;
  let next = position + 1;
  while (words !== undefined && containsAddress(cidr, { family: cidr.family, words })) {
    if (next >= ordered.count || !isAt(ordered, next, words)) return { family: cidr.family, words };
    words = addressBehind(ordered.memberAt(next).cidr);
    if (words !== undefined) next = ordered.lowerBound(words, 0);
  }
  return undefined;
}

function isAt(ordered: OrderedPrefixes, position: number, words: readonly number[]): boolean {
  return words.every((word, index) => ordered.wordAt(position, index) === word);
}

/** undefined = the prefix ends where addresses do. */
function addressBehind({ words, length }: Cidr): readonly number[] | undefined {
  if (length === 0) return undefined;
  const last = (length - 1) >>> 5;
  const behind = [...words];
  behind[last] = (words[last] as number) + 2 ** (31 - ((length - 1) & 31));
  for (let index = last; behind[index] === 2 ** 32; index -= 1) {
    if (index === 0) return undefined;
    behind[index] = 0;
    behind[index - 1] = (behind[index - 1] as number) + 1;
  }
  return behind;
}
