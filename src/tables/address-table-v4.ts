// The IPv4 address table: three levels of 16, 8 and 8 bits. Layout: docs/design/tables.md and bpf/abi/heap.h. Follows
// changes: what no changed prefix is about keeps its regions.
import type { Cidr } from '../model/address.ts';
import { compileRoot, dirtyEntries, RootRegion, spanOf } from './address-root.ts';
import { CHUNK_WORDS, ENTRY_NODE, ENTRY_VALUE } from './layout.ts';
import type { OrderedPrefixes } from './ordered-prefixes.ts';
import type { RegionStore } from './region-store.ts';

/** Prefixes up to this length end in the second level. */
const MIDDLE_BITS = 24;

/** Chunk of the second level; those below it are in its entries. */
interface Middle {
  readonly offset: number;
  /** Class around all its prefixes. */
  readonly around: number;
}

export class AddressTableV4 {
  readonly #heap: RegionStore;
  readonly #root: RootRegion;
  /** By entry of the root. */
  readonly #middles = new Map<number, Middle>();

  constructor(heap: RegionStore) {
    this.#heap = heap;
    this.#root = new RootRegion(heap);
  }

  /** Brings the table up to date and returns the offset of its root; `dirty` as in AddressChanges. Throws TABLE_FULL. */
  update(ordered: OrderedPrefixes, outside: number, dirty: readonly Cidr[] | undefined): number {
    const indexes = this.#root.offset === undefined ? undefined : dirtyEntries(dirty);
    if (indexes === undefined) return this.#compileAll(ordered, outside);
    const entries = new Map<number, number>();
    const byIndex = chunksByEntry(dirty ?? []);
    for (const index of indexes) {
      const { first, end, around } = spanOf(ordered, index);
      const outer = around === undefined ? outside : ordered.classAt(around);
      const chunks = this.#middles.get(index)?.around === outer ? byIndex.get(index) : undefined;
      entries.set(index, first === end ? outer : this.#compileMiddle(ordered, index, first, end, outer, chunks));
      if (first === end) this.#replaceMiddle(index, undefined);
    }
    return this.#root.patch(entries);
  }

  #compileAll(ordered: OrderedPrefixes, outside: number): number {
    const before = new Set(this.#middles.keys());
    const root = compileRoot(ordered, outside, (index, first, end, around) => {
      before.delete(index);
      return this.#compileMiddle(ordered, index, first, end, around, undefined);
    });
    for (const index of before) this.#replaceMiddle(index, undefined);
    return this.#root.replace(root);
  }

  /** Entry for the span; only chunks in `chunks`, if given, are made anew. */
  #compileMiddle(
    ordered: OrderedPrefixes,
    index: number,
    first: number,
    end: number,
    around: number,
    chunks: ReadonlySet<number> | undefined,
  ): number {
    const before = chunks === undefined ? undefined : this.#middles.get(index);
    const entries = new Uint32Array(CHUNK_WORDS).fill(around);
    for (let position = first; position < end; ) {
      const word = ordered.wordAt(position, 0);
      const chunk = (word >>> 8) & 0xff;
      const length = ordered.lengthAt(position);
      if (length <= MIDDLE_BITS) {
        entries.fill(ordered.classAt(position), chunk, chunk + 2 ** (MIDDLE_BITS - length));
        position += 1;
        continue;
      }
      const next = Math.min(end, firstFrom(ordered, (word | 0xff) >>> 0));
      const kept = before === undefined || chunks?.has(chunk) ? 0 : (this.#heap.words[before.offset + chunk] as number);
      if (kept & ENTRY_NODE) {
        this.#heap.retain((kept & ENTRY_VALUE) >>> 0);
        entries[chunk] = kept;
      } else entries[chunk] = this.#compileBottom(ordered, position, next, entries[chunk] as number);
      position = next;
    }
    const offset = this.#heap.intern(entries);
    this.#replaceMiddle(index, { offset, around });
    return (ENTRY_NODE | offset) >>> 0;
  }

  #compileBottom(ordered: OrderedPrefixes, first: number, end: number, around: number): number {
    const entries = new Uint32Array(CHUNK_WORDS).fill(around);
    for (let position = first; position < end; position += 1) {
      const at = ordered.wordAt(position, 0) & 0xff;
      entries.fill(ordered.classAt(position), at, at + 2 ** (32 - ordered.lengthAt(position)));
    }
    return (ENTRY_NODE | this.#heap.intern(entries)) >>> 0;
  }

  #replaceMiddle(index: number, middle: Middle | undefined): void {
    const before = this.#middles.get(index);
    if (middle === undefined) this.#middles.delete(index);
    else this.#middles.set(index, middle);
    if (before === undefined) return;
    for (let at = 0; at < CHUNK_WORDS; at += 1) {
      const entry = this.#heap.words[before.offset + at] as number;
      if (entry & ENTRY_NODE) this.#heap.release((entry & ENTRY_VALUE) >>> 0);
    }
    this.#heap.release(before.offset);
  }
}

/** Position of the first prefix behind an address that is the last of its chunk. */
function firstFrom(ordered: OrderedPrefixes, address: number): number {
  return ordered.lowerBound([address], 33);
}

/** For each entry of the root the chunks below it that the prefixes are about; no set = all. */
function chunksByEntry(dirty: readonly Cidr[]): Map<number, Set<number>> {
  const byEntry = new Map<number, Set<number>>();
  for (const { words, length } of dirty) {
    if (length <= 16) continue;
    const address = words[0] as number;
    const chunks = byEntry.get(address >>> 16) ?? new Set();
    byEntry.set(address >>> 16, chunks);
    const first = (address >>> 8) & 0xff;
    const count = length >= MIDDLE_BITS ? 1 : 2 ** (MIDDLE_BITS - length);
    for (let chunk = first; chunk < first + count; chunk += 1) chunks.add(chunk);
  }
  return byEntry;
}
