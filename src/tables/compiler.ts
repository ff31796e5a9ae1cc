// DesiredState -> one image: everything that the kernel's arrays must hold for this policy, sharing all regions that
// the image before already has. Pure and deterministic; writing an image to the kernel is kernel/'s work.
import type { DesiredState } from '../calc/resolved.ts';
import { type AddressChanges, AddressClasses } from './address-classes.ts';
import { decodeIds, formerIdsOf } from './adopted-ids.ts';
import { decodeHeader, reachableRegions } from './adoption.ts';
import type { Classification } from './classification.ts';
import { IdPool } from './id-pool.ts';
import type { ImageCounts, ImageRoot, TableImage } from './image.ts';
import { ImageTables } from './image-tables.ts';
import {
  L4_BASE,
  L4_ENTRIES,
  PAGE_WORDS,
  SOURCE_PORTS,
  V4_ROOT_WORDS,
  V6_NODE_WORDS,
  V6_ROOT_WORDS,
} from './layout.ts';
import { DEFAULT_TABLE_LIMITS, type TableLimits } from './limits.ts';
import { type EndpointLists, ListsInUse } from './lists-in-use.ts';
import { addressClass, type TableArrays } from './lookup.ts';
import { NumberClasses, type Spares } from './number-classes.ts';
import { PartitionStep } from './partition-step.ts';
import { RegionStore } from './region-store.ts';
import type { PartitionSteps } from './row-store.ts';
import { Stories } from './stories.ts';

export interface TableSizes {
  /** 32-bit words of the policy heap: MIN_HEAP_WORDS to MAX_HEAP_WORDS. */
  readonly heapWords: number;
  readonly v6Nodes: number;
  readonly limits?: Partial<TableLimits>;
}

export const MAX_HEAP_WORDS = 2 ** 24;
export const MAX_V6_NODES = 2 ** 20;
export const DEFAULT_TABLE_SIZES: TableSizes = { heapWords: MAX_HEAP_WORDS, v6Nodes: 16384 };

/** Of which each image has one, and needs another of each beside those of the image before. */
const FIXED_TABLES = [L4_ENTRIES, SOURCE_PORTS, V4_ROOT_WORDS, V6_ROOT_WORDS];
const FIXED_WORDS = FIXED_TABLES.reduce((sum, words) => sum + words, 0);
/** What else an image has to leave of the heap: the change that makes it smaller needs some room too. */
const HEADROOM = 1 / 16;
/** Two images of few rules; with less there would be no second. */
export const MIN_HEAP_WORDS = 2 ** 21;

/** Heap regions start at multiples of a cache line. */
const REGION_WORDS = 16;
/** Words at the start of the heap that stay zero: an offset of 0 is a hole. */
const RESERVED_WORDS = 64;
/** Most ports that a change tells apart for the first time belonged to no rule before, and to TCP. */
const TCP_PORTS = [L4_BASE.TCP, L4_BASE.TCP + 65535] as const;
const UDP_PORTS = [L4_BASE.UDP, L4_BASE.UDP + 65535] as const;
const L4_SPARES: Spares = { count: 32, multiple: PAGE_WORDS, likely: [TCP_PORTS, TCP_PORTS, TCP_PORTS, UDP_PORTS] };

export class TableCompiler {
  readonly heap: RegionStore;
  readonly v6Nodes: RegionStore;
  readonly stories: Stories;
  readonly #addresses: AddressClasses;
  readonly #l4: NumberClasses;
  readonly #sourcePorts: NumberClasses;
  readonly #endpointIds = new IdPool();
  readonly #lists: ListsInUse;
  #tables: ImageTables;
  /** Of the image before. */
  #partitions: Pick<Classification, 'l4' | 'sourcePorts'> | undefined;
  #ids: ReadonlyMap<string, number> = new Map();

  constructor(sizes: TableSizes = DEFAULT_TABLE_SIZES) {
    const limits: TableLimits = { ...DEFAULT_TABLE_LIMITS, ...sizes.limits };
    this.stories = new Stories(limits);
    this.#addresses = new AddressClasses(limits);
    this.#l4 = new NumberClasses(L4_ENTRIES, 'l4Classes', limits, L4_SPARES);
    this.#sourcePorts = new NumberClasses(SOURCE_PORTS, 'sourcePortClasses', limits);
    this.heap = new RegionStore({
      limits,
      name: 'tt_heap',
      capacity: sizes.heapWords,
      granularity: REGION_WORDS,
      reserved: RESERVED_WORDS,
      setting: '--heap-words',
      most: MAX_HEAP_WORDS,
      slots: [...FIXED_TABLES, ...FIXED_TABLES],
      headroom: FIXED_WORDS + HEADROOM * sizes.heapWords,
    });
    this.v6Nodes = new RegionStore({
      limits,
      name: 'tt_v6_nodes',
      capacity: sizes.v6Nodes * V6_NODE_WORDS,
      granularity: V6_NODE_WORDS,
      reserved: 0,
      setting: '--v6-nodes',
      most: MAX_V6_NODES * V6_NODE_WORDS,
    });
    this.#lists = new ListsInUse(this.heap, this.stories);
    this.#tables = new ImageTables(this.heap, this.v6Nodes);
  }

  /**
   * Compiles the next image. accept is called once nothing else can fail. Throws TABLE_FULL, LIMIT_EXCEEDED and what
   * accept throws; the image before then stays whole.
   */
  compile(desired: DesiredState, accept?: () => void): TableImage {
    this.heap.beginImage();
    this.v6Nodes.beginImage();
    this.stories.beginImage();
    try {
      return this.#compile(desired, accept);
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** Takes over an image that an earlier process wrote, if there is one, ids of classes included. Only before the first compile. */
  adopt(arrays: TableArrays, root: ImageRoot): void {
    const regions = reachableRegions(arrays, root);
    if (regions === undefined) return;
    this.heap.adopt(arrays.heap, regions.heap);
    this.v6Nodes.adopt(arrays.v6Nodes, regions.v6Nodes);
    this.#adoptIds(arrays, root);
  }

  /** Reserves the ids that endpoints already have in the kernel. Only before the first compile. */
  adoptEndpointIds(ids: ReadonlyMap<string, number>): void {
    for (const [key, id] of ids) this.#endpointIds.adopt(key, id);
  }

  /** Lets an endpoint have the id of one that it takes the place of in the next image. */
  renameEndpoint(from: string, to: string): void {
    this.#endpointIds.rename(from, to);
    this.#ids = new Map();
  }

  /** Gives the space of older images back. Only when no packet can be judged by one any more. */
  retireOlderImages(): void {
    this.heap.sweep();
    this.v6Nodes.sweep();
  }

  /** The image stays in force, and its words as they are, until the first compile is complete. */
  #adoptIds(arrays: TableArrays, root: ImageRoot): void {
    const header = decodeHeader(arrays.heap, root);
    const ids = header && decodeIds(header.rest, header.sizes);
    if (ids === undefined) return;
    const table = (offset: number, size: number): Uint32Array => arrays.heap.subarray(offset, offset + size);
    const l4 = formerIdsOf(table(root.l4Classes, L4_ENTRIES), ids.l4Parents);
    const sourcePorts = formerIdsOf(table(root.sourceClasses, SOURCE_PORTS), ids.sourceParents);
    if (l4 !== undefined) this.#l4.adopt(l4);
    if (sourcePorts !== undefined) this.#sourcePorts.adopt(sourcePorts);
    this.#addresses.adopt({ families: ids.families, idOf: (address) => addressClass(arrays, root, address) });
  }

  #compile(desired: DesiredState, accept: (() => void) | undefined): TableImage {
    const endpoints = this.#lists.follow(desired);
    const { partition, changes } = this.#addresses.follow(desired);
    const classification: Classification = {
      addresses: partition,
      l4: this.#l4.updateCounted(this.#lists.l4Sets),
      sourcePorts: this.#sourcePorts.updateCounted(this.#lists.sourcePortSets),
    };
    this.#compileLists(classification, changes);
    const ids = this.#assignIds(endpoints);
    const limit = this.#endpointIds.limit;
    const { ordered } = this.#addresses;
    const root = this.#tables.update(classification, ordered, changes.prefixes, { lists: endpoints, ids, limit });
    this.heap.requireHeadroom();
    accept?.();
    this.#complete(classification, ids);
    const counts: ImageCounts = {
      endpoints: desired.endpoints.size,
      policyLists: this.#lists.size,
      rules: this.#lists.ruleCount,
      prefixes: desired.prefixes.size,
      addressClasses: partition.classCount,
      l4Classes: classification.l4.ids.length,
      sourcePortClasses: classification.sourcePorts.ids.length,
    };
    const written = { heap: this.heap.written, v6Nodes: this.v6Nodes.written };
    return { root, endpointIds: ids, written, counts, classification };
  }

  #compileLists(classification: Classification, changes: AddressChanges): void {
    const steps = this.#stepsTo(classification);
    const concerned = this.#lists.concernedBy(changes);
    for (const list of this.#lists.all()) {
      const { compiler, isNew } = list;
      const listChanges = concerned.get(list);
      if (isNew) compiler.compile(classification);
      else if (steps !== undefined && !compiler.survives(steps)) compiler.carry(steps, classification);
      else if (!compiler.fits(classification.addresses)) compiler.compile(classification);
      else if (listChanges !== undefined) compiler.patch(listChanges, classification);
      list.isNew = false;
    }
  }

  /** Not before the last step that can fail: the ids of the image before must not be given away. */
  #complete({ l4, sourcePorts }: Classification, ids: ReadonlyMap<string, number>): void {
    this.#endpointIds.endRound();
    this.#addresses.commit();
    this.#l4.commit();
    this.#sourcePorts.commit();
    this.heap.completeImage();
    this.v6Nodes.completeImage();
    this.#partitions = { l4, sourcePorts };
    this.#ids = ids;
  }

  /** Back to what the image before needs; all that leads to it is compiled anew the next time. */
  #abandon(): void {
    this.#lists.clear();
    this.heap.abandonImage();
    this.v6Nodes.abandonImage();
    this.stories.abandonImage();
    this.#addresses.rollBack();
    this.#l4.rollBack();
    this.#sourcePorts.rollBack();
    this.#tables = new ImageTables(this.heap, this.v6Nodes);
    this.#partitions = undefined;
    this.#ids = new Map();
  }

  /** undefined = there was no image before. */
  #stepsTo({ l4, sourcePorts }: Classification): PartitionSteps | undefined {
    const before = this.#partitions;
    if (before === undefined) return undefined;
    if (before.l4.version === l4.version && before.sourcePorts.version === sourcePorts.version) return undefined;
    return { l4: new PartitionStep(before.l4, l4), sourcePorts: new PartitionStep(before.sourcePorts, sourcePorts) };
  }

  /** The map of the image before, if it has the same endpoints. */
  #assignIds(endpoints: readonly EndpointLists[]): ReadonlyMap<string, number> {
    this.#endpointIds.beginRound();
    const fresh = endpoints.filter(({ key }) => this.#endpointIds.knownId(key) === undefined).map(({ key }) => key);
    for (const key of fresh.sort()) this.#endpointIds.idOf(key);
    if (fresh.length === 0 && this.#ids.size === endpoints.length) return this.#ids;
    return new Map(endpoints.map(({ key }) => [key, this.#endpointIds.idOf(key)]));
  }
}
