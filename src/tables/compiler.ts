// DesiredState -> one image: everything that the kernel's arrays must hold for this policy, sharing all regions that
// the image before already has. Pure and deterministic; writing an image to the kernel is kernel/'s work.
import type { DesiredState, PolicyList } from '../calc/resolved.ts';
import { AddressClasses } from './address-classes.ts';
import { compileV4Table } from './address-table-v4.ts';
import { compileV6Table, reachableNodes } from './address-table-v6.ts';
import { IdPool } from './id-pool.ts';
import { L4_ENTRIES, V6_NODE_WORDS, V6_ROOT_WORDS } from './layout.ts';
import { DEFAULT_TABLE_LIMITS, type TableLimits } from './limits.ts';
import { type Classification, ListCompiler, type PartitionSteps } from './list-compiler.ts';
import { type ListPrograms, l4SetsOf, prepareList, sourcePortSetsOf, widestProgram } from './list-program.ts';
import { NumberClasses } from './number-classes.ts';
import { PartitionStep } from './partition-step.ts';
import { type Region, RegionStore } from './region-store.ts';
import { Stories } from './stories.ts';

export interface TableSizes {
  /** 32-bit words of the policy heap; at most 2^24. */
  readonly heapWords: number;
  readonly v6Nodes: number;
  readonly limits?: Partial<TableLimits>;
}

export const DEFAULT_TABLE_SIZES: TableSizes = { heapWords: 8 * 1024 * 1024, v6Nodes: 16384 };

/** Entry points of an image: struct tt_root without its generation. */
export interface ImageRoot {
  readonly v4Root: number;
  readonly v6Root: number;
  readonly l4Classes: number;
  readonly sourceClasses: number;
  readonly policies: number;
  /** (offset, length) of every heap region of this image but the directory itself. */
  readonly directory: number;
  readonly directoryRegions: number;
}

/** The kernel's arrays with the regions that the image in force uses. */
export interface AdoptedRegions {
  readonly heap: Uint32Array;
  readonly v6Nodes: Uint32Array;
  readonly heapRegions: readonly Region[];
  readonly v6Root: number;
}

export interface TableImage {
  readonly root: ImageRoot;
  /** Id of each endpoint: where its two policy bases are. */
  readonly endpointIds: ReadonlyMap<string, number>;
  /** Regions that were not there in the image before, to be copied from the stores. */
  readonly written: { readonly heap: readonly Region[]; readonly v6Nodes: readonly Region[] };
  readonly counts: ImageCounts;
  /** How addresses, layer-4 indexes and source ports were divided. */
  readonly classification: Classification;
}

export interface ImageCounts {
  readonly endpoints: number;
  readonly policyLists: number;
  readonly prefixes: number;
  readonly addressClasses: number;
  readonly l4Classes: number;
  readonly sourcePortClasses: number;
}

interface CachedList {
  readonly programs: ListPrograms;
  compiler: ListCompiler;
  /** Of its port sets, as text. */
  points: string;
  /** The last image that it is part of. */
  image: number;
}

/** Heap regions start at multiples of a cache line. */
const REGION_WORDS = 16;
/** Words at the start of the heap that stay zero: an offset of 0 is a hole. */
const RESERVED_WORDS = 64;

export class TableCompiler {
  readonly heap: RegionStore;
  readonly v6Nodes: RegionStore;
  readonly stories: Stories;
  readonly #addresses: AddressClasses;
  readonly #l4: NumberClasses;
  readonly #sourcePorts: NumberClasses;
  readonly #endpointIds = new IdPool();
  readonly #lists = new Map<PolicyList, CachedList>();
  #partitions: Pick<Classification, 'l4' | 'sourcePorts'> | undefined;
  #image = 0;

  constructor(sizes: TableSizes = DEFAULT_TABLE_SIZES) {
    const limits: TableLimits = { ...DEFAULT_TABLE_LIMITS, ...sizes.limits };
    this.stories = new Stories(limits);
    this.#addresses = new AddressClasses(limits);
    this.#l4 = new NumberClasses(L4_ENTRIES, 'l4Classes', limits);
    this.#sourcePorts = new NumberClasses(65536, 'sourcePortClasses', limits);
    this.heap = new RegionStore({
      limits,
      name: 'tt_heap',
      capacity: sizes.heapWords,
      granularity: REGION_WORDS,
      reserved: RESERVED_WORDS,
      setting: 'tables.heapWords',
    });
    this.v6Nodes = new RegionStore({
      limits,
      name: 'tt_v6_nodes',
      capacity: sizes.v6Nodes * V6_NODE_WORDS,
      granularity: V6_NODE_WORDS,
      reserved: 0,
      setting: 'tables.v6Nodes',
    });
  }

  /** Compiles the next image. Throws TABLE_FULL and LIMIT_EXCEEDED; the image before then stays whole. */
  compile(desired: DesiredState): TableImage {
    this.#image += 1;
    this.heap.beginImage();
    this.v6Nodes.beginImage();
    this.stories.beginImage();
    try {
      return this.#compile(desired);
    } catch (error) {
      this.heap.abandonImage();
      this.v6Nodes.abandonImage();
      this.#lists.clear();
      this.#partitions = undefined;
      throw error;
    }
  }

  /** Takes over an image that an earlier process wrote. Only before the first compile. */
  adoptRegions({ heap, v6Nodes, heapRegions, v6Root }: AdoptedRegions): void {
    this.heap.adopt(heap, heapRegions);
    const nodes = [...reachableNodes(v6Nodes, heap.subarray(v6Root, v6Root + V6_ROOT_WORDS))];
    this.v6Nodes.adopt(
      v6Nodes,
      nodes.map((node) => ({ offset: node * V6_NODE_WORDS, length: V6_NODE_WORDS })),
    );
  }

  /** Reserves the ids that endpoints already have in the kernel. Only before the first compile. */
  adoptEndpointIds(ids: ReadonlyMap<string, number>): void {
    for (const [key, id] of ids) this.#endpointIds.adopt(key, id);
  }

  /** Lets an endpoint have the id of one that it takes the place of in the next image. */
  renameEndpoint(from: string, to: string): void {
    this.#endpointIds.rename(from, to);
  }

  /** Gives the space of older images back. Only when no packet can be judged by one any more. */
  retireOlderImages(): void {
    this.heap.sweep();
    this.v6Nodes.sweep();
  }

  #compile(desired: DesiredState): TableImage {
    const lists = this.#programs(desired);
    const programs = [...lists.values()].map((list) => widestProgram(list.programs));
    const classification: Classification = {
      addresses: this.#addresses.update(desired.prefixes.values()),
      l4: this.#l4.update(programs.flatMap(l4SetsOf)),
      sourcePorts: this.#sourcePorts.update(programs.flatMap(sourcePortSetsOf)),
    };
    const { addresses, l4, sourcePorts } = classification;
    const bases = this.#bases(lists, classification);
    const endpointIds = this.#assignIds(desired);
    const policies = new Uint32Array(2 * this.#endpointIds.limit);
    for (const [key, { ingress, egress }] of desired.endpoints) {
      const id = endpointIds.get(key) as number;
      policies[2 * id] = bases.get(egress) as number;
      policies[2 * id + 1] = bases.get(ingress) as number;
    }
    const tables = {
      v4Root: compileV4Table(addresses.prefixes[4], addresses.outside[4], this.heap),
      v6Root: compileV6Table(addresses.prefixes[6], addresses.outside[6], this.heap, this.v6Nodes),
      l4Classes: this.heap.intern(l4.classes),
      sourceClasses: this.heap.intern(sourcePorts.classes),
      policies: this.heap.intern(policies),
    };
    const root: ImageRoot = { ...tables, ...this.#directory() };
    // Not before the last step that can fail: the ids of the image before must not be given away.
    this.#endpointIds.endRound();
    const counts: ImageCounts = {
      endpoints: desired.endpoints.size,
      policyLists: lists.size,
      prefixes: desired.prefixes.size,
      addressClasses: addresses.classes.length,
      l4Classes: l4.ids.length,
      sourcePortClasses: sourcePorts.ids.length,
    };
    const written = { heap: this.heap.written, v6Nodes: this.v6Nodes.written };
    return { root, endpointIds, written, counts, classification };
  }

  /** Prepared lists in use; those of the image before are kept, others forgotten. */
  #programs(desired: DesiredState): Map<PolicyList, CachedList> {
    const inUse = new Map<PolicyList, CachedList>();
    for (const { ingress, egress } of desired.endpoints.values()) {
      for (const list of [egress, ingress]) {
        if (inUse.has(list)) continue;
        inUse.set(list, this.#lists.get(list) ?? this.#newList(list));
      }
    }
    this.#lists.clear();
    for (const [list, cached] of inUse) this.#lists.set(list, cached);
    return inUse;
  }

  #newList(list: PolicyList): CachedList {
    const programs = prepareList(list);
    return { programs, compiler: new ListCompiler(programs, this.heap, this.stories), points: '', image: 0 };
  }

  /** Compiles each list. Its rows outlive other lists' changes, but not those of its own port holders. */
  #bases(lists: ReadonlyMap<PolicyList, CachedList>, classification: Classification): Map<PolicyList, number> {
    const steps = this.#stepsTo(classification);
    const bases = new Map<PolicyList, number>();
    for (const [list, cached] of lists) {
      const { portSets } = widestProgram(cached.programs);
      const points = portSets.map(({ id, points: known }) => `${id}=${[...known].join()}`).join(';');
      if (cached.points !== points || cached.image !== this.#image - 1) {
        cached.compiler = new ListCompiler(cached.programs, this.heap, this.stories);
      }
      cached.points = points;
      cached.image = this.#image;
      bases.set(list, cached.compiler.compile(classification, steps));
    }
    return bases;
  }

  /** undefined = the number partitions are those of the image before. */
  #stepsTo({ l4, sourcePorts }: Classification): PartitionSteps | undefined {
    const before = this.#partitions;
    this.#partitions = { l4, sourcePorts };
    if (before === undefined) return undefined;
    const steps = {
      l4: new PartitionStep(before.l4, l4),
      sourcePorts: new PartitionStep(before.sourcePorts, sourcePorts),
    };
    return steps.l4.isSame && steps.sourcePorts.isSame ? undefined : steps;
  }

  /** Interned last, of all that this image uses: what a restarted agent adopts. */
  #directory(): Pick<ImageRoot, 'directory' | 'directoryRegions'> {
    const regions = this.heap.regionsInUse();
    const words = new Uint32Array(2 * regions.length);
    for (const [index, { offset, length }] of regions.entries()) words.set([offset, length], 2 * index);
    return { directory: this.heap.intern(words), directoryRegions: regions.length };
  }

  #assignIds(desired: DesiredState): Map<string, number> {
    this.#endpointIds.beginRound();
    const ids = new Map<string, number>();
    for (const key of [...desired.endpoints.keys()].sort()) ids.set(key, this.#endpointIds.idOf(key));
    return ids;
  }
}
