// The class of an address in a prefix table: the mirror of bpf/stages/guard.h, read by read.
import { GuardDims, GuardEntry, GuardMatch } from '../abi/guard.gen.ts';
import type { IpAddress } from '../model/address.ts';
import type { PrefixTable } from './prefix-table-list.ts';
import { swapBytes } from './prefix-table-v6.ts';

/** What a read outside the table gives: it leads out of every table. */
const MISSING = 0xffffffff;
const HIT = GuardMatch.OFFSET.hit / 4;
const MISS = GuardMatch.OFFSET.miss / 4;

export interface PrefixWalk {
  /** Has GuardEntry.NODE set when the table leads nowhere. */
  readonly class: number;
  /** Nodes below the root that were read. */
  readonly steps: number;
}

/** The way of an address through the table. */
export function walkPrefixTable(table: PrefixTable, address: IpAddress): PrefixWalk {
  const first = address.words[0] as number;
  const entry = wordAt(table, table.roots[address.family] + (first >>> 16));
  return address.family === 4 ? walkV4(table, entry, first) : walkV6(table, entry, address.words);
}

function walkV4(table: PrefixTable, root: number, address: number): PrefixWalk {
  if ((root & GuardEntry.NODE) === 0) return { class: root, steps: 0 };
  const entry = wordAt(table, (root & GuardEntry.OFFSET) + ((address >>> 8) & 0xff));
  if ((entry & GuardEntry.NODE) === 0) return { class: entry, steps: 1 };
  const leaf = table.words[(entry & GuardEntry.OFFSET) + ((address & 0xff) >>> 2) - table.base];
  return { class: leaf === undefined ? MISSING : (leaf >>> (8 * (address & 3))) & 0xff, steps: 2 };
}

function walkV6(table: PrefixTable, root: number, words: readonly number[]): PrefixWalk {
  let entry = root;
  let steps = 0;
  for (; steps < GuardDims.V6_STEPS && (entry & GuardEntry.NODE) !== 0; steps += 1) {
    const offset = entry & GuardEntry.OFFSET;
    const byteIndex = (entry >>> GuardEntry.BYTE_SHIFT) & GuardEntry.BYTE;
    if (byteIndex === 0) entry = wordAt(table, offset + (isMatch(table, offset, words) ? HIT : MISS));
    else entry = wordAt(table, offset + (((words[byteIndex >>> 2] as number) >>> (24 - 8 * (byteIndex & 3))) & 0xff));
  }
  return { class: entry, steps };
}

/** Masks and values are in network order. */
function isMatch(table: PrefixTable, offset: number, words: readonly number[]): boolean {
  return words.every((word, index) => {
    const mask = swapBytes(wordAt(table, offset + index));
    return (word & mask) >>> 0 === swapBytes(wordAt(table, offset + GuardMatch.OFFSET.value / 4 + index));
  });
}

function wordAt({ base, words }: PrefixTable, offset: number): number {
  return words[offset - base] ?? MISSING;
}
