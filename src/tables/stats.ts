// The size report of an image: `tortie tables stats`.
import type { TableCompiler } from './compiler.ts';
import type { ImageCounts, TableImage } from './image.ts';

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
  /** Bytes in use, shared evenly by all there are of something; 0 when there is none. */
  readonly bytesPer: { readonly rule: number; readonly endpoint: number; readonly addressClass: number };
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
  const usedBytes = stores.reduce((sum, { store }) => sum + 4 * store.regionWords, 0);
  const share = (count: number): number => (count === 0 ? 0 : usedBytes / count);
  const { rules, endpoints, addressClasses } = image.counts;
  const written = [...image.written.heap, ...image.written.v6Nodes];
  return {
    counts: image.counts,
    arrays: stores.map(({ name, store }) => ({
      name,
      usedBytes: 4 * store.regionWords,
      capacityBytes: 4 * store.capacity,
      regions: store.regionCount,
    })),
    bytesPer: { rule: share(rules), endpoint: share(endpoints), addressClass: share(addressClasses) },
    traceIds: compiler.stories.size,
    lastChange: { regions: written.length, bytes: 4 * written.reduce((sum, { length }) => sum + length, 0) },
  };
}
