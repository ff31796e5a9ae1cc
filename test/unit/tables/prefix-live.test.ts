import { describe, expect, it } from 'vitest';
import { GuardClass, GuardDims } from '../../../src/abi/guard.gen.ts';
import { HeapDims } from '../../../src/abi/heap.gen.ts';
import { DataplaneError } from '../../../src/base/errors.ts';
import { finish } from '../../../src/base/steps.ts';
import { type Cidr, type Family, formatAddress, formatCidr, type IpAddress } from '../../../src/model/address.ts';
import { LivePrefixes } from '../../../src/tables/prefix-live.ts';
import type { WordSpace } from '../../../src/tables/prefix-live-nodes.ts';
import { NO_PREFIXES, prefixSetsOf } from '../../../src/tables/prefix-set.ts';
import { compilePrefixTable } from '../../../src/tables/prefix-table.ts';
import { type PrefixTable, prefixLists } from '../../../src/tables/prefix-table-list.ts';
import { walkPrefixTable } from '../../../src/tables/prefix-table-lookup.ts';
import { addressesAround, nestingPrefixes } from '../../support/prefixes.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

const BLOCK = HeapDims.HEAP_BLOCK_WORDS;
const ROOTS = { 4: BLOCK, 6: BLOCK + GuardDims.ROOT_WORDS } as const;
const FIRST = BLOCK + 2 * GuardDims.ROOT_WORDS;

/** Words that grow by doubling, until they are sealed. */
class Space implements WordSpace {
  words = new Uint32Array(FIRST + BLOCK);
  #isSealed = false;

  grow(): void {
    if (this.#isSealed) throw new DataplaneError('TABLE_FULL', 'no room', { operation: 'grow', target: 'test' });
    const grown = new Uint32Array(2 * this.words.length);
    grown.set(this.words);
    this.words = grown;
  }

  seal(words: number): void {
    this.words = this.words.slice(0, words);
    this.#isSealed = true;
  }
}

class World {
  readonly space = new Space();
  readonly live = new LivePrefixes(this.space, FIRST);
  readonly blocked = new Map<string, Cidr>();

  change(added: readonly Cidr[], removed: readonly Cidr[]): void {
    const without = removed.filter((cidr) => !added.some((one) => formatCidr(one) === formatCidr(cidr)));
    finish(this.live.changing(prefixSetsOf(added), prefixSetsOf(without)));
    for (const cidr of without) this.blocked.delete(formatCidr(cidr));
    for (const cidr of added) this.blocked.set(formatCidr(cidr), cidr);
    this.live.reuse(this.live.takeRetired());
  }

  /** As it would be in force. */
  table(): PrefixTable {
    const words = this.space.words.slice();
    for (const family of [4, 6] as const) words.set(this.live.root(family), ROOTS[family]);
    return { base: 0, words, roots: ROOTS };
  }

  fresh(): PrefixTable {
    const cidrs = [...this.blocked.values()].map((cidr) => ({ cidr, class: GuardClass.DROP }));
    return compilePrefixTable(prefixLists(cidrs), { base: BLOCK, capacity: 2 ** 26 });
  }

  /** Addresses that the table of all changes judges otherwise than one made at once. */
  wrong(addresses: readonly IpAddress[]): string[] {
    const [live, fresh] = [this.table(), this.fresh()];
    const isWrong = (address: IpAddress) =>
      walkPrefixTable(live, address).class !== walkPrefixTable(fresh, address).class;
    return addresses.filter(isWrong).map(formatAddress);
  }
}

/** None so short that it covers others by the thousand; of IPv6 all below one /32, so that branches are deep. */
function crowd(random: Random, family: Family, count: number): Cidr[] {
  return nestingPrefixes(random, family, count).map(({ cidr }) => {
    const length = Math.max(cidr.length, 17 + random.below(family === 4 ? 16 : 112));
    const words = family === 4 ? cidr.words : [0x20010db8, ...cidr.words.slice(1)];
    return { family, words: words.map((word, at) => mask(word, length - 32 * at)), length };
  });
}

function mask(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word : (word & (0xffffffff << (32 - bits))) >>> 0;
}

describe('live prefixes', () => {
  it.each([
    { family: 4, name: 'nesting', make: nesting },
    { family: 6, name: 'nesting', make: nesting },
    { family: 4, name: 'crowded', make: crowd },
    { family: 6, name: 'crowded', make: crowd },
  ] as const)('judge as a table made at once does, after any changes (IPv$family, $name)', ({ family, name, make }) => {
    const seed = newSeed(`live prefixes IPv${family} ${name}`);
    for (let index = 0; index < 3; index += 1) {
      const random = new Random(seed, index);
      const world = new World();
      for (let step = 0; step < 12; step += 1) {
        const there = [...world.blocked.values()];
        const removed = there.filter(() => random.below(step % 5 === 4 ? 2 : 12) === 0);
        const added = make(random, family, step % 7 === 0 ? 60 : random.below(4));
        world.change(added, removed);
        const asked = [...there, ...added].map((cidr) => ({ cidr, class: 1 }));
        expect(world.wrong(addressesAround(random, asked, family)), `set ${index}, step ${step}`).toEqual([]);
      }
    }
  });

  it('leave nothing behind when all prefixes are gone', () => {
    const seed = newSeed('live prefixes gone');
    for (let index = 0; index < 3; index += 1) {
      const random = new Random(seed, index);
      const world = new World();
      const cidrs = [...crowd(random, 6, 200), ...nesting(random, 6, 5), ...crowd(random, 4, 200)];
      const all = [...new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr])).values()];
      world.change(all, []);
      const used = world.live.used;
      for (let round = 0; round < 3; round += 1) {
        for (const cidr of random.shuffle(all)) world.change([], [cidr]);
        expect(
          [4, 6].flatMap((family) => world.live.root(family as Family).find((entry) => entry !== 0) ?? []),
        ).toEqual([]);
        expect(world.live.nodes).toBe(0);
        world.change(all, []);
        expect(world.live.used - FIRST).toBeLessThanOrEqual(2 * (used - FIRST));
      }
    }
  });

  it('are as before when a change does not fit', () => {
    const seed = newSeed('live prefixes full');
    for (let index = 0; index < 3; index += 1) {
      const random = new Random(seed, index);
      const world = new World();
      world.change([...crowd(random, 6, 30), ...crowd(random, 4, 20)], []);
      const nodes = world.live.nodes;
      world.space.seal(world.live.used + 2 * BLOCK);
      const before = world.table();
      const removed = [...world.blocked.values()].slice(0, 10);
      const added = [...crowd(random, 4, 300), ...crowd(random, 6, 900)];
      expect(() => world.change(added, removed)).toThrowError(expect.objectContaining({ code: 'TABLE_FULL' }));
      expect(world.live.nodes).toBe(nodes);
      const asked = addressesAround(
        random,
        added.map((cidr) => ({ cidr, class: 1 })),
        6,
      );
      const after = world.table();
      expect(asked.filter((one) => walkPrefixTable(after, one).class !== walkPrefixTable(before, one).class)).toEqual(
        [],
      );
      world.change([], [...world.blocked.values()]);
      expect(world.live.nodes).toBe(0);
    }
  });

  it('make few nodes anew for one prefix among many', () => {
    const world = new World();
    const random = new Random(newSeed('live prefixes few'), 0);
    world.change(crowd(random, 6, 3000), []);
    const one = crowd(random, 6, 1)[0] as Cidr;
    finish(world.live.changing(prefixSetsOf([one]), NO_PREFIXES));
    // One for each byte of the way, and the match before it.
    expect(world.live.takeRetired().length).toBeLessThanOrEqual(2 * 16);
  });
});

function nesting(random: Random, family: Family, count: number): Cidr[] {
  return nestingPrefixes(random, family, count).map(({ cidr }) => cidr);
}
