// Finds every region that an image reaches, from its root and the sizes in its header: what a restarted agent takes over. How
// the image numbers its classes is adopted-ids.ts.
import { reachableNodes } from './address-table-v6.ts';
import type { ImageRoot } from './image.ts';
import {
  BASE_LOCAL,
  BASE_OFFSET,
  CHUNK_WORDS,
  ENTRY_NODE,
  ENTRY_VALUE,
  L4_ENTRIES,
  PAGE_WORDS,
  SOURCE_PORTS,
  V4_ROOT_WORDS,
  V6_NODE_WORDS,
  V6_ROOT_WORDS,
  WORD,
} from './layout.ts';
import type { TableArrays } from './lookup.ts';
import type { Region } from './region.ts';

/** Lengths that an image's tables do not tell themselves, in words. */
export interface ImageSizes {
  /** Of vectors and tables of vectors: one word for each class of addresses. */
  readonly addressClasses: number;
  /** Of page tables. */
  readonly pages: number;
  /** Of tables by source-port class. */
  readonly sourcePortClasses: number;
  readonly policies: number;
}

/** First word of a header, so that nothing else is taken for one. */
const HEADER_MARK = 0x7404_7461;
const HEADER_WORDS = 5;

/** Sizes, then what else the writer wants to find there again. */
export function encodeHeader(sizes: ImageSizes, rest: Uint32Array): Uint32Array {
  const { addressClasses, pages, sourcePortClasses, policies } = sizes;
  const header = new Uint32Array(HEADER_WORDS + rest.length);
  header.set([HEADER_MARK, addressClasses, pages, sourcePortClasses, policies]);
  header.set(rest, HEADER_WORDS);
  return header;
}

/** undefined = there is no image, or none of this layout. An image of an older agent has no rest. */
export function decodeHeader(
  heap: Uint32Array,
  { directory, directoryRegions }: Pick<ImageRoot, 'directory' | 'directoryRegions'>,
): { readonly sizes: ImageSizes; readonly rest: Uint32Array } | undefined {
  const end = directory + Math.max(HEADER_WORDS, directoryRegions);
  const [mark, addressClasses = 0, pages = 0, sourcePortClasses = 0, policies = 0] = heap.subarray(directory, end);
  if (directory === 0 || mark !== HEADER_MARK || end > heap.length) return undefined;
  const sizes = { addressClasses, pages, sourcePortClasses, policies };
  return { sizes, rest: heap.subarray(directory + HEADER_WORDS, end) };
}

/** Regions of the image in both arrays, each once; undefined = there is no image, or none of this layout. */
export function reachableRegions(
  { heap, v6Nodes }: TableArrays,
  root: ImageRoot,
): { readonly heap: readonly Region[]; readonly v6Nodes: readonly Region[] } | undefined {
  const header = decodeHeader(heap, root);
  if (header === undefined) return undefined;
  const walk = new Walk(heap, header.sizes);
  walk.visitRoot(root, HEADER_WORDS + header.rest.length);
  const nodes = [...reachableNodes(v6Nodes, heap.subarray(root.v6Root, root.v6Root + V6_ROOT_WORDS))];
  return {
    heap: walk.regions(),
    v6Nodes: nodes.map((node) => ({ offset: node * V6_NODE_WORDS, length: V6_NODE_WORDS })),
  };
}

class Walk {
  readonly #heap: Uint32Array;
  readonly #sizes: ImageSizes;
  readonly #lengths = new Map<number, number>();

  constructor(heap: Uint32Array, sizes: ImageSizes) {
    this.#heap = heap;
    this.#sizes = sizes;
  }

  regions(): Region[] {
    return [...this.#lengths].map(([offset, length]) => ({ offset, length }));
  }

  visitRoot(root: ImageRoot, headerWords: number): void {
    this.#note(root.directory, headerWords);
    this.#note(root.l4Classes, L4_ENTRIES);
    this.#note(root.sourceClasses, SOURCE_PORTS);
    this.#note(root.v6Root, V6_ROOT_WORDS);
    this.#visitChunks(root.v4Root, V4_ROOT_WORDS);
    this.#note(root.policies, this.#sizes.policies);
    for (const base of this.#words(root.policies, this.#sizes.policies)) this.#visitBase(base);
  }

  #visitChunks(offset: number, length: number): void {
    if (!this.#note(offset, length)) return;
    for (const entry of this.#words(offset, length)) {
      if (entry & ENTRY_NODE) this.#visitChunks((entry & ENTRY_VALUE) >>> 0, CHUNK_WORDS);
    }
  }

  #visitBase(base: number): void {
    const { addressClasses } = this.#sizes;
    const offset = (base & BASE_OFFSET) >>> 0;
    if ((base & BASE_LOCAL) === 0) this.#visitVector(base);
    else if (this.#note(offset, addressClasses)) {
      for (const vector of this.#words(offset, addressClasses)) this.#visitVector(vector);
    }
  }

  #visitVector(offset: number): void {
    const { addressClasses, pages } = this.#sizes;
    if (!this.#note(offset, addressClasses)) return;
    for (const row of this.#words(offset, addressClasses)) {
      if (!this.#note(row, pages)) continue;
      for (const page of this.#words(row, pages)) this.#visitPage(page);
    }
  }

  #visitPage(offset: number): void {
    if (!this.#note(offset, PAGE_WORDS)) return;
    for (const word of this.#words(offset, PAGE_WORDS)) {
      if (word & WORD.SOURCE_PORT) this.#note(word >>> WORD.ID_SHIFT, this.#sizes.sourcePortClasses);
    }
  }

  #words(offset: number, length: number): Uint32Array {
    return this.#heap.subarray(offset, offset + length);
  }

  /** Whether the region is new to the walk; a hole is not. */
  #note(offset: number, length: number): boolean {
    if (offset === 0 || this.#lengths.has(offset)) return false;
    this.#lengths.set(offset, length);
    return true;
  }
}
