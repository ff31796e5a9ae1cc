// Rows in the heap: packed into pages, unpacked, carried over to another partition, given back. Part of PeerVector.
import type { BitSet } from './bit-sets.ts';
import { PAGE_WORDS, WORD } from './layout.ts';
import type { PartitionStep } from './partition-step.ts';
import type { RegionStore } from './region-store.ts';
import type { Stories } from './stories.ts';

/** Words of a set of layer-4 classes for each page. */
const CELLS_PER_PAGE = PAGE_WORDS / 32;

/** Changes of the number partitions that a list's own rules do not see. */
export interface PartitionSteps {
  readonly l4: PartitionStep;
  readonly sourcePorts: PartitionStep;
}

/** A row in the heap: a page table and its pages, of each of which it has one use. */
export interface Row {
  readonly offset: number;
  readonly pages: number;
  /** Tables by source-port class that its words lead to. */
  readonly tables: readonly number[];
  /** Trace ids that it has one use of each; a row made by patching another has only those of its own words. */
  readonly storyIds: readonly number[];
  /** Classes of peers that have it. */
  users: number;
}

/** What a row's words lead to: their tables, with one use each, and their trace ids. */
export interface Led {
  readonly tables: readonly number[];
  readonly storyIds: readonly number[];
}

export class RowStore {
  readonly heap: RegionStore;
  readonly stories: Stories;
  readonly #page = new Uint32Array(PAGE_WORDS);
  #pageTable = new Uint32Array(0);

  constructor(heap: RegionStore, stories: Stories) {
    this.heap = heap;
    this.stories = stories;
  }

  /** A row of these words, one for each id. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  pack(words: Uint32Array, { tables, storyIds }: Led): Row {
    const pageTable = new Uint32Array(Math.max(1, Math.ceil(words.length / PAGE_WORDS)));
    for (let page = 0; page < pageTable.length; page += 1) {
      this.#page.fill(0);
      this.#page.set(words.subarray(page * PAGE_WORDS, (page + 1) * PAGE_WORDS));
      pageTable[page] = this.heap.intern(this.#page);
    }
    return this.#made(pageTable, tables, storyIds);
  }

  /** A row that has other words than `base` for the ids in `cells`, and is alive no longer than that one. */
  packPatched(base: Row, words: Uint32Array, cells: BitSet, { tables, storyIds }: Led): Row {
    if (this.#pageTable.length !== base.pages) this.#pageTable = new Uint32Array(base.pages);
    for (let page = 0; page < base.pages; page += 1) {
      const before = this.heap.words[base.offset + page] as number;
      this.#pageTable[page] = this.#internPatchedPage(page, before, words, cells);
    }
    return this.#made(this.#pageTable, tables, storyIds);
  }

  /** The same row for the partitions after the steps. */
  carry(row: Row, { l4, sourcePorts }: PartitionSteps): Row {
    const words = l4.carry(this.#unpack(row));
    const tables: number[] = [];
    for (let id = 0; id < words.length; id += 1) {
      const word = words[id] as number;
      if ((word & WORD.SOURCE_PORT) === 0) continue;
      const table = this.heap.words.subarray(word >>> WORD.ID_SHIFT);
      const offset = this.heap.intern(sourcePorts.carry(table));
      tables.push(offset);
      words[id] = (WORD.SOURCE_PORT | (offset << WORD.ID_SHIFT)) >>> 0;
    }
    const carried = this.pack(words, { tables, storyIds: row.storyIds });
    carried.users = row.users;
    return carried;
  }

  release(row: Row): void {
    for (let page = 0; page < row.pages; page += 1) this.heap.release(this.heap.words[row.offset + page] as number);
    this.heap.release(row.offset);
    for (const table of row.tables) this.heap.release(table);
    for (const id of row.storyIds) this.stories.release(id);
  }

  #made(pageTable: Uint32Array, tables: readonly number[], storyIds: readonly number[]): Row {
    const offset = this.heap.intern(pageTable);
    for (const id of storyIds) this.stories.retain(id);
    return { offset, pages: pageTable.length, tables, storyIds, users: 0 };
  }

  /** Offset of the page with the words of those cells that lie in it. */
  #internPatchedPage(page: number, before: number, words: Uint32Array, cells: BitSet): number {
    const from = page * CELLS_PER_PAGE;
    let isPatched = false;
    for (let index = from; index < from + CELLS_PER_PAGE; index += 1) {
      let members = cells[index] ?? 0;
      if (members === 0) continue;
      if (!isPatched) copyPage(this.heap.words, before, this.#page);
      isPatched = true;
      for (; members !== 0; members &= members - 1) {
        const id = 32 * index + 31 - Math.clz32(members & -members);
        this.#page[id & (PAGE_WORDS - 1)] = words[id] as number;
      }
    }
    if (isPatched) return this.heap.intern(this.#page);
    this.heap.retain(before);
    return before;
  }

  #unpack({ offset, pages }: Row): Uint32Array {
    const words = new Uint32Array(pages * PAGE_WORDS);
    for (let page = 0; page < pages; page += 1) {
      const at = this.heap.words[offset + page] as number;
      words.set(this.heap.words.subarray(at, at + PAGE_WORDS), page * PAGE_WORDS);
    }
    return words;
  }
}

/** Quicker for so few words than making a view of them. */
function copyPage(heap: Uint32Array, offset: number, page: Uint32Array): void {
  for (let index = 0; index < PAGE_WORDS; index += 1) page[index] = heap[offset + index] as number;
}
