// The programs of the host's hooks and their tables, loaded for questions through BPF_PROG_TEST_RUN. Interfaces are made up, and so
// is what connection tracking would know: test runs have neither. Nothing is pinned or attached.
import { decodeEvent, type Event } from '../abi/event.gen.ts';
import { HostTest } from '../abi/host.gen.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { IpAddress } from '../model/address.ts';
import { TableCompiler, type TableSizes } from '../tables/compiler.ts';
import type { TableImage } from '../tables/image.ts';
import { mappedWords } from './endpoint-writer.ts';
import { FlowTable, flowTableShape } from './flow-table.ts';
import { HostInterfaces } from './host-interfaces.ts';
import { loadHostObject } from './host-object.ts';
import type { HostTable } from './host-table.ts';
import { ImageWriter, type RootNumber } from './image-writer.ts';
import type { BpfObject, BpfProgram, NetfilterHook, RingBuffer } from './native.ts';
import { loadNative } from './native.ts';
import { DEFAULT_MAP_SIZES } from './object.ts';

/** Programs, and numbers of hooks, of linux/netfilter.h. */
const HOOKS: Readonly<Record<NetfilterHook, { readonly program: string; readonly number: number }>> = {
  'local-in': { program: 'tt_to_host', number: 1 },
  forward: { program: 'tt_forward', number: 2 },
  'local-out': { program: 'tt_from_host', number: 3 },
};
const PROTOCOL_FAMILY: Readonly<Record<4 | 6, number>> = { 4: 2, 6: 10 };
/** struct nf_hook_state, of which a test run takes the first two bytes. */
const CONTEXT_BYTES = 48;
const ETHERNET_BYTES = 14;
const NF_ACCEPT = 1;
const SIZES = { endpoints: 16, flows: 512, fragments: 64, flowCache: 1, eventBytes: 65536 };
const INTERFACE_SLOTS = 1024;

/** A packet at a hook. */
export interface HostArrival {
  readonly hook: NetfilterHook;
  /** Interface numbers; 0 = none. */
  readonly in: number;
  readonly out: number;
  readonly family: 4 | 6;
  /** With an Ethernet header. */
  readonly frame: Uint8Array;
  /** Destination before translation; undefined = nothing was translated. */
  readonly original?: { readonly destination: IpAddress; readonly destinationPort: number };
}

export interface HostOutcome {
  readonly isAccepted: boolean;
  readonly events: readonly Event[];
}

export class DetachedHost {
  readonly #sizes: TableSizes;
  readonly #object: BpfObject;
  readonly #images: ImageWriter;
  readonly #interfaces: HostInterfaces;
  readonly #flows: FlowTable;
  readonly #ring: RingBuffer;
  readonly #test: DataView;
  readonly #programs: ReadonlyMap<NetfilterHook, BpfProgram>;
  #compiler: TableCompiler;

  /** Loads the programs. Throws PERMISSION, FEATURE_UNSUPPORTED, PROGRAM_REJECTED. */
  constructor(sizes: TableSizes = DEFAULT_MAP_SIZES) {
    this.#sizes = sizes;
    this.#object = loadHostObject({ ...sizes, ...SIZES }, undefined, INTERFACE_SLOTS, { tt_is_test: 1 });
    const map = (name: string) => this.#object.map(name);
    this.#images = new ImageWriter({ heap: map('tt_heap'), v6Nodes: map('tt_v6_nodes'), state: map('tt_state') });
    this.#images.configure({ keepEstablished: false, eventBudget: 0, hz: 250 });
    this.#interfaces = new HostInterfaces(new Uint32Array(map('tt_host_ifaces').mmap()), this.#images.activeRoot);
    this.#flows = new FlowTable(map('tt_flows'), flowTableShape(SIZES.flows).room);
    this.#ring = loadNative().RingBuffer.open(map('tt_events'));
    this.#test = new DataView(map('host.bss').mmap());
    const hooks = Object.entries(HOOKS) as [NetfilterHook, { program: string }][];
    this.#programs = new Map(hooks.map(([hook, { program }]) => [hook, this.#object.program(program)]));
    this.#compiler = new TableCompiler(sizes);
  }

  get compiler(): TableCompiler {
    return this.#compiler;
  }

  /** Goes by this desired state from here on, once a table is put in force too. Throws TABLE_FULL. */
  load(desired: DesiredState): TableImage {
    this.#compiler = new TableCompiler(this.#sizes);
    const image = this.#compiler.compile(desired);
    this.#images.write(image, this.#compiler);
    return image;
  }

  /** Image and table are in force from here on: nothing else is under way. */
  publish(image: TableImage, table: HostTable): void {
    this.#interfaces.prepare(table, (1 - this.#images.activeRoot) as RootNumber);
    this.#images.judgeFlowsAgain(image.root);
    this.#interfaces.settle(this.#images.activeRoot);
  }

  /** As the first packet of a flow. */
  run(arrival: HostArrival): HostOutcome {
    const { hook, family, frame } = arrival;
    this.#pretend(arrival);
    this.#flows.clear();
    const context = new Uint8Array(CONTEXT_BYTES);
    context[0] = HOOKS[hook].number;
    context[1] = PROTOCOL_FAMILY[family];
    // What the host sends has no Ethernet header yet.
    const data = hook === 'local-out' ? frame.subarray(ETHERNET_BYTES) : frame;
    const result = this.#programs.get(hook)?.testRun({ data, context });
    return { isAccepted: result?.returnValue === NF_ACCEPT, events: this.#drainEvents() };
  }

  close(): void {
    this.#ring.close();
    this.#object.close();
  }

  #pretend({ in: incoming, out, original }: HostArrival): void {
    this.#test.setUint32(HostTest.OFFSET.in_ifindex, incoming, true);
    this.#test.setUint32(HostTest.OFFSET.out_ifindex, out, true);
    this.#test.setUint32(HostTest.OFFSET.has_original, original === undefined ? 0 : 1, true);
    if (original === undefined) return;
    for (const [index, word] of mappedWords(original.destination).entries()) {
      this.#test.setUint32(HostTest.OFFSET.original + 4 * index, word);
    }
    this.#test.setUint16(HostTest.OFFSET.original_port, original.destinationPort);
  }

  #drainEvents(): Event[] {
    const chunk = this.#ring.drain();
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const events: Event[] = [];
    for (let at = 0; at < chunk.byteLength; at += 4 + Math.ceil(view.getUint32(at, true) / 8) * 8) {
      events.push(decodeEvent(view, at + 4));
    }
    return events;
  }
}
