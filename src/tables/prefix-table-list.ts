// What a prefix table is made from, and what it is. The making is in prefix-table.ts.
import type { Cidr, Family } from '../model/address.ts';

/** Prefixes of one family. Bits past a prefix's length are zero; of two equal prefixes the later one counts. */
export interface PrefixList {
  /** IPv4: one word for each prefix, IPv6: four; most significant first. */
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
  readonly classes: Uint8Array;
}

export type PrefixLists = Readonly<Record<Family, PrefixList>>;

export interface PrefixTable {
  /** Offset of words[0] in the array. */
  readonly base: number;
  readonly words: Uint32Array;
  /** Offsets of the roots in the array. */
  readonly roots: Readonly<Record<Family, number>>;
}

export interface PrefixTablePlace {
  /** Where in the array the table begins: a multiple of HeapDims.HEAP_BLOCK_WORDS, and not 0. */
  readonly base: number;
  /** Words it may take. */
  readonly capacity: number;
}

export interface ClassifiedCidr {
  readonly cidr: Cidr;
  /** 0..255 */
  readonly class: number;
}

/** The prefixes by family, in typed arrays. */
export function prefixLists(cidrs: readonly ClassifiedCidr[]): PrefixLists {
  return { 4: listOf(cidrs, 4), 6: listOf(cidrs, 6) };
}

function listOf(cidrs: readonly ClassifiedCidr[], family: Family): PrefixList {
  const own = cidrs.filter(({ cidr }) => cidr.family === family);
  const wordsEach = family === 4 ? 1 : 4;
  const words = new Uint32Array(wordsEach * own.length);
  for (const [index, { cidr }] of own.entries()) words.set(cidr.words, wordsEach * index);
  return {
    words,
    lengths: Uint8Array.from(own, ({ cidr }) => cidr.length),
    classes: Uint8Array.from(own, (entry) => entry.class),
  };
}
