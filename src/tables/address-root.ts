// The first level of an address table, indexed by an address's first 16 bits: which of its entries a change is about,
// what lies under each, and the region that holds them.
import type { Cidr, Family } from '../model/address.ts';
import type { OrderedPrefixes } from './ordered-prefixes.ts';
import type { RegionStore } from './region-store.ts';

const ROOT_BITS = 16;
const ROOT_ENTRIES = 1 << ROOT_BITS;
/** With more entries to look at, looking at all is quicker. */
const MAX_DIRTY = 1024;

/** Prefixes longer than 16 bits under one entry, by position, and the longest one that contains them all. */
export interface RootSpan {
  readonly first: number;
  readonly end: number;
  readonly around: number | undefined;
}

/** Entries that changed prefixes are about, ascending; undefined = better look at all. */
export function dirtyEntries(dirty: readonly Cidr[] | undefined): readonly number[] | undefined {
  if (dirty === undefined) return undefined;
  const entries = new Set<number>();
  for (const { words, length } of dirty) {
    const first = (words[0] as number) >>> ROOT_BITS;
    const count = length >= ROOT_BITS ? 1 : 2 ** (ROOT_BITS - length);
    if (entries.size + count > MAX_DIRTY) return undefined;
    for (let index = first; index < first + count; index += 1) entries.add(index);
  }
  return [...entries].sort((a, b) => a - b);
}

export function spanOf(ordered: OrderedPrefixes, index: number): RootSpan {
  const base = wordsOf(ordered.family, index);
  const first = ordered.lowerBound(base, ROOT_BITS + 1);
  const end = index + 1 === ROOT_ENTRIES ? ordered.count : ordered.lowerBound(wordsOf(ordered.family, index + 1), 0);
  return { first, end, around: ordered.around({ family: ordered.family, words: base, length: ROOT_BITS + 1 }) };
}

function wordsOf(family: Family, index: number): readonly number[] {
  const word = (index << ROOT_BITS) >>> 0;
  return family === 4 ? [word] : [word, 0, 0, 0];
}

/**
 * Entries for all prefixes: classes of those up to 16 bits, and what `compile` makes of each span of longer ones around
 * which lies the class that it is given.
 */
export function compileRoot(
  ordered: OrderedPrefixes,
  outside: number,
  compile: (index: number, first: number, end: number, around: number) => number,
): Uint32Array {
  const root = new Uint32Array(ROOT_ENTRIES).fill(outside);
  for (let position = 0; position < ordered.count; ) {
    const index = ordered.wordAt(position, 0) >>> ROOT_BITS;
    const length = ordered.lengthAt(position);
    if (length <= ROOT_BITS) {
      root.fill(ordered.classAt(position), index, index + 2 ** (ROOT_BITS - length));
      position += 1;
      continue;
    }
    let end = position + 1;
    while (end < ordered.count && ordered.wordAt(end, 0) >>> ROOT_BITS === index) end += 1;
    root[index] = compile(index, position, end, root[index] as number);
    position = end;
  }
  return root;
}

/** The region of a root, of which there is one use. */
export class RootRegion {
  readonly #heap: RegionStore;
  #offset: number | undefined;

  constructor(heap: RegionStore) {
    this.#heap = heap;
  }

  get offset(): number | undefined {
    return this.#offset;
  }

  replace(words: Uint32Array): number {
    return this.#become(this.#heap.intern(words));
  }

  /** Changes entries. Only once there is a root. */
  patch(entries: ReadonlyMap<number, number>): number {
    const base = this.#offset as number;
    const positions = [...entries.keys()].filter((at) => this.#heap.words[base + at] !== entries.get(at));
    if (positions.length === 0) return base;
    const words = positions.map((at) => entries.get(at) as number);
    return this.#become(this.#heap.internPatched(base, { positions, words }));
  }

  #become(offset: number): number {
    if (this.#offset !== undefined) this.#heap.release(this.#offset);
    this.#offset = offset;
    return offset;
  }
}
