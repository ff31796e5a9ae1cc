// The real programs over hand-made tables: run one packet, see verdict, reason, events, flows. Nothing is pinned or attached.
import type { BpfMap, BpfObject, BpfProgram, MapOptions, RingBuffer, TestRunResult } from '../../../native/index.d.ts';
import {
  Endpoint,
  EndpointFlags,
  encodeEndpoint,
  encodeLocal,
  encodeSourceKey,
  Local,
  SourceKey,
} from '../../../src/abi/endpoint.gen.ts';
import {
  type ClockReading,
  Counter,
  decodeClockReading,
  decodeCounter,
  decodeEvent,
  type Event,
  Reason,
} from '../../../src/abi/event.gen.ts';
import { CachedFlow, decodeCachedFlow, type Flow } from '../../../src/abi/flow.gen.ts';
import { encodeState, HeapDims, State } from '../../../src/abi/heap.gen.ts';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { macBytes } from '../../support/packets/ethernet.ts';
import { emptyEndpoint, mapped, u32, viewOf, wordsOf } from './encoding.ts';
import { FlowMemory, type StoredFlow } from './flow-memory.ts';
import { runFromSomewhere } from './kernel-too-old.ts';
import { stayOnOneCpu } from './one-cpu.ts';
import { IMAGE_WORDS, type TinyPolicy, TinyTables, V6_NODES, type WrittenRoot } from './tables.ts';

/** Test runs happen on the loopback interface, number 1. */
const RUN_IFINDEX = 1;
const UPLINK_IFINDEX = 1;
/** Where an interface is looked for first: its number modulo this. */
export const ENDPOINT_SLOTS = 64;
const CACHE_SLOTS = 256;
/** struct __sk_buff of Linux 5.10. */
const SK_BUFF = { SIZE: 192, INGRESS_IFINDEX: 36, GSO_SIZE: 176 } as const;
const TC_ACTION = { 0: 'ok', 2: 'shot', 7: 'redirect' } as const;

export interface Workload {
  readonly id: number;
  readonly ifindex: number;
  readonly v4?: string;
  readonly v6?: string;
  readonly mac: string;
  readonly hostMac: string;
  readonly mtu?: number;
  readonly flags?: number;
  /** Addresses besides v4 and v6. */
  readonly moreAddresses?: readonly string[];
  /** Prefixes it may send from. */
  readonly sources?: readonly { readonly address: string; readonly length: number }[];
}

export type Hook = 'from' | 'to';

export interface RunOptions {
  /** 0 = the host sent it. */
  readonly ingressIfindex?: number;
  readonly gsoSize?: number;
  readonly repeat?: number;
}

export interface Outcome {
  readonly action: 'ok' | 'shot' | 'redirect';
  /** The one reason whose counter moved, lost and suppressed events aside. */
  readonly reason: string;
  readonly events: readonly Event[];
  readonly data: Uint8Array;
}

export interface Settings {
  readonly flags?: number;
  readonly hz?: number;
  readonly eventBudget?: number;
  readonly eventBytes?: number;
  /** Room in the flow table: a power of two, at most 8192. */
  readonly flows?: number;
  /** Directory of a bpffs where maps are pinned, for other objects to share. */
  readonly pins?: string;
}

stayOnOneCpu();

/** Slow enough that no flow ages during a test, unless the test says so. */
const HZ = 1_000_000;
const FLOW_SEED = 0x0123_4567_89ab_cdefn;

export class Machine {
  readonly #object: BpfObject;
  readonly #maps = new Map<string, BpfMap>();
  /** Each is a descriptor of its own until it is collected: there may be many runs before that. */
  readonly #programs = new Map<string, BpfProgram>();
  readonly #ring: RingBuffer;
  readonly #heap: Uint32Array;
  readonly #nodes: DataView;
  readonly #state: DataView;
  readonly #endpoints: DataView;
  readonly #cache: DataView;
  readonly #flows: FlowMemory;
  readonly #workloads: readonly Workload[];
  readonly #settings: Settings;
  readonly #roots: WrittenRoot[] = [];
  #active = 1;
  #here: Workload | undefined;

  constructor(workloads: readonly Workload[], settings: Settings = {}) {
    const { BpfObject: Native, RingBuffer: Ring, probeFeatures } = loadNative();
    this.#workloads = workloads;
    this.#settings = settings;
    const room = settings.flows ?? 1024;
    const maps = {
      tt_heap: { maxEntries: (2 * IMAGE_WORDS) / HeapDims.HEAP_BLOCK_WORDS },
      tt_v6_nodes: { maxEntries: 2 * V6_NODES },
      tt_endpoints: { maxEntries: ENDPOINT_SLOTS },
      tt_flows: { maxEntries: 1 },
      tt_flow_locks: { maxEntries: 1 },
      tt_flow_cache: { maxEntries: CACHE_SLOTS * probeFeatures().possibleCpus },
      tt_events: { maxEntries: settings.eventBytes ?? 65536 },
    };
    const rodata = {
      tt_endpoint_slots: u32(ENDPOINT_SLOTS),
      tt_cache_slots: u32(CACHE_SLOTS),
      tt_flow_regions: u32(1),
      tt_flow_room: u32(room),
    };
    this.#object = Native.open(builtFile('build/bpf/workload.bpf.o'), { maps: withPins(maps, settings.pins), rodata });
    this.#ring = Ring.open(this.map('tt_events'));
    this.#heap = new Uint32Array(this.map('tt_heap').mmap());
    this.#nodes = new DataView(this.map('tt_v6_nodes').mmap());
    this.#state = new DataView(this.map('tt_state').mmap());
    this.#endpoints = new DataView(this.map('tt_endpoints').mmap());
    this.#cache = new DataView(this.map('tt_flow_cache').mmap());
    this.#flows = new FlowMemory(this.map('tt_flows'), room);
    for (const workload of workloads) this.#place(workload);
  }

  close(): void {
    this.#ring.close();
    this.#object.close();
  }

  map(name: string): BpfMap {
    const map = this.#maps.get(name) ?? this.#object.map(name);
    this.#maps.set(name, map);
    return map;
  }

  /** Puts a policy in force, as the dataplane does: into the root that is not active, then one store. */
  publish(policy: TinyPolicy, flags = this.#settings.flags ?? 0): void {
    const next = 1 - this.#active;
    const tables = new TinyTables(
      this.#heap,
      this.#nodes,
      next * IMAGE_WORDS + HeapDims.HEAP_BLOCK_WORDS,
      next * V6_NODES,
    );
    this.#roots[next] = tables.write(policy);
    const root = [this.#roots[0] ?? this.#roots[next], this.#roots[1] ?? this.#roots[next]] as WrittenRoot[];
    const { hz = HZ, eventBudget = 0 } = this.#settings;
    const stamp = this.stamp() + 1;
    encodeState(this.#state, 0, {
      active: next,
      flags,
      hz,
      event_budget: eventBudget,
      stamp,
      flow_seed: FLOW_SEED,
      root,
    });
    this.#active = next;
  }

  /** The following runs are at this workload's interface. */
  at(id: number): this {
    const workload = this.#workloads.find((candidate) => candidate.id === id);
    if (workload === undefined) throw new RangeError(`no workload ${id}`);
    if (this.#here?.id !== id) this.#write(RUN_IFINDEX, { ...workload, ifindex: RUN_IFINDEX });
    this.#here = workload;
    return this;
  }

  /** The following runs are at an interface that no endpoint has. */
  atNobody(): this {
    encodeEndpoint(this.#endpoints, RUN_IFINDEX * Endpoint.SIZE, emptyEndpoint());
    this.#forgetCached();
    this.#here = undefined;
    return this;
  }

  from(data: Uint8Array, options: RunOptions = {}): Outcome {
    return this.#run('from', data, options);
  }

  to(data: Uint8Array, options: RunOptions = {}): Outcome {
    return this.#run('to', data, { ingressIfindex: UPLINK_IFINDEX, ...options });
  }

  /** Changes an endpoint's entry; undefined removes it. */
  change(id: number, fields: Partial<Workload>): void {
    const workload = this.#workloads.find((candidate) => candidate.id === id) as Workload;
    this.#write(workload.ifindex, { ...workload, ...fields });
    if (this.#here?.id === id) this.#write(RUN_IFINDEX, { ...workload, ...fields, ifindex: RUN_IFINDEX });
  }

  /** Adds or removes an address of the endpoint without touching anything else. */
  setAddress(address: string, id: number | undefined): void {
    const key = mapped(address);
    this.#forgetCached();
    if (id === undefined) {
      this.map('tt_addresses').delete(key);
      return;
    }
    const workload = this.#workloads.find((candidate) => candidate.id === id) as Workload;
    const value = new Uint8Array(Local.SIZE);
    encodeLocal(new DataView(value.buffer), 0, { slot: workload.ifindex % ENDPOINT_SLOTS, id });
    this.map('tt_addresses').update(key, value, 0);
  }

  /** The workload's own addresses lead to the interface that the runs are at. */
  aliasHere(): void {
    const { id, v4, v6 } = this.#here as Workload;
    const value = new Uint8Array(Local.SIZE);
    encodeLocal(new DataView(value.buffer), 0, { slot: RUN_IFINDEX, id });
    for (const address of [v4, v6])
      if (address !== undefined) this.map('tt_addresses').update(mapped(address), value, 0);
  }

  counter(reason: number): { readonly packets: bigint; readonly bytes: bigint } {
    const value = this.map('tt_counters').lookup(u32(reason)) as Uint8Array;
    const view = viewOf(value);
    let packets = 0n;
    let bytes = 0n;
    for (let at = 0; at < value.length; at += Counter.SIZE) {
      const counter = decodeCounter(view, at);
      packets += counter.packets;
      bytes += counter.bytes;
    }
    return { packets, bytes };
  }

  /** Those that have not ended, in no order. */
  flows(): StoredFlow[] {
    return this.#flows.live(this.clock().jiffies);
  }

  clearFlowTable(): void {
    this.#flows.clear();
  }

  /** Empties the flow table and the flow cache. */
  forgetFlows(): void {
    this.clearFlowTable();
    new Uint8Array(this.#cache.buffer).fill(0);
  }

  onlyFlow(): Flow {
    const flows = this.flows();
    if (flows.length !== 1) throw new Error(`expected one flow, found ${flows.length}`);
    return (flows[0] as StoredFlow).flow;
  }

  /** Makes every flow look that much older: when it was opened, last seen, when it ends, and last cached. */
  ageFlows(seconds: number): void {
    this.ageCache(seconds);
    this.#flows.age(BigInt(seconds * (this.#settings.hz ?? HZ)));
  }

  cached(): CachedFlow[] {
    return this.#usedSlots().map((at) => decodeCachedFlow(this.#cache, at));
  }

  /** Which slots of a CPU are in use. */
  cachePlaces(): number[] {
    return this.#usedSlots().map((at) => (at / CachedFlow.SIZE) % CACHE_SLOTS);
  }

  /** Makes every cache slot look as if the flow table had not heard of it for that long. */
  ageCache(seconds: number): void {
    const age = BigInt(seconds * (this.#settings.hz ?? HZ));
    for (let at = 0; at < this.#cache.byteLength; at += CachedFlow.SIZE) {
      const place = at + CachedFlow.OFFSET.synced_jiffies;
      this.#cache.setBigUint64(place, this.#cache.getBigUint64(place, true) - age, true);
    }
  }

  clock(): ClockReading {
    this.#program('tt_clock').testRun({ data: new Uint8Array(64) });
    return decodeClockReading(viewOf(this.map('tt_clocks').lookup(u32(0)) as Uint8Array), 0);
  }

  drainEvents(): Event[] {
    const chunk = this.#ring.drain();
    const view = viewOf(chunk);
    const events: Event[] = [];
    for (let at = 0; at < chunk.byteLength; ) {
      events.push(decodeEvent(view, at + 4));
      at += 4 + Math.ceil(view.getUint32(at, true) / 8) * 8;
    }
    return events;
  }

  #program(name: string): BpfProgram {
    const program = this.#programs.get(name) ?? this.#object.program(name);
    this.#programs.set(name, program);
    return program;
  }

  /** Byte offsets. */
  #usedSlots(): number[] {
    const used: number[] = [];
    for (let at = 0; at < this.#cache.byteLength; at += CachedFlow.SIZE) {
      if (this.#cache.getUint32(at + CachedFlow.OFFSET.ifindex, true) !== 0) used.push(at);
    }
    return used;
  }

  /** Runs something that judges one packet: the reason whose counter moved, and the events. */
  observe(run: () => void): { readonly reason: string; readonly events: readonly Event[] } {
    const before = this.#reasons();
    run();
    const moved = this.#reasons().flatMap((count, reason) =>
      count === before[reason] ? [] : [NAMES[reason] ?? String(reason)],
    );
    return { reason: moved.join(' '), events: this.drainEvents() };
  }

  #run(
    hook: Hook,
    data: Uint8Array,
    { ingressIfindex = UPLINK_IFINDEX, gsoSize = 0, repeat = 1 }: RunOptions,
  ): Outcome {
    const context = new Uint8Array(SK_BUFF.SIZE);
    const origin = hook === 'to' ? ingressIfindex : 0;
    viewOf(context).setUint32(SK_BUFF.INGRESS_IFINDEX, origin, true);
    viewOf(context).setUint32(SK_BUFF.GSO_SIZE, gsoSize, true);
    const program = this.#program(hook === 'from' ? 'tt_from_work' : 'tt_to_work');
    const request = { data, context, repeat };
    let result: TestRunResult | undefined;
    const observed = this.observe(() => {
      result = origin === 0 ? program.testRun(request) : runFromSomewhere(program, request);
    });
    const { returnValue, data: left } = result as TestRunResult;
    return { action: TC_ACTION[returnValue as keyof typeof TC_ACTION], ...observed, data: left };
  }

  /** What the flow cache's slots have to bear to be believed. */
  stamp(): number {
    return this.#state.getUint32(State.OFFSET.stamp, true);
  }

  /** As the dataplane does after each change of what packets are checked by. */
  #forgetCached(): void {
    this.#state.setUint32(State.OFFSET.stamp, this.stamp() + 1, true);
  }

  /** Packets by reason. All in one go: it is asked twice for each packet. */
  #reasons(): bigint[] {
    const { values, count } = this.map('tt_counters').entries();
    const view = viewOf(values);
    const bytes = values.length / count;
    return Array.from({ length: count }, (_, reason) => {
      if (NO_VERDICTS.has(reason)) return 0n;
      let packets = 0n;
      for (let at = reason * bytes; at < (reason + 1) * bytes; at += Counter.SIZE) {
        packets += view.getBigUint64(at + Counter.OFFSET.packets, true);
      }
      return packets;
    });
  }

  #place(workload: Workload): void {
    this.#write(workload.ifindex, workload);
    const { id, v4, v6, moreAddresses = [], sources = [] } = workload;
    for (const address of [v4, v6, ...moreAddresses]) if (address !== undefined) this.setAddress(address, id);
    for (const { address, length } of sources) {
      const key = new Uint8Array(SourceKey.SIZE);
      const bits = 32 + length + (address.includes(':') ? 0 : 96);
      encodeSourceKey(new DataView(key.buffer), 0, { prefix_length: bits, endpoint_id: id, address: wordsOf(address) });
      this.map('tt_sources').update(key, u32(1), 0);
    }
  }

  #write(ifindex: number, { id, v4, v6, mac, hostMac, mtu = 1500, flags = EndpointFlags.READY }: Workload): void {
    encodeEndpoint(this.#endpoints, (ifindex % ENDPOINT_SLOTS) * Endpoint.SIZE, {
      ifindex,
      flags,
      id,
      mtu,
      mac: macBytes(mac),
      host_mac: macBytes(hostMac),
      v4: v4 === undefined ? { word: [0, 0, 0, 0] } : wordsOf(v4),
      v6: v6 === undefined ? { word: [0, 0, 0, 0] } : wordsOf(v6),
    });
    this.#forgetCached();
  }
}

/** Counters that say nothing of a packet's way. */
const NO_VERDICTS: ReadonlySet<number> = new Set([Reason.EVENT_LOST, Reason.EVENT_SUPPRESSED, Reason.FLOW_EVICTED]);

/** The maps that all objects have in common, pinned: who comes second finds them. */
export const SHARED_MAPS = [
  'tt_heap',
  'tt_v6_nodes',
  'tt_state',
  'tt_flows',
  'tt_flow_locks',
  'tt_fragments',
  'tt_flow_cache',
  'tt_counters',
  'tt_events',
] as const;

/** Options of maps, and the pins of those that are shared. */
export function withPins(
  maps: Readonly<Record<string, MapOptions>>,
  pins: string | undefined,
): Record<string, MapOptions> {
  if (pins === undefined) return maps;
  const shared = SHARED_MAPS.map((name) => [name, { ...maps[name], pinPath: `${pins}/${name}` }] as const);
  return { ...maps, ...Object.fromEntries(shared) };
}

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Reason).map(([name, value]) => [value, name]),
);
