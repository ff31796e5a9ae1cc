// A dataplane that no interface knows of: the real programs and tables, loaded for questions, tests and benchmarks
// through BPF_PROG_TEST_RUN. Nothing is pinned or attached.

import { decodeEvent, type Event } from '../abi/event.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import { TableCompiler, type TableSizes } from '../tables/compiler.ts';
import type { TableImage } from '../tables/image.ts';
import { KernelClock } from './clock.ts';
import { type BoundEndpoint, EndpointWriter } from './endpoint-writer.ts';
import { FlowTable, type FlowTally, flowTableShape } from './flow-table.ts';
import { ImageWriter } from './image-writer.ts';
import type { BpfMap, BpfObject, BpfProgram, RingBuffer, TestRunResult } from './native.ts';
import { loadNative } from './native.ts';
import { DEFAULT_MAP_SIZES, loadObject, mapsOf } from './object.ts';

/** Test runs happen on the loopback interface, which is number 1 in every namespace. */
const RUN_IFINDEX = 1;
const FIRST_IFINDEX = 16;
/** Of struct __sk_buff on Linux 5.10, the oldest kernel: its size, and where ingress_ifindex is. */
const SK_BUFF_BYTES = 192;
const SK_BUFF_INGRESS_IFINDEX = 36;

export interface DetachedOptions {
  /** Name of the object under build/bpf. */
  readonly object: string;
  readonly sizes?: TableSizes;
  /** Room for endpoints: those of the first desired state unless given. */
  readonly endpoints?: number;
  readonly flows: number;
  /** Slots of the flow cache for each CPU. */
  readonly flowCache: number;
  readonly eventBytes: number;
  /** 32-bit variables of the object's read-only data, by C name. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Jiffies per second; only ageing of flows depends on it. */
  readonly hz?: number;
  /** The programs tell of flows that go. */
  readonly flowLogs?: boolean;
}

export class DetachedDataplane {
  readonly #object: BpfObject;
  readonly #clock: KernelClock;
  readonly #images: ImageWriter;
  readonly #endpoints: EndpointWriter;
  readonly #sizes: TableSizes;
  #compiler: TableCompiler;
  #image: TableImage;
  #bound = new Map<string, BoundEndpoint>();
  readonly #cache: Uint8Array;
  readonly #ring: RingBuffer;
  readonly #flows: FlowTable;
  /** Each handle is a descriptor of its own, which the object closes in the end: asked for once. */
  readonly #programs = new Map<string, BpfProgram>();

  /** Loads the programs and writes the desired state. Throws PERMISSION, PROGRAM_REJECTED, TABLE_FULL. */
  constructor(desired: DesiredState, options: DetachedOptions) {
    const { flows, flowCache, eventBytes, sizes = DEFAULT_MAP_SIZES, hz = 250, flowLogs } = options;
    const { endpoints = desired.endpoints.size } = options;
    const slots = 2 ** Math.ceil(Math.log2(2 * (endpoints + FIRST_IFINDEX)));
    const mapSizes = { ...sizes, endpoints: slots, flows, fragments: 64, flowCache, eventBytes };
    this.#object = loadObject(options.object, mapSizes, undefined, options.constants);
    this.#clock = KernelClock.of(this.#object);
    const maps = mapsOf(this.#object);
    this.#flows = new FlowTable(maps.flows, flowTableShape(flows).room);
    this.#cache = new Uint8Array(this.#object.map('tt_flow_cache').mmap());
    this.#ring = loadNative().RingBuffer.open(maps.events);
    this.#images = new ImageWriter(maps);
    this.#images.configure({ keepEstablished: false, eventBudget: 0, flowLogs, hz });
    this.#endpoints = new EndpointWriter(maps);
    this.#sizes = sizes;
    [this.#compiler, this.#image] = this.#put(desired);
  }

  get compiler(): TableCompiler {
    return this.#compiler;
  }

  /** The first of the desired state that was loaded last. */
  get image(): TableImage {
    return this.#image;
  }

  /**
   * Goes by this desired state alone, as a new dataplane would, which takes far longer: its programs have to be loaded.
   * Throws TABLE_FULL.
   */
  load(desired: DesiredState): void {
    [this.#compiler, this.#image] = this.#put(desired);
    this.forgetFlows();
  }

  /** Writes a further image beside those there are, and puts it in force. Its endpoints must be those of the first. */
  addImage(desired: DesiredState): TableImage {
    const image = this.compiler.compile(desired);
    this.#images.publish(image, this.compiler);
    return image;
  }

  /** Puts an image of this dataplane in force again. */
  switchTo(image: TableImage): void {
    this.#images.publish({ ...image, written: { heap: [], v6Nodes: [] } }, this.compiler);
  }

  /** Runs a program on the packet as if the interface of that endpoint had seen it. */
  run(program: string, endpointKey: string, packet: Uint8Array, repeat = 1): TestRunResult {
    this.#endpoints.alias(RUN_IFINDEX, this.#bound.get(endpointKey) as BoundEndpoint);
    this.#images.forgetCachedFlows();
    const context = new Uint8Array(SK_BUFF_BYTES);
    // Only a receiver's program asks where a packet came from, and Linux 5.10 refuses to be told.
    if (program === 'tt_to_work') new DataView(context.buffer).setUint32(SK_BUFF_INGRESS_IFINDEX, RUN_IFINDEX, true);
    return this.#program(program).testRun({ data: packet, context, repeat });
  }

  /** Events since the last call. */
  drainEvents(): Event[] {
    const chunk = this.#ring.drain();
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const events: Event[] = [];
    for (let at = 0; at < chunk.byteLength; ) {
      events.push(decodeEvent(view, at + 4));
      at += 4 + Math.ceil(view.getUint32(at, true) / 8) * 8;
    }
    return events;
  }

  /** A map of the programs, by C name; closed with the dataplane. */
  map(name: string): BpfMap {
    return this.#object.map(name);
  }

  /** Of the kernel. */
  get jiffies(): number {
    return Number(this.#clock.read().jiffies);
  }

  /** Flows that have not ended, by protocol and state. */
  flowCensus(): FlowTally[] {
    return this.#flows.census(this.#clock.read().jiffies);
  }

  /** Bytes of kernel memory that the flow table takes for each flow it has room for. */
  get bytesPerFlow(): number {
    const { valueSize, maxEntries } = this.#object.map('tt_flows').info;
    return (valueSize * maxEntries) / this.#flows.capacity;
  }

  /** After it every packet is a flow's first. */
  forgetFlows(): void {
    this.#flows.clear();
    this.#cache.fill(0);
  }

  close(): void {
    this.#ring.close();
    this.#clock.close();
    this.#object.close();
  }

  /** What was there is written over: no packet is under way. */
  #put(desired: DesiredState): [TableCompiler, TableImage] {
    const compiler = new TableCompiler(this.#sizes);
    const image = compiler.compile(desired);
    this.#bound = new Map([...desired.endpoints].map(([key, { endpoint }]) => [key, bind(key, endpoint, image)]));
    const bound = [...this.#bound.values()];
    // An entry that another replaces would keep its slot until after all are written.
    this.#endpoints.removeAllBut([]);
    this.#images.publish(image, compiler);
    this.#endpoints.writeAll(bound);
    for (const refused of this.#endpoints.refused.values()) throw refused;
    this.#endpoints.clearReplaced();
    return [compiler, image];
  }

  #program(name: string): BpfProgram {
    let program = this.#programs.get(name);
    if (program === undefined) {
      program = this.#object.program(name);
      this.#programs.set(name, program);
    }
    return program;
  }
}

/** Behind an interface of its own, which is not there. */
function bind(key: string, endpoint: WorkloadEndpoint, { endpointIds }: TableImage): BoundEndpoint {
  const id = endpointIds.get(key) as number;
  const { addresses, allowedSourcePrefixes } = endpoint;
  const place = { ifindex: FIRST_IFINDEX + id, hostMac: '', mac: '', peerDelivery: false, checkMac: false, mtu: 1500 };
  return { key, id, addresses, allowedSourcePrefixes, ...place };
}
