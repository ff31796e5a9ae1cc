// Where programs of two layouts meet: which side is in force, its programs, and what both sides have in common. The maps have
// no version, so that agents of all versions read them; when which side takes over is takeover.ts.
import { SideProgram, Switch } from '../abi/takeover.gen.ts';
import type { WorkloadPrograms } from './attachment.ts';
import type { Lasting } from './lasting.ts';
import type { BpfMap, BpfObject } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import { BRIDGE_MAPS, type Pins } from './pins.ts';

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
  readonly #sides: BpfMap;
  /** What an interface runs so that each of its packets goes to the side in force. */
  readonly programs: WorkloadPrograms;

  /** Makes what is not pinned yet: then no side is in force. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH, KERNEL. */
  constructor(pins: Pins) {
    const path = builtFile(OBJECT);
    const maps = Object.fromEntries(BRIDGE_MAPS.map((name) => [name, { pinPath: pins.map(name) }]));
    this.#object = translateErrors('load object', path, () => loadNative().BpfObject.open(path, { maps }));
    this.#words = new Uint32Array(this.#object.map('tt_switch').mmap());
    this.#sides = this.#object.map('tt_sides');
    this.programs = { ingress: this.#object.program('tt_cross_from'), egress: this.#object.program('tt_cross_to') };
  }

  /** By name. */
  get maps(): ReadonlyMap<string, BpfMap> {
    return new Map(BRIDGE_MAPS.map((name) => [name, this.#object.map(name)]));
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

function keyOf(side: number, program: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(side * SideProgram.ROOM + program).buffer);
}

/** Of the policy in force, whoever put it there and in which layout; undefined = nothing is pinned. Only reads. */
export function generationInForce(pins: Pins): number | undefined {
  const path = pins.map('tt_switch');
  if (!pins.isThere(path)) return undefined;
  const map = translateErrors('open map', path, () => loadNative().BpfMap.openPinned(path));
  const value = map.lookup(new Uint8Array(4)) ?? new Uint8Array(Switch.SIZE);
  map.close();
  return new DataView(value.buffer, value.byteOffset).getUint32(Switch.OFFSET.generation, true);
}
