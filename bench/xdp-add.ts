// How long it takes until one more prefix is blocked, the table having many: compiled, written, in force. What the agent does besides
// (the request, the disk) does not depend on the table.
import { performance } from 'node:perf_hooks';
import { finish } from '../src/base/steps.ts';
import { GuardTable } from '../src/kernel/guard-table.ts';
import { formatAddress, hostCidr, type IpAddress } from '../src/model/address.ts';
import { NO_PREFIXES, PrefixSet, type PrefixSets, prefixSetsOf } from '../src/tables/prefix-set.ts';
import type { PrefixLists } from '../src/tables/prefix-table-list.ts';
import type { Family } from './xdp-world.ts';

/** Milliseconds of each of `rounds` prefixes, which are blocked in turn and taken out again. */
export async function measureAdds(family: Family, lists: PrefixLists, rounds: number): Promise<number[]> {
  const table = new GuardTable();
  const change = async (added: PrefixSets, removed: PrefixSets): Promise<void> =>
    table.publish(finish(table.changing(added, removed)), () => undefined);
  try {
    const all = { ...NO_PREFIXES, [family]: PrefixSet.from(family, lists[family]) } as PrefixSets;
    await change(all, NO_PREFIXES);
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const address = addressOf(family, round);
      const one = prefixSetsOf([hostCidr(address)]);
      const start = performance.now();
      const published = change(one, NO_PREFIXES);
      samples.push(performance.now() - start);
      if (!table.isDropped(address)) throw new Error(`${formatAddress(address)} is not blocked`);
      await published;
      // What was there before stays.
      if (!all[family].has(hostCidr(address))) await change(NO_PREFIXES, one);
    }
    return samples;
  } finally {
    table.close();
  }
}

/** Far from each other, in public address space. */
export function addressOf(family: Family, round: number): IpAddress {
  const word = Math.imul(round + 1, 2654435761) >>> 0;
  if (family === 4) return { family, words: [0x14000000 + (word >>> 3)] };
  return { family, words: [0x20000000 | (word >>> 3), word, 0, 1] };
}
