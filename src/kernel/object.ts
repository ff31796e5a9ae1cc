// Loads the prebuilt workload object: map sizes, pins, the constants that follow from them.

import { HeapDims } from '../abi/heap.gen.ts';
import { DEFAULT_TABLE_SIZES, type TableSizes } from '../tables/compiler.ts';
import { flowTableShape } from './flow-table.ts';
import type { BpfMap, BpfObject, MapOptions } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import { LIVE_MAPS, type Pins } from './pins.ts';
import { wordArray } from './word-array.ts';

export interface MapSizes extends TableSizes {
  /** Interfaces; a power of two. */
  readonly endpoints: number;
  /** Room in the flow table; rounded up to a power of two. */
  readonly flows: number;
  readonly fragments: number;
  /** Slots for each CPU; a power of two. */
  readonly flowCache: number;
  readonly eventBytes: number;
}

export const DEFAULT_MAP_SIZES: MapSizes = {
  ...DEFAULT_TABLE_SIZES,
  endpoints: 4096,
  flows: 262144,
  fragments: 8192,
  flowCache: 4096,
  eventBytes: 4 * 1024 * 1024,
};

/** Maps that outlive the agent, but for the bridge's. The rest is scratch. */
export const PINNED = [
  'tt_heap',
  'tt_v6_nodes',
  'tt_state',
  'tt_endpoints',
  'tt_addresses',
  'tt_sources',
  'tt_events',
  'tt_captures',
  'tt_capture_set',
  'tt_capture_cpus',
  ...LIVE_MAPS,
] as const;

/**
 * pins undefined = nothing is pinned: for questions, tests and benchmarks. `constants` are further 32-bit variables of
 * the object's read-only data, by C name; `others` are maps that only this object has.
 */
export function loadObject(
  name: string,
  sizes: MapSizes,
  pins: Pins | undefined,
  constants: Readonly<Record<string, number>> = {},
  others: Readonly<Record<string, MapOptions>> = {},
): BpfObject {
  const path = builtFile(`build/bpf/${name}.bpf.o`);
  const { BpfObject: Native, probeFeatures } = loadNative();
  const cpus = probeFeatures().possibleCpus;
  const flows = flowTableShape(sizes.flows);
  const heap = wordArray(Math.ceil(sizes.heapWords / HeapDims.HEAP_BLOCK_WORDS));
  const maxEntries: Record<string, number> = {
    tt_v6_nodes: sizes.v6Nodes,
    tt_endpoints: sizes.endpoints,
    tt_flow_cache: sizes.flowCache * cpus,
    tt_addresses: 2 * sizes.endpoints,
    tt_flows: flows.regions,
    tt_flow_locks: flows.regions,
    tt_fragments: sizes.fragments,
    tt_events: sizes.eventBytes,
  };
  const maps: Record<string, MapOptions> = { ...others };
  for (const map of PINNED) {
    const shape = map === 'tt_heap' ? heap.map : { maxEntries: maxEntries[map] };
    maps[map] = { ...shape, pinPath: pins?.map(map) };
  }
  const numbers = {
    tt_is_flat: Number(heap.isFlat),
    tt_heap_words: heap.words,
    tt_endpoint_slots: sizes.endpoints,
    tt_cache_slots: sizes.flowCache,
    tt_flow_regions: flows.regions,
    tt_flow_room: flows.room,
    ...constants,
  };
  const rodata = Object.fromEntries(Object.entries(numbers).map(([variable, value]) => [variable, u32(value)]));
  return translateErrors('load object', path, () => Native.open(path, { maps, rodata }));
}

/** The maps by role. */
export function mapsOf(
  object: BpfObject,
): Record<
  'heap' | 'v6Nodes' | 'state' | 'endpoints' | 'addresses' | 'sources' | 'flows' | 'counters' | 'events',
  BpfMap
> {
  return {
    heap: object.map('tt_heap'),
    v6Nodes: object.map('tt_v6_nodes'),
    state: object.map('tt_state'),
    endpoints: object.map('tt_endpoints'),
    addresses: object.map('tt_addresses'),
    sources: object.map('tt_sources'),
    flows: object.map('tt_flows'),
    counters: object.map('tt_counters'),
    events: object.map('tt_events'),
  };
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
