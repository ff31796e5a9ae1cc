// Generated prefix tables, two to a file, for the harness: what the table compiler made, beside the prefixes that it was
// given. The layout is read by test/fuzz/harness/guard-table.cc.
import { GuardClass } from '../../src/abi/guard.gen.ts';
import { HeapDims } from '../../src/abi/heap.gen.ts';
import { type Cidr, cidrOf, type Family, type IpAddress } from '../../src/model/address.ts';
import { compilePrefixTable } from '../../src/tables/prefix-table.ts';
import { type ClassifiedCidr, type PrefixTable, prefixLists } from '../../src/tables/prefix-table-list.ts';
import { nestingPrefixes } from '../../test/support/prefixes.ts';
import { Random } from '../../test/support/worlds/random.ts';
import { WordFile } from './word-file.ts';

/** 'TTFG', and the version of this layout. */
const MAGIC = 0x47465454;
const VERSION = 1;

const BLOCK_WORDS = HeapDims.HEAP_BLOCK_WORDS;
/** The first block is nobody's, as in src/kernel/guard.ts. */
const FIRST_BASE = BLOCK_WORDS;
const CAPACITY = 2 ** 24;
/** A heap in which nothing was published yet: both roots lie at its start. */
const EMPTY_HEAP_WORDS = 80 * BLOCK_WORDS;

const FAMILIES = [4, 6] as const;
const BITS = { 4: 32, 6: 128 } as const;
/** Classes that ask for nothing: their sources pass. */
const OTHER_CLASSES = [2, 3, 127, 128, 255];

export interface GuardTablesFile {
  readonly content: Uint8Array;
  readonly prefixes: number;
}

/** Sorts of sets; a file has two of them. */
const SORTS: readonly ((random: Random) => ClassifiedCidr[])[] = [
  nested(400),
  () => [],
  (random) => both((family) => [of(random, family, 0)]),
  (random) => both((family) => [of(random, family, BITS[family])]),
  (random) => both((family) => [of(random, family, 0), of(random, family, BITS[family]), of(random, family, 24)]),
  crowd,
  nested(40),
  (random) => [...nested(60)(random), ...crowd(random)],
];

/** File number `index` of a seed; the first is a guard without a table. */
export function exportGuardTables(seed: number, index: number): GuardTablesFile {
  const random = new Random(seed, index);
  const file = new WordFile().words(MAGIC, VERSION);
  if (index === 0) return { content: unpublished(file), prefixes: 0 };
  const sets = [prefixSet(random, 2 * index - 2), prefixSet(random, 2 * index - 1)] as const;
  const first = compilePrefixTable(prefixLists(sets[0]), { base: FIRST_BASE, capacity: CAPACITY });
  const gap = random.below(3) * BLOCK_WORDS;
  const next = first.base + first.words.length + gap;
  const second = compilePrefixTable(prefixLists(sets[1]), { base: next, capacity: CAPACITY });
  const heap = new Uint32Array(second.base + second.words.length);
  for (const { base, words } of [first, second]) heap.set(words, base);
  file.counted(heap);
  writeTable(file, first, sets[0]);
  writeTable(file, second, sets[1]);
  return { content: file.content(), prefixes: sets[0].length + sets[1].length };
}

function unpublished(file: WordFile): Uint8Array {
  file.counted(new Uint32Array(EMPTY_HEAP_WORDS));
  const nothing: PrefixTable = { base: 0, words: new Uint32Array(), roots: { 4: 0, 6: 0 } };
  for (let table = 0; table < 2; table += 1) writeTable(file, nothing, []);
  return file.content();
}

function prefixSet(random: Random, sort: number): ClassifiedCidr[] {
  const make = SORTS[sort % SORTS.length] as (random: Random) => ClassifiedCidr[];
  return random.shuffle(make(random));
}

function writeTable(file: WordFile, { base, words, roots }: PrefixTable, prefixes: readonly ClassifiedCidr[]): void {
  file.words(base, words.length, roots[4], roots[6], prefixes.length);
  for (const { cidr, class: classId } of prefixes) file.words(cidr.family, cidr.length, classId, ...cidr.words);
}

function nested(count: number): (random: Random) => ClassifiedCidr[] {
  return (random) =>
    both((family) => nestingPrefixes(random, family, count).map(({ cidr }) => ({ cidr, class: anyClass(random) })));
}

/** Many prefixes below one, that end on every bit. */
function crowd(random: Random): ClassifiedCidr[] {
  return both((family) => {
    const start = anyAddress(random, family);
    return Array.from({ length: 300 }, () => {
      const word = random.below(start.words.length);
      const words = start.words.map((own, at) => (at < word ? own : (own ^ (1 << random.below(16))) >>> 0));
      return { cidr: cidrOf({ family, words }, 8 + random.below(BITS[family] - 7)), class: anyClass(random) };
    });
  });
}

function both(make: (family: Family) => ClassifiedCidr[]): ClassifiedCidr[] {
  return FAMILIES.flatMap(make);
}

function of(random: Random, family: Family, length: number): { readonly cidr: Cidr; readonly class: number } {
  return { cidr: cidrOf(anyAddress(random, family), length), class: anyClass(random) };
}

function anyAddress(random: Random, family: Family): IpAddress {
  const word = (): number => ((random.below(65536) << 16) | random.below(65536)) >>> 0;
  return { family, words: Array.from({ length: family === 4 ? 1 : 4 }, word) };
}

function anyClass(random: Random): number {
  if (random.chance(45)) return GuardClass.DROP;
  return random.chance(60) ? GuardClass.PASS : random.pick(OTHER_CLASSES);
}
