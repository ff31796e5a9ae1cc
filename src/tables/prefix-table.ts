// A large set of prefixes, each with a class, as one array of words in which the class of an address is found by a
// few reads: the longest prefix that contains it decides. Layout: bpf/abi/guard.h. Not part of the policy heap.
import type { PrefixLists, PrefixTable, PrefixTablePlace } from './prefix-table-list.ts';
import { PrefixNodes } from './prefix-table-nodes.ts';
import { compileV4Prefixes } from './prefix-table-v4.ts';
import { compileV6Prefixes } from './prefix-table-v6.ts';

/** Addresses in no prefix are of class 0. Throws TABLE_FULL. */
export function compilePrefixTable(lists: PrefixLists, place: PrefixTablePlace): PrefixTable {
  const nodes = new PrefixNodes(place);
  const roots = { 4: compileV4Prefixes(lists[4], nodes), 6: compileV6Prefixes(lists[6], nodes) };
  return { base: place.base, words: nodes.words(), roots };
}
