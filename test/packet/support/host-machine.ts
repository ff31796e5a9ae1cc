// The programs at the host's hooks, over the tables and flows of a Machine. Interfaces are made up, and so is what connection
// tracking would know: test runs have neither.
import { rmSync } from 'node:fs';
import type { BpfObject, BpfProgram } from '../../../native/index.d.ts';
import type { Event } from '../../../src/abi/event.gen.ts';
import { encodeHostInterface, HostFlags, HostInterface } from '../../../src/abi/host.gen.ts';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { DEFAULT_BPFFS as BPFFS, Pins } from '../../../src/kernel/pins.ts';
import { mapped, u32, viewOf } from './encoding.ts';
import { Machine, type Settings } from './machine.ts';
import { withPins } from './shared-maps.ts';
import type { Workload } from './workload.ts';

export type HostHook = 'to-host' | 'forward' | 'from-host';
export type ScopeName = 'normal' | 'forward' | 'preDnat' | 'untracked';

/** Endpoint id of each list that the interface has. */
export type Lists = Readonly<Partial<Record<ScopeName, number>>> & { readonly flags?: number };

export interface HostRun {
  readonly in?: number;
  readonly out?: number;
  /** Destination before translation. */
  readonly original?: { readonly address: string; readonly port?: number };
  readonly repeat?: number;
}

export interface HostOutcome {
  readonly action: 'accept' | 'drop';
  /** As of Machine; empty = nothing was counted, for nothing had a say. */
  readonly reason: string;
  readonly events: readonly Event[];
  readonly durationNs: number;
}

/** Where an interface is looked for first: its number modulo this. */
export const HOST_SLOTS = 256;
const PROGRAMS = { 'to-host': 'tt_to_host', forward: 'tt_forward', 'from-host': 'tt_from_host' } as const;
const HOOKS = { 'to-host': 1, forward: 2, 'from-host': 3 } as const;
const PROTOCOL_FAMILY = { 4: 2, 6: 10 } as const;
const CONTEXT_BYTES = 48;
const ETHERNET_BYTES = 14;
const SCOPES: readonly ScopeName[] = ['normal', 'forward', 'preDnat', 'untracked'];
/** struct tt_host_test. */
const TEST = { IN: 0, OUT: 4, HAS_ORIGINAL: 8, ORIGINAL: 12, PORT: 28, SIZE: 32 } as const;

export interface HostSettings extends Settings {
  /** To be attached: interfaces and connection tracking are the kernel's. */
  readonly isReal?: boolean;
  /** All packets are judged in full, those of known connections too. */
  readonly isThorough?: boolean;
}

let machines = 0;

export class HostMachine {
  readonly machine: Machine;
  readonly #object: BpfObject;
  readonly #pins: string;
  readonly #interfaces: DataView;
  readonly #test: DataView;
  readonly #programs: Readonly<Record<HostHook, BpfProgram>>;
  readonly #isThorough: boolean;

  constructor(workloads: readonly Workload[] = [], settings: HostSettings = {}) {
    machines += 1;
    this.#isThorough = settings.isThorough ?? false;
    this.#pins = `${BPFFS}/tortie-packet-${process.pid}-${machines}`;
    new Pins(this.#pins).create(BPFFS);
    this.machine = new Machine(workloads, { ...settings, pins: this.#pins });
    const { BpfObject: Native } = loadNative();
    const sizes = Object.fromEntries(
      ['tt_heap', 'tt_v6_nodes', 'tt_flows', 'tt_flow_locks', 'tt_flow_cache', 'tt_events'].map((name) => [
        name,
        { maxEntries: this.machine.map(name).info.maxEntries },
      ]),
    );
    this.#object = Native.open(builtFile('build/bpf/host.bpf.o'), {
      maps: { ...withPins(sizes, this.#pins), tt_host_ifaces: { maxEntries: HOST_SLOTS + 1 } },
      rodata: {
        tt_host_slots: u32(HOST_SLOTS),
        tt_is_test: u32(settings.isReal ? 0 : 1),
        tt_flow_regions: u32(1),
        tt_flow_room: u32(settings.flows ?? 1024),
        tt_cache_slots: u32(256),
      },
    });
    this.#interfaces = new DataView(this.#object.map('tt_host_ifaces').mmap());
    this.#test = new DataView(this.#object.map('host.bss').mmap());
    this.#programs = {
      'to-host': this.#object.program(PROGRAMS['to-host']),
      forward: this.#object.program(PROGRAMS.forward),
      'from-host': this.#object.program(PROGRAMS['from-host']),
    };
  }

  close(): void {
    this.#object.close();
    this.machine.close();
    rmSync(this.#pins, { recursive: true, force: true });
  }

  get object(): BpfObject {
    return this.#object;
  }

  /**
   * Lists of each interface by its number; `others` = of all that are not named. Both count from the next packet on, for
   * either root; what is not asked for here is asked for nowhere, unless `track` says so.
   */
  setInterfaces(
    interfaces: Readonly<Record<number, Lists>>,
    others: Lists = {},
    track = HostFlags.ANY_LOCAL | HostFlags.ANY_FORWARD,
  ): void {
    new Uint8Array(this.#interfaces.buffer).fill(0);
    for (const [number, lists] of Object.entries(interfaces)) {
      const ifindex = Number(number);
      this.#write(ifindex % HOST_SLOTS, ifindex, lists);
    }
    const isTracked = [others, ...Object.values(interfaces)].every(({ untracked }) => untracked === undefined);
    const flags = (others.flags ?? 0) | track | (isTracked && !this.#isThorough ? HostFlags.ALL_TRACKED : 0);
    this.#write(HOST_SLOTS, 0, { ...others, flags });
  }

  /** Has the entry of an interface stand in a later place than the first. */
  setInterfaceAt(slot: number, ifindex: number, lists: Lists): void {
    this.#write(slot, ifindex, lists);
  }

  /** The frame loses its Ethernet header where the kernel has not made one yet. */
  run(hook: HostHook, frame: Uint8Array, options: HostRun = {}): HostOutcome {
    const family = ((frame[ETHERNET_BYTES] as number) >> 4) as 4 | 6;
    return this.runBytes(hook, family, hook === 'from-host' ? frame.subarray(ETHERNET_BYTES) : frame, options);
  }

  runBytes(hook: HostHook, family: 4 | 6, data: Uint8Array, options: HostRun = {}): HostOutcome {
    this.#pretend(options);
    const context = new Uint8Array(CONTEXT_BYTES);
    context[0] = HOOKS[hook];
    context[1] = PROTOCOL_FAMILY[family];
    let result = { returnValue: 0, durationNs: 0 };
    const observed = this.machine.observe(() => {
      result = this.#programs[hook].testRun({ data, context, repeat: options.repeat ?? 1 });
    });
    return { action: result.returnValue === 1 ? 'accept' : 'drop', durationNs: result.durationNs, ...observed };
  }

  #pretend({ in: incoming = 0, out = 0, original }: HostRun): void {
    this.#test.setUint32(TEST.IN, incoming, true);
    this.#test.setUint32(TEST.OUT, out, true);
    this.#test.setUint32(TEST.HAS_ORIGINAL, original === undefined ? 0 : 1, true);
    if (original === undefined) return;
    new Uint8Array(this.#test.buffer, TEST.ORIGINAL, 16).set(mapped(original.address));
    this.#test.setUint16(TEST.PORT, original.port ?? 0);
  }

  #write(slot: number, ifindex: number, lists: Lists): void {
    const flags = SCOPES.reduce(
      (all, scope, bit) => all | (lists[scope] === undefined ? 0 : 1 << bit),
      lists.flags ?? 0,
    );
    const both = { flags, id: SCOPES.map((scope) => lists[scope] ?? 0) };
    const row = new Uint8Array(HostInterface.SIZE);
    encodeHostInterface(viewOf(row), 0, { ifindex, lists: [both, both] });
    new Uint8Array(this.#interfaces.buffer, slot * HostInterface.SIZE, HostInterface.SIZE).set(row);
  }
}
