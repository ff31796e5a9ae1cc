import { describe, expect, it } from 'vitest';
import { GuardDims, GuardEntry, GuardMatch } from '../../../src/abi/guard.gen.ts';
import { HeapDims } from '../../../src/abi/heap.gen.ts';
import { formatAddress, formatCidr, parseAddress, parseCidr } from '../../../src/model/address.ts';
import { compilePrefixTable } from '../../../src/tables/prefix-table.ts';
import { type ClassifiedCidr, type PrefixTable, prefixLists } from '../../../src/tables/prefix-table-list.ts';
import { walkPrefixTable } from '../../../src/tables/prefix-table-lookup.ts';
import { addressesAround, nestingPrefixes, obviousClass } from '../../support/prefixes.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

const BLOCK = HeapDims.HEAP_BLOCK_WORDS;
const PLACE = { base: 7 * BLOCK, capacity: 2 ** 24 };

const address = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;
const prefix = (text: string, classId = 1): ClassifiedCidr => ({
  cidr: parseCidr(text) as NonNullable<ReturnType<typeof parseCidr>>,
  class: classId,
});
const tableOf = (prefixes: readonly ClassifiedCidr[]): PrefixTable => compilePrefixTable(prefixLists(prefixes), PLACE);
const classOf = (table: PrefixTable, text: string): number => walkPrefixTable(table, address(text)).class;

describe('prefix table', () => {
  it.each([4, 6] as const)('gives each address the class of its longest prefix (IPv%s)', (family) => {
    const seed = newSeed(`prefix table IPv${family}`);
    for (let index = 0; index < 200; index += 1) {
      const random = new Random(seed, index);
      const prefixes = nestingPrefixes(random, family, 1 + random.below(60));
      const table = tableOf(prefixes);
      const wrong = addressesAround(random, prefixes, family).filter(
        (asked) => walkPrefixTable(table, asked).class !== obviousClass(prefixes, asked),
      );
      expect(wrong.map(formatAddress), `set ${index} of ${prefixes.map(({ cidr }) => formatCidr(cidr))}`).toEqual([]);
    }
  });

  it('has a class for every address when there are no prefixes', () => {
    const table = tableOf([]);
    expect(['0.0.0.0', '255.255.255.255', '::', 'ffff::ffff'].map((text) => classOf(table, text))).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('lets the later of two equal prefixes count', () => {
    const table = tableOf([prefix('192.0.2.0/25', 1), prefix('192.0.2.0/25', 2), prefix('2001:db8::/40', 2)]);
    expect([classOf(table, '192.0.2.1'), classOf(table, '192.0.2.128'), classOf(table, '2001:db8::1')]).toEqual([
      2, 0, 2,
    ]);
  });

  it('keeps families apart', () => {
    const table = tableOf([prefix('0.0.0.0/0', 1)]);
    expect([classOf(table, '1.2.3.4'), classOf(table, '::ffff:102:304')]).toEqual([1, 0]);
  });

  it('stores equal nodes once, whatever the addresses above them', () => {
    const nets = Array.from({ length: 200 }, (_, index) => `10.${index}.7.${128}/26`);
    const one = tableOf(nets.slice(0, 1).map((net) => prefix(net)));
    const all = tableOf(nets.map((net) => prefix(net)));
    expect(all.words.length).toBe(one.words.length);
  });

  it('takes ten words for a lone IPv6 prefix', () => {
    const nets = Array.from({ length: 1000 }, (_, index) => `${(0x2000 + index).toString(16)}:db8:1::/48`);
    const roots = 2 * GuardDims.ROOT_WORDS;
    const blocks = Math.ceil((nets.length * 10) / BLOCK);
    expect(tableOf(nets.map((net) => prefix(net))).words.length).toBeLessThanOrEqual(roots + (blocks + 1) * BLOCK);
  });

  it('refuses prefixes that need more than its place has, and says how much that is', () => {
    const capacity = 2 * GuardDims.ROOT_WORDS + BLOCK;
    const nets = Array.from({ length: 100 }, (_, index) => prefix(`10.${index}.${index}.${index}/32`));
    expect(() => compilePrefixTable(prefixLists(nets), { ...PLACE, capacity })).toThrowError(
      expect.objectContaining({ code: 'TABLE_FULL', found: `more than ${capacity} words needed` }),
    );
  });

  it('says that the table leads nowhere when a node is missing, a leaf of classes too', () => {
    const prefixes = [prefix('198.51.100.128/26'), prefix('2001:db8::/40')];
    const whole = tableOf(prefixes);
    const cut: PrefixTable = { ...whole, words: whole.words.slice() };
    const chunk = (whole.words[whole.roots[4] - whole.base + 0xc633] as number) & GuardEntry.OFFSET;
    for (const at of [chunk + 100, whole.roots[6] + 0x2001]) {
      cut.words[at - whole.base] = ((whole.words[at - whole.base] as number) | GuardEntry.OFFSET) >>> 0;
    }
    const isLost = (text: string): boolean => (classOf(cut, text) & GuardEntry.NODE) !== 0;
    expect(['198.51.100.130', '198.51.100.1', '2001:db8::1'].map(isLost)).toEqual([true, true, true]);
    expect(['198.51.101.130', '2002:db8::1'].map((text) => classOf(cut, text))).toEqual([0, 0]);
  });

  it('lets no node cross the edge of a block, and no way be longer than the kernel follows', () => {
    const seed = newSeed('prefix table ways');
    for (let index = 0; index < 20; index += 1) {
      const nodes = v6Nodes(tableOf(nestingPrefixes(new Random(seed, index), 6, 3000)));
      expect(nodes.filter(({ offset, size }) => (offset % BLOCK) + size > BLOCK)).toEqual([]);
      expect(Math.max(...nodes.map(({ depth }) => depth))).toBeLessThanOrEqual(GuardDims.V6_STEPS);
    }
  });
});

interface Node {
  readonly offset: number;
  readonly size: number;
  readonly depth: number;
}

/** Every way to every node below the IPv6 root. */
function v6Nodes({ base, words, roots }: PrefixTable): Node[] {
  const found: Node[] = [];
  const follow = (entry: number, depth: number): void => {
    if ((entry & GuardEntry.NODE) === 0) return;
    const offset = entry & GuardEntry.OFFSET;
    const isChunk = ((entry >>> GuardEntry.BYTE_SHIFT) & GuardEntry.BYTE) !== 0;
    const size = isChunk ? GuardDims.CHUNK_WORDS : GuardDims.MATCH_WORDS;
    found.push({ offset, size, depth });
    const first = isChunk ? 0 : GuardMatch.OFFSET.hit / 4;
    for (let at = first; at < size; at += 1) follow(words[offset - base + at] as number, depth + 1);
  };
  for (let at = 0; at < GuardDims.ROOT_WORDS; at += 1) follow(words[roots[6] - base + at] as number, 1);
  return found;
}
