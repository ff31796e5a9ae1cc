// Where programs of two layouts meet: which side is in force, its programs, and what both sides have in common. The maps have
// no version, so that agents of all versions read them; when which side takes over is takeover.ts.
import { renameSync, rmSync } from 'node:fs';
import { SideProgram, Switch } from '../abi/takeover.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import type { WorkloadPrograms } from './attachment.ts';
import type { Lasting } from './lasting.ts';
import type { BpfMap, BpfObject } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import { BRIDGE_MAPS, type Pins, successorOf } from './pins.ts';

const OBJECT = 'build/bpf/bridge.bpf.o';
const ACTIVE = Switch.OFFSET.active / 4;
const VERSION = Switch.OFFSET.version / 4;
const NUMBER = Switch.OFFSET.number / 4;
const TAKEOVERS = Switch.OFFSET.takeovers / 4;
const GENERATION = Switch.OFFSET.generation / 4;
const FLOW_SEED = Switch.OFFSET.flow_seed / 4;

export class Bridge implements Lasting {
  readonly #object: BpfObject;
  readonly #words: Uint32Array;
  readonly #switch: BpfMap;
  readonly #sides: BpfMap;
  readonly #pins: Pins;
  #isApart: boolean;
  /** What an interface runs so that each of its packets goes to the side in force. */
  readonly programs: WorkloadPrograms;

  /** Makes what is not pinned yet: then no side is in force. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH, KERNEL. */
  constructor(pins: Pins) {
    this.#pins = pins;
    const { object, isApart } = openBridge(pins);
    this.#object = object;
    this.#isApart = isApart;
    try {
      this.#switch = object.map('tt_switch');
      this.#words = new Uint32Array(this.#switch.mmap());
      this.#sides = object.map('tt_sides');
      this.programs = { ingress: object.program('tt_cross_from'), egress: object.program('tt_cross_to') };
    } catch (error) {
      object.close();
      throw error;
    }
  }

  /** By name: those that are pinned. */
  get maps(): ReadonlyMap<string, BpfMap> {
    const own = new Map([['tt_switch', this.#switch]]);
    return this.#isApart ? own : own.set('tt_sides', this.#sides);
  }

  /**
   * The pinned array of programs takes none of ours: the kernel holds an array to programs of one kind, and those before were
   * compiled otherwise (net.core.bpf_jit_enable). Interfaces may still run programs that go by it; ours go by a new one.
   */
  get isApart(): boolean {
    return this.#isApart;
  }

  /** The programs of the side in force can be called. */
  get leadsOn(): boolean {
    const wanted = [SideProgram.FROM_WORKLOAD, SideProgram.TO_WORKLOAD];
    return wanted.every((program) => this.#sides.lookup(keyOf(this.#active, program)) !== undefined);
  }

  /** No interface goes by the array before any more: ours takes its place, without a moment in between. */
  join(): void {
    if (!this.#isApart) return;
    const pin = this.#pins.map('tt_sides');
    const successor = successorOf(pin);
    translateErrors('pin map', pin, () => {
      rmSync(successor, { force: true });
      this.#sides.pin(successor);
      renameSync(successor, pin);
    });
    this.#isApart = false;
  }

  /** Layout of the tables in force; 0 = none are. */
  get version(): number {
    return this.#words[VERSION + this.#active] as number;
  }

  /** Of the takeover that the side in force came by. */
  get number(): number {
    return this.#words[NUMBER + this.#active] as number;
  }

  /** A number that no side has had. */
  nextNumber(): number {
    this.#words[TAKEOVERS] = (this.#words[TAKEOVERS] as number) + 1;
    return this.#words[TAKEOVERS] as number;
  }

  get lastGeneration(): number {
    return this.#words[GENERATION] as number;
  }

  set lastGeneration(generation: number) {
    this.#words[GENERATION] = generation;
  }

  get flowSeed(): Uint32Array {
    return this.#words.subarray(FLOW_SEED, FLOW_SEED + 2);
  }

  /** These programs are those of the side in force from here on: they use the same tables as those before. */
  renew(version: number, number: number, programs: WorkloadPrograms): void {
    this.#describe(this.#active, version, number, programs);
  }

  /** Puts programs, whose tables are complete, on the side that is not in force. */
  prepare(version: number, number: number, programs: WorkloadPrograms): void {
    this.#describe(1 - this.#active, version, number, programs);
  }

  /** Puts the other side in force: packets that have started already are judged by the side before. */
  cross(): void {
    Atomics.store(this.#words, ACTIVE, 1 - this.#active);
  }

  /** Lets go of the side that is not in force. No packet may be judged by it any more. */
  clearOther(): void {
    const other = 1 - this.#active;
    this.#words[VERSION + other] = 0;
    for (let program = 0; program < SideProgram.ROOM; program += 1) this.#sides.delete(keyOf(other, program));
  }

  close(): void {
    this.#object.close();
  }

  get #active(): number {
    return (this.#words[ACTIVE] as number) & 1;
  }

  #describe(side: number, version: number, number: number, { ingress, egress }: WorkloadPrograms): void {
    this.#sides.setProgram(side * SideProgram.ROOM + SideProgram.FROM_WORKLOAD, ingress);
    this.#sides.setProgram(side * SideProgram.ROOM + SideProgram.TO_WORKLOAD, egress);
    this.#words[NUMBER + side] = number;
    Atomics.store(this.#words, VERSION + side, version);
  }
}

/** With a new array of programs where the pinned one does not take ours. */
function openBridge(pins: Pins): { readonly object: BpfObject; readonly isApart: boolean } {
  const path = builtFile(OBJECT);
  const open = (pinned: readonly string[]): BpfObject => {
    const maps = Object.fromEntries(pinned.map((name) => [name, { pinPath: pins.map(name) }]));
    return translateErrors('load object', path, () => loadNative().BpfObject.open(path, { maps }));
  };
  // Of an agent that was killed before it could rename it.
  rmSync(successorOf(pins.map('tt_sides')), { force: true });
  try {
    return { object: open(BRIDGE_MAPS), isApart: false };
  } catch (error) {
    const isOtherLayout = error instanceof DataplaneError && error.code === 'ABI_MISMATCH';
    if (isOtherLayout || errnoName(error) !== 'EINVAL' || !pins.isThere(pins.map('tt_sides'))) throw error;
    // Whatever else is wrong with the programs is wrong with them here too.
    return { object: open(BRIDGE_MAPS.filter((name) => name !== 'tt_sides')), isApart: true };
  }
}

function keyOf(side: number, program: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(side * SideProgram.ROOM + program).buffer);
}

/** Of the policy in force, whoever put it there and in which layout; undefined = nothing is pinned. Only reads. */
export function generationInForce(pins: Pins): number | undefined {
  const path = pins.map('tt_switch');
  if (!pins.isThere(path)) return undefined;
  const map = translateErrors('open map', path, () => loadNative().BpfMap.openPinned(path));
  try {
    const value = map.lookup(new Uint8Array(4)) ?? new Uint8Array(Switch.SIZE);
    return new DataView(value.buffer, value.byteOffset).getUint32(Switch.OFFSET.generation, true);
  } finally {
    map.close();
  }
}
