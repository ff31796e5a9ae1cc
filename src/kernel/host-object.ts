// Loads the programs at netfilter's hooks: they share policy, flows and reports with those of the workloads.
import { HeapDims } from '../abi/heap.gen.ts';
import { HostDims } from '../abi/host.gen.ts';
import { flowTableShape } from './flow-table.ts';
import type { BpfObject, MapOptions } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import type { MapSizes } from './object.ts';
import type { Pins } from './pins.ts';
import { wordArray } from './word-array.ts';

/** Interfaces that lists can be told apart for; a power of two. */
export const DEFAULT_HOST_SLOTS = 8192;

/** What both objects use: whoever is loaded second finds the pins of the first. */
export const SHARED_WITH_WORKLOADS = [
  'tt_heap',
  'tt_v6_nodes',
  'tt_state',
  'tt_events',
  'tt_captures',
  'tt_capture_set',
  'tt_capture_cpus',
  'tt_flows',
  'tt_flow_locks',
  'tt_fragments',
  'tt_flow_cache',
  'tt_counters',
] as const;

/** Whether the kernel has programs at netfilter's hooks, and the types that they read structs of its own by. */
export function canHostPolicy(): boolean {
  const { netfilterPrograms, btf } = loadNative().probeFeatures();
  return netfilterPrograms && btf;
}

/**
 * After the object of the workloads, with the same sizes and pins; pins undefined = on its own, for questions. `constants` are
 * further 32-bit variables of the object's read-only data, by C name. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH.
 */
export function loadHostObject(
  sizes: MapSizes,
  pins: Pins | undefined,
  slots = DEFAULT_HOST_SLOTS,
  constants: Readonly<Record<string, number>> = {},
): BpfObject {
  const path = builtFile('build/bpf/host.bpf.o');
  const { BpfObject: Native, probeFeatures } = loadNative();
  const flows = flowTableShape(sizes.flows);
  const heap = wordArray(Math.ceil(sizes.heapWords / HeapDims.HEAP_BLOCK_WORDS));
  const { possibleCpus } = probeFeatures();
  const packets = packetRoom(possibleCpus);
  const maxEntries: Record<string, number> = {
    tt_v6_nodes: sizes.v6Nodes,
    tt_flow_cache: sizes.flowCache * possibleCpus,
    tt_flows: flows.regions,
    tt_flow_locks: flows.regions,
    tt_fragments: sizes.fragments,
    tt_events: sizes.eventBytes,
  };
  const maps: Record<string, MapOptions> = {
    tt_host_ifaces: { maxEntries: slots + 1, pinPath: pins?.map('tt_host_ifaces') },
    tt_packets: { maxEntries: packets },
  };
  for (const map of SHARED_WITH_WORKLOADS) {
    const shape = map === 'tt_heap' ? heap.map : { maxEntries: maxEntries[map] };
    maps[map] = { ...shape, pinPath: pins?.map(map) };
  }
  const numbers = {
    tt_is_flat: Number(heap.isFlat),
    tt_heap_words: heap.words,
    tt_cache_slots: sizes.flowCache,
    tt_flow_regions: flows.regions,
    tt_flow_room: flows.room,
    tt_host_slots: slots,
    tt_packet_room: packets,
    ...constants,
  };
  const rodata = Object.fromEntries(Object.entries(numbers).map(([variable, value]) => [variable, u32(value)]));
  return translateErrors('load object', path, () => Native.open(path, { maps, rodata }));
}

/** A power of two, so that the number of any CPU has places: numbers may have gaps. */
export function packetRoom(cpus: number): number {
  return 2 ** Math.ceil(Math.log2(cpus * HostDims.PACKETS));
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
