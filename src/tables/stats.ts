// The size report of an image: `tortie tables stats`.
import type { ImageCounts, TableCompiler, TableImage } from './compiler.ts';

export interface ArrayStats {
  /** Kernel map. */
  readonly name: string;
  /** Bytes of regions that an image in force may use. */
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly regions: number;
}

export interface TableStats {
  readonly counts: ImageCounts;
  readonly arrays: readonly ArrayStats[];
  readonly traceIds: number;
  /** Regions and bytes that the last image added. */
  readonly lastChange: { readonly regions: number; readonly bytes: number };
}

/** Sizes in bytes; capacity is what the kernel holds whether it is used or not. */
export function tableStats(image: TableImage, compiler: TableCompiler): TableStats {
  const stores = [
    { name: 'tt_heap', store: compiler.heap },
    { name: 'tt_v6_nodes', store: compiler.v6Nodes },
  ];
  const written = [...image.written.heap, ...image.written.v6Nodes];
  return {
    counts: image.counts,
    arrays: stores.map(({ name, store }) => ({
      name,
      usedBytes: 4 * store.usedWords,
      capacityBytes: 4 * store.capacity,
      regions: store.regionCount,
    })),
    traceIds: compiler.stories.size,
    lastChange: { regions: written.length, bytes: 4 * written.reduce((sum, { length }) => sum + length, 0) },
  };
}
