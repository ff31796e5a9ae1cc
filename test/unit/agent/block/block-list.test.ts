import { describe, expect, it } from 'vitest';
import { type BlockEdit, type BlockEntry, BlockList, type Feed } from '../../../../src/agent/block/block-list.ts';
import { type Cidr, formatCidr, parseAddress, parseCidr } from '../../../../src/model/address.ts';
import { type PrefixSets, prefixSetsOf } from '../../../../src/tables/prefix-set.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const ORIGIN = { who: { kind: 'agent' }, added: '2026-01-01T00:00:00.000Z', until: null, reason: null } as const;
const POOL = [
  ...Array.from({ length: 12 }, (_, index) => `10.${index}.0.0/16`),
  ...Array.from({ length: 8 }, (_, index) => `2001:db8:${index + 1}::/48`),
];

const cidrOf = (text: string): Cidr => parseCidr(text) as Cidr;
const entry = (cidr: string, more: Partial<BlockEntry> = {}): BlockEntry => ({ cidr, ...ORIGIN, ...more });
const feed = (name: string, texts: readonly string[], more: Partial<Feed> = {}): Feed => ({
  name,
  prefixes: texts.length,
  badLines: 0,
  sets: prefixSetsOf(texts.map(cidrOf)),
  ...ORIGIN,
  ...more,
});
const textsOf = (sets: PrefixSets): string[] => [...sets[4], ...sets[6]].map(formatCidr);

/** Everything that anybody wants, without a thought about what has changed. */
function wanted(list: BlockList): Set<string> {
  return new Set([...list.entries.keys(), ...[...list.feeds.values()].flatMap(({ sets }) => textsOf(sets))]);
}

function anyEdit(random: Random, list: BlockList): BlockEdit {
  const some = () => POOL.filter(() => random.below(4) === 0);
  const names = ['a', 'b', 'c'].filter(() => random.below(3) === 0);
  const gone = [...list.feeds.keys()].filter((name) => !names.includes(name) && random.below(3) === 0);
  const entries = random.below(2) === 0 ? some().map((cidr) => entry(cidr)) : [];
  const coming = new Set(entries.map(({ cidr }) => cidr));
  return {
    entries,
    feeds: random.below(2) === 0 ? names.map((name) => feed(name, some())) : [],
    removedEntries: [...list.entries.keys()].filter((cidr) => !coming.has(cidr) && random.below(3) === 0),
    removedFeeds: gone,
  };
}

describe('block list', () => {
  it('says of every edit exactly which prefixes come into force and which go', () => {
    const seed = newSeed('block list');
    for (let index = 0; index < 50; index += 1) {
      const random = new Random(seed, index);
      const list = new BlockList();
      const inForce = new Set<string>();
      for (let step = 0; step < 20; step += 1) {
        const edit = anyEdit(random, list);
        const { added, removed } = list.changeOf(edit);
        const [more, less] = [textsOf(added), textsOf(removed)];
        expect([more.filter((text) => inForce.has(text)), less.filter((text) => !inForce.has(text))]).toEqual([[], []]);
        for (const text of less) inForce.delete(text);
        for (const text of more) inForce.add(text);
        list.apply(edit);
        expect([...inForce].sort(), `list ${index}, step ${step}`).toEqual([...wanted(list)].sort());
      }
    }
  });

  it('takes every edit back by its inverse', () => {
    const seed = newSeed('block list inverse');
    for (let index = 0; index < 50; index += 1) {
      const random = new Random(seed, index);
      const list = new BlockList();
      list.apply(anyEdit(random, list));
      const before = [[...list.entries], [...list.feeds]];
      const edit = anyEdit(random, list);
      const inverse = list.inverseOf(edit);
      list.apply(edit);
      list.apply(inverse);
      expect([[...list.entries].sort(), [...list.feeds].sort()]).toEqual(before.map((part) => [...part].sort()));
    }
  });

  it('knows everybody who blocks an address, the longest prefix first', () => {
    const list = new BlockList();
    list.apply({
      entries: [entry('10.0.0.0/8'), entry('10.1.2.3/32'), entry('10.1.2.4/32')],
      feeds: [feed('a', ['10.1.0.0/16', '10.1.2.0/24']), feed('b', ['10.2.0.0/16'])],
    });
    const by = list.blockersOf(parseAddress('10.1.2.3') as NonNullable<ReturnType<typeof parseAddress>>);
    expect(by.map(({ kind, cidr }) => `${kind} ${cidr}`)).toEqual([
      'entry 10.1.2.3/32',
      'feed 10.1.2.0/24',
      'feed 10.1.0.0/16',
      'entry 10.0.0.0/8',
    ]);
  });

  it('knows what is over, and when the next is', () => {
    const at = (second: number) => new Date(second * 1000).toISOString();
    const list = new BlockList();
    list.apply({
      entries: [entry('10.0.0.0/8', { until: at(20) }), entry('11.0.0.0/8', { until: at(10) }), entry('12.0.0.0/8')],
      feeds: [feed('a', [], { until: at(15) })],
    });
    expect(list.nextEndMs).toBe(10_000);
    expect(list.expiredAt(9999)).toEqual({ removedEntries: [], removedFeeds: [] });
    expect(list.expiredAt(15_000)).toEqual({ removedEntries: ['11.0.0.0/8'], removedFeeds: ['a'] });
    list.apply(list.expiredAt(20_000));
    expect([list.nextEndMs, [...list.entries.keys()]]).toEqual([undefined, ['12.0.0.0/8']]);
  });
});
