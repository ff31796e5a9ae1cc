// The regions of an image outside its lists, of each of which there is one use: address and number tables, where each
// endpoint's lists are, and the header. Part of TableCompiler.
import type { AddressChanges, AddressClasses } from './address-classes.ts';
import { AddressTableV4 } from './address-table-v4.ts';
import { AddressTableV6 } from './address-table-v6.ts';
import { encodeIds } from './adopted-ids.ts';
import { encodeHeader } from './adoption.ts';
import type { Classification } from './classification.ts';
import type { ImageRoot } from './image.ts';
import { L4_ENTRIES, PAGE_WORDS, SOURCE_PORTS } from './layout.ts';
import type { EndpointLists } from './lists-in-use.ts';
import { NumberTable } from './number-table.ts';
import type { RegionStore } from './region-store.ts';

/** Endpoints, compiled; every id is below the limit. */
export interface EndpointTable {
  readonly lists: readonly EndpointLists[];
  readonly ids: ReadonlyMap<string, number>;
  readonly limit: number;
}

export class ImageTables {
  readonly #heap: RegionStore;
  readonly #v4: AddressTableV4;
  readonly #v6: AddressTableV6;
  readonly #l4Classes: NumberTable;
  readonly #sourceClasses: NumberTable;
  /** Offsets of the image before. */
  readonly #offsets: { policies?: number; directory?: number } = {};

  constructor(heap: RegionStore, v6Nodes: RegionStore) {
    this.#heap = heap;
    this.#v4 = new AddressTableV4(heap);
    this.#v6 = new AddressTableV6(heap, v6Nodes);
    this.#l4Classes = new NumberTable(heap, L4_ENTRIES);
    this.#sourceClasses = new NumberTable(heap, SOURCE_PORTS);
  }

  /** Brings all tables up to date; `prefixes` as in AddressChanges. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  update(
    classification: Classification,
    ordered: AddressClasses['ordered'],
    prefixes: AddressChanges['prefixes'],
    { lists, ids, limit }: EndpointTable,
  ): ImageRoot {
    const { addresses, l4, sourcePorts } = classification;
    const policies = new Uint32Array(2 * limit);
    for (const { key, egress, ingress } of lists) {
      const id = ids.get(key) as number;
      policies[2 * id] = egress.compiler.base;
      policies[2 * id + 1] = ingress.compiler.base;
    }
    const sizes = {
      addressClasses: addresses.idLimit,
      pages: Math.ceil(l4.idLimit / PAGE_WORDS),
      sourcePortClasses: sourcePorts.idLimit,
      policies: policies.length,
    };
    const header = encodeHeader(sizes, encodeIds(classification));
    return {
      v4Root: this.#v4.update(ordered[4], addresses.outside[4].id, prefixes[4]),
      v6Root: this.#v6.update(ordered[6], addresses.outside[6].id, prefixes[6]),
      l4Classes: this.#l4Classes.update(l4),
      sourceClasses: this.#sourceClasses.update(sourcePorts),
      policies: this.#replace('policies', policies),
      directory: this.#replace('directory', header),
      directoryRegions: header.length,
    };
  }

  #replace(table: 'policies' | 'directory', words: Uint32Array): number {
    const before = this.#offsets[table];
    const offset = this.#heap.intern(words);
    this.#offsets[table] = offset;
    if (before !== undefined) this.#heap.release(before);
    return offset;
  }
}
