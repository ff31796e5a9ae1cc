// The tables of the host's policy as the guard's program shares them: found by their pins, in whatever size they were made. The
// program reads them only; who writes them is image-writer.ts and host-interfaces.ts.
import { Counter, Reason } from '../abi/event.gen.ts';
import { HeapBlock, HeapDims, State } from '../abi/heap.gen.ts';
import { HostDims, HostFlags, HostInterface, HostLists } from '../abi/host.gen.ts';
import type { BpfMap, MapOptions } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import type { Pins } from './pins.ts';

const SHARED = ['tt_heap', 'tt_v6_nodes', 'tt_state', 'tt_host_ifaces', 'tt_counters', 'tt_events'] as const;
type SharedName = (typeof SHARED)[number];

const ROW_WORDS = HostInterface.SIZE / 4;
const LISTS_WORD = HostInterface.OFFSET.lists / 4;
const LISTS_WORDS = HostLists.SIZE / 4;
const ACTIVE = State.OFFSET.active / 4;

/** What an object is loaded with to ask no lists: maps of the least size, which nobody reads. */
export const WITHOUT_POLICY: GuardMaps = {
  maps: {
    tt_heap: { maxEntries: 1 },
    tt_v6_nodes: { maxEntries: 1 },
    tt_host_ifaces: { maxEntries: 1 },
    tt_events: { maxEntries: 4096 },
  },
  constants: { tt_guard_has_lists: 0 },
};

export interface GuardMaps {
  readonly maps: Readonly<Record<string, MapOptions>>;
  readonly constants: Readonly<Record<string, number>>;
}

export class GuardPolicy {
  readonly #maps: ReadonlyMap<SharedName, BpfMap>;
  /** With what an object is loaded that asks these lists. */
  readonly guardMaps: GuardMaps;
  readonly #rows: Uint32Array;
  readonly #state: Uint32Array;
  readonly #slots: number;

  private constructor(maps: ReadonlyMap<SharedName, BpfMap>, pins: Pins) {
    this.#maps = maps;
    const mapOf = (name: SharedName): BpfMap => maps.get(name) as BpfMap;
    this.#rows = new Uint32Array(mapOf('tt_host_ifaces').mmap());
    this.#state = new Uint32Array(mapOf('tt_state').mmap());
    this.#slots = mapOf('tt_host_ifaces').info.maxEntries - 1;
    const heap = mapOf('tt_heap').info;
    this.guardMaps = {
      maps: Object.fromEntries(
        [...maps].map(([name, { info }]) => {
          const size = name === 'tt_heap' ? { valueSize: info.valueSize } : {};
          return [name, { maxEntries: info.maxEntries, ...size, pinPath: pins.map(name) }];
        }),
      ),
      constants: {
        tt_guard_has_lists: 1,
        tt_is_flat: Number(heap.valueSize > HeapBlock.SIZE),
        tt_heap_words: ((heap.maxEntries * heap.valueSize) / HeapBlock.SIZE) * HeapDims.HEAP_BLOCK_WORDS,
        tt_host_slots: this.#slots,
      },
    };
  }

  /** undefined = no policy of the host is in the kernel. Throws PERMISSION and KERNEL. */
  static open(pins: Pins): GuardPolicy | undefined {
    const maps = new Map<SharedName, BpfMap>();
    for (const name of SHARED) {
      const map = openIfThere(pins.map(name));
      if (map === undefined) break;
      maps.set(name, map);
    }
    if (maps.size === SHARED.length && isOfThisBuild(maps)) return new GuardPolicy(maps, pins);
    for (const map of maps.values()) map.close();
    return undefined;
  }

  /** Tells one set of tables from another that came in its place; undefined = there is none. Throws PERMISSION and KERNEL. */
  static idAt(pins: Pins): number | undefined {
    const map = openIfThere(pins.map('tt_host_ifaces'));
    const id = map?.info.id;
    map?.close();
    return id;
  }

  get id(): number {
    return (this.#maps.get('tt_host_ifaces') as BpfMap).info.id;
  }

  /** Whether packets that come in there are asked an untracked list, by the policy in force. */
  hasUntracked(ifindex: number): boolean {
    const root = (this.#state[ACTIVE] as number) & 1;
    let row = this.#slots;
    for (let probe = HostDims.PROBES - 1; probe >= 0; probe -= 1) {
      const slot = (ifindex + probe) & (this.#slots - 1);
      if (this.#rows[slot * ROW_WORDS] === ifindex) row = slot;
    }
    const flags = this.#rows[row * ROW_WORDS + LISTS_WORD + root * LISTS_WORDS] as number;
    return (flags & (HostFlags.UNTRACKED | HostFlags.WORKLOAD)) === HostFlags.UNTRACKED;
  }

  /** Objects that were loaded with these maps go on. */
  close(): void {
    for (const map of this.#maps.values()) map.close();
  }
}

/** Tables of another build are nobody's to read; an agent that takes over makes its own. */
function isOfThisBuild(maps: ReadonlyMap<SharedName, BpfMap>): boolean {
  return (
    maps.get('tt_host_ifaces')?.info.valueSize === HostInterface.SIZE &&
    maps.get('tt_state')?.info.valueSize === State.SIZE &&
    maps.get('tt_counters')?.info.valueSize === Counter.SIZE &&
    (maps.get('tt_counters')?.info.maxEntries ?? 0) >= Reason.COUNT
  );
}

function openIfThere(path: string): BpfMap | undefined {
  try {
    return translateErrors('open map', path, () => loadNative().BpfMap.openPinned(path));
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}
