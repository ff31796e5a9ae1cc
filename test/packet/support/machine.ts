// The real programs over hand-made tables: run one packet, see verdict, reason, events, flows. Nothing is pinned or attached.
import type { BpfMap, BpfObject, BpfProgram, RingBuffer, TestRunResult } from '../../../native/index.d.ts';
import { type ClockReading, decodeClockReading, decodeEvent, type Event } from '../../../src/abi/event.gen.ts';
import type { CachedFlow, Flow } from '../../../src/abi/flow.gen.ts';
import { encodeState, HeapDims, State } from '../../../src/abi/heap.gen.ts';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { CacheMemory } from './cache-memory.ts';
import { u32, viewOf } from './encoding.ts';
import { ENDPOINT_SLOTS, EndpointMemory } from './endpoint-memory.ts';
import { FlowMemory, type StoredFlow } from './flow-memory.ts';
import { runFromSomewhere } from './kernel-too-old.ts';
import { stayOnOneCpu } from './one-cpu.ts';
import { ReasonCounters } from './reason-counters.ts';
import { withPins } from './shared-maps.ts';
import { IMAGE_WORDS, type TinyPolicy, TinyTables, V6_NODES, type WrittenRoot } from './tables.ts';
import type { Workload } from './workload.ts';

/** Test runs happen on the loopback interface, number 1. */
const RUN_IFINDEX = 1;
const UPLINK_IFINDEX = 1;
const CACHE_SLOTS = 256;
/** struct __sk_buff of Linux 5.10. */
const SK_BUFF = { SIZE: 192, MARK: 8, INGRESS_IFINDEX: 36, GSO_SIZE: 176 } as const;
const TC_ACTION = { 0: 'ok', 2: 'shot', 7: 'redirect' } as const;

export type Hook = 'from' | 'to';

export interface RunOptions {
  /** 0 = the host sent it. */
  readonly ingressIfindex?: number;
  readonly gsoSize?: number;
  readonly mark?: number;
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
const RESET_MARK = 0x89ab_cdef;

export class Machine {
  readonly #object: BpfObject;
  readonly #maps = new Map<string, BpfMap>();
  /** Each is a descriptor of its own until it is collected: there may be many runs before that. */
  readonly #programs = new Map<string, BpfProgram>();
  readonly #ring: RingBuffer;
  readonly #heap: Uint32Array;
  readonly #nodes: DataView;
  readonly #state: DataView;
  readonly #endpoints: EndpointMemory;
  readonly #cache: CacheMemory;
  readonly #flows: FlowMemory;
  readonly #counters: ReasonCounters;
  readonly #workloads: readonly Workload[];
  readonly #settings: Settings;
  readonly #roots: WrittenRoot[] = [];
  /** What the last run sent, as the ring buffer has it: counts of flows are no events of a packet. */
  lastChunk: Uint8Array = new Uint8Array();
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
    this.#endpoints = new EndpointMemory({
      endpoints: this.map('tt_endpoints'),
      addresses: this.map('tt_addresses'),
      sources: this.map('tt_sources'),
    });
    this.#cache = new CacheMemory(this.map('tt_flow_cache'), CACHE_SLOTS);
    this.#flows = new FlowMemory(this.map('tt_flows'), room);
    this.#counters = new ReasonCounters(this.map('tt_counters'));
    for (const workload of workloads) this.#endpoints.place(workload);
    this.#forgetCached();
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
      reset_mark: RESET_MARK,
      flow_seed: FLOW_SEED,
      root,
    });
    this.#active = next;
  }

  /** The following runs are at this workload's interface. */
  at(id: number): this {
    const workload = this.#workload(id);
    if (this.#here?.id !== id) this.#write({ ...workload, ifindex: RUN_IFINDEX });
    this.#here = workload;
    return this;
  }

  /** The following runs are at an interface that no endpoint has. */
  atNobody(): this {
    this.#endpoints.erase(RUN_IFINDEX);
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

  /** Changes an endpoint's entry. */
  change(id: number, fields: Partial<Workload>): void {
    const workload = { ...this.#workload(id), ...fields };
    this.#write(workload);
    if (this.#here?.id === id) this.#write({ ...workload, ifindex: RUN_IFINDEX });
  }

  /** Adds or removes an address of the endpoint without touching anything else. */
  setAddress(address: string, id: number | undefined): void {
    this.#forgetCached();
    this.#endpoints.setAddress(address, id === undefined ? undefined : this.#workload(id));
  }

  /** The workload's own addresses lead to the interface that the runs are at. */
  aliasHere(): void {
    const { id, v4, v6 } = this.#here as Workload;
    for (const address of [v4, v6])
      if (address !== undefined) this.#endpoints.setAddress(address, { id, ifindex: RUN_IFINDEX });
  }

  counter(reason: number): { readonly packets: bigint; readonly bytes: bigint } {
    return this.#counters.of(reason);
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
    this.#cache.clear();
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
    return this.#cache.flows();
  }

  /** Which slots of a CPU are in use. */
  cachePlaces(): number[] {
    return this.#cache.places();
  }

  /** Makes every cache slot look as if the flow table had not heard of it for that long. */
  ageCache(seconds: number): void {
    this.#cache.age(BigInt(seconds * (this.#settings.hz ?? HZ)));
  }

  clock(): ClockReading {
    this.#program('tt_clock').testRun({ data: new Uint8Array(64) });
    return decodeClockReading(viewOf(this.map('tt_clocks').lookup(u32(0)) as Uint8Array), 0);
  }

  drainEvents(): Event[] {
    const chunk = this.#ring.drain();
    this.lastChunk = chunk;
    const view = viewOf(chunk);
    const events: Event[] = [];
    for (let at = 0; at < chunk.byteLength; ) {
      events.push(decodeEvent(view, at + 4));
      at += 4 + Math.ceil(view.getUint32(at, true) / 8) * 8;
    }
    return events;
  }

  /** Runs something that judges one packet: the reason whose counter moved, and the events. */
  observe(run: () => void): { readonly reason: string; readonly events: readonly Event[] } {
    const reason = this.#counters.movedBy(run);
    return { reason, events: this.drainEvents() };
  }

  /** What the flow cache's slots have to bear to be believed. */
  stamp(): number {
    return this.#state.getUint32(State.OFFSET.stamp, true);
  }

  #program(name: string): BpfProgram {
    const program = this.#programs.get(name) ?? this.#object.program(name);
    this.#programs.set(name, program);
    return program;
  }

  #run(
    hook: Hook,
    data: Uint8Array,
    { ingressIfindex = UPLINK_IFINDEX, gsoSize = 0, mark = 0, repeat = 1 }: RunOptions,
  ): Outcome {
    const context = new Uint8Array(SK_BUFF.SIZE);
    const origin = hook === 'to' ? ingressIfindex : 0;
    viewOf(context).setUint32(SK_BUFF.INGRESS_IFINDEX, origin, true);
    viewOf(context).setUint32(SK_BUFF.GSO_SIZE, gsoSize, true);
    viewOf(context).setUint32(SK_BUFF.MARK, mark, true);
    const program = this.#program(hook === 'from' ? 'tt_from_work' : 'tt_to_work');
    const request = { data, context, repeat };
    let result: TestRunResult | undefined;
    const observed = this.observe(() => {
      result = origin === 0 ? program.testRun(request) : runFromSomewhere(program, request);
    });
    const { returnValue, data: left } = result as TestRunResult;
    return { action: TC_ACTION[returnValue as keyof typeof TC_ACTION], ...observed, data: left };
  }

  #workload(id: number): Workload {
    const workload = this.#workloads.find((candidate) => candidate.id === id);
    if (workload === undefined) throw new RangeError(`no workload ${id}`);
    return workload;
  }

  #write(workload: Workload): void {
    this.#endpoints.write(workload);
    this.#forgetCached();
  }

  /** As the dataplane does after each change of what packets are checked by. */
  #forgetCached(): void {
    this.#state.setUint32(State.OFFSET.stamp, this.stamp() + 1, true);
  }
}
