// The generated layout constants under the names that tables/ uses, and the few that follow from them.
import { BaseBits, EntryBits, HeapDims, L4Base, V6Node, WordBits } from '../abi/heap.gen.ts';

export const PAGE_WORDS = HeapDims.PAGE_WORDS;
export const PAGE_SHIFT = HeapDims.PAGE_SHIFT;
export const CHUNK_WORDS = HeapDims.CHUNK_WORDS;
export const V4_ROOT_WORDS = HeapDims.V4_ROOT_WORDS;
export const V6_ROOT_WORDS = HeapDims.V6_ROOT_WORDS;
export const ENTRY_NODE = EntryBits.NODE;
export const ENTRY_VALUE = EntryBits.VALUE;
export const BASE_LOCAL = BaseBits.LOCAL;
export const BASE_OFFSET = BaseBits.OFFSET;
export const WORD = WordBits;
export const L4_BASE = L4Base;
export const L4_ENTRIES = L4Base.ENTRIES;

/** Words of a tt_v6_node and where its fields are, in words. */
export const V6_NODE_WORDS = V6Node.SIZE / 4;
export const V6_NODE = {
  mask: V6Node.OFFSET.mask / 4,
  value: V6Node.OFFSET.value / 4,
  miss: V6Node.OFFSET.miss / 4,
  byteIndex: V6Node.OFFSET.byte_index / 4,
  entry: V6Node.OFFSET.entry / 4,
} as const;

/** Source ports have a table of their own. */
export const SOURCE_PORTS = 65536;
