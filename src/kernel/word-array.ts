// The shape of a big array of 32-bit words: all in one map value where the kernel has values that big, else in blocks of
// 4 KiB. bpf/lib/words.h is the programs' side; mapped into memory, both are the same.
import { HeapBlock, HeapDims } from '../abi/heap.gen.ts';
import { loadNative, type MapOptions } from './native.ts';

/** The verifier follows no pointer further into a value than 2^29 bytes. */
const MAX_VALUE_BYTES = 2 ** 28;

export interface WordArray {
  readonly map: MapOptions;
  /** What the programs must know of it. */
  readonly words: number;
  readonly isFlat: boolean;
}

let hasLargeValues: boolean | undefined;

export function wordArray(blocks: number): WordArray {
  hasLargeValues ??= loadNative().probeFeatures().largeValues;
  const bytes = blocks * HeapBlock.SIZE;
  const isFlat = hasLargeValues && bytes <= MAX_VALUE_BYTES;
  const map = isFlat ? { maxEntries: 1, valueSize: bytes } : { maxEntries: blocks };
  return { map, words: blocks * HeapDims.HEAP_BLOCK_WORDS, isFlat };
}
