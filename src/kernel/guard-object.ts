// The object of the guard, loaded: its program, the words of its table and its counters. What the words mean is known in
// guard.ts and guard-table.ts.
import { decodeCounter, Counter as Layout } from '../abi/event.gen.ts';
import type { GuardReason } from '../abi/guard.gen.ts';
import { drawSeed, type GuardCare, writeCare } from './guard-care.ts';
import { type GuardMaps, WITHOUT_POLICY } from './guard-policy.ts';
import type { BpfMap, BpfObject, BpfProgram, ObjectOptions, TestRunResult } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import { wordArray } from './word-array.ts';

export interface GuardObjectOptions {
  /** Of 4 KiB each, the first of which is nobody's. */
  readonly blocks: number;
  /** Path of the object, relative to the build's root. */
  readonly object?: string;
  /** 32-bit variables of the object's read-only data, by C name. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Where the counters of drops are pinned, or are to be. */
  readonly dropsPin?: string;
  /** Whose untracked lists are asked, where somebody wants them asked. None unless given. */
  readonly policy?: GuardMaps;
}

export interface GuardDrops {
  readonly packets: number;
  readonly bytes: number;
}

/** For frames of several buffers, where the kernel knows them (5.18): drivers with large MTUs take no other. */
const FRAGS_OBJECT = 'build/bpf/guard-frags.bpf.o';
export const PLAIN_OBJECT = 'build/bpf/guard.bpf.o';
/** Offset 0 means that there is no table: the first block is nobody's. */
export const RESERVED_BLOCKS = 1;

export class GuardObject {
  /** From offset 0 on. */
  readonly words: Uint32Array;
  /** struct tt_guard_state */
  readonly state: Uint32Array;
  readonly #object: BpfObject;
  readonly #drops: BpfMap;
  readonly #interfaces: BpfMap;
  readonly #ports: Uint32Array;
  /** SYN cookies can be asked of the kernel (Linux 5.18). */
  readonly hasCookies: boolean;
  /** Each handle is a descriptor of its own, which the object closes in the end: asked for once. */
  readonly #programs = new Map<string, BpfProgram>();

  /** Every source passes until a table is published. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH, KERNEL. */
  constructor({ blocks, object, constants = {}, dropsPin, policy = WITHOUT_POLICY }: GuardObjectOptions) {
    const heap = wordArray(blocks);
    const numbers = {
      tt_guard_is_flat: Number(heap.isFlat),
      tt_guard_words: heap.words,
      ...policy.constants,
      ...constants,
    };
    const maps = {
      ...policy.maps,
      tt_guard_heap: heap.map,
      ...(dropsPin === undefined ? {} : { tt_guard_drops: { pinPath: dropsPin } }),
    };
    const opened = object === undefined ? openBest(maps, numbers) : openAs(object, maps, numbers);
    this.#object = opened.object;
    this.hasCookies = opened.hasCookies;
    this.words = new Uint32Array(this.#object.map('tt_guard_heap').mmap());
    this.state = new Uint32Array(this.#object.map('tt_guard_state').mmap());
    this.#drops = this.#object.map('tt_guard_drops');
    this.#interfaces = this.#object.map('tt_guard_ifaces');
    this.#ports = new Uint32Array(this.#object.map('tt_syn_ports').mmap());
    drawSeed(this.state);
  }

  program(name = 'tt_guard'): BpfProgram {
    let handle = this.#programs.get(name);
    if (handle === undefined) {
      handle = this.#object.program(name);
      this.#programs.set(name, handle);
    }
    return handle;
  }

  /** Runs a program of the object on a frame. */
  run(frame: Uint8Array, repeat = 1, program = 'tt_guard'): TestRunResult {
    return this.program(program).testRun({ data: frame, repeat });
  }

  /** The memory of a further map of the object. */
  memory(map: string): ArrayBuffer {
    return this.#object.map(map).mmap();
  }

  /** What is done besides looking at sources, from here on. Throws KERNEL. */
  take(care: GuardCare): void {
    writeCare({ state: this.state, interfaces: this.#interfaces, ports: this.#ports }, care);
  }

  /** Summed over CPUs. */
  drops(reason: GuardReason): GuardDrops {
    const value = this.#drops.lookup(u32(reason)) ?? new Uint8Array();
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const total = { packets: 0, bytes: 0 };
    for (let at = 0; at < value.byteLength; at += Layout.SIZE) {
      const { packets, bytes } = decodeCounter(view, at);
      total.packets += Number(packets);
      total.bytes += Number(bytes);
    }
    return total;
  }

  /** The program stays where it is attached, and its table with it. */
  close(): void {
    this.#object.close();
  }
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

interface Opened {
  readonly object: BpfObject;
  readonly hasCookies: boolean;
}

/** What the kernel must have for SYN cookies came with frames of several buffers. */
const COOKIES = 'tt_syn_has_cookies';

function openAs(path: string, maps: ObjectOptions['maps'], numbers: Readonly<Record<string, number>>): Opened {
  const file = builtFile(path);
  const rodata = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, u32(value)]));
  const object = translateErrors('load object', file, () => loadNative().BpfObject.open(file, { maps, rodata }));
  return { object, hasCookies: numbers[COOKIES] === 1 };
}

/** What may be done without: a verifier that does not follow the one must not cost the rest. */
const CHOICES = [
  { path: FRAGS_OBJECT, numbers: { [COOKIES]: 1 } },
  { path: FRAGS_OBJECT, numbers: {} },
] as const;
/** A kernel that does not know frames of several buffers knows no such flag of a program either: EINVAL. */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['EINVAL', 'EACCES', 'E2BIG']);

function openBest(maps: ObjectOptions['maps'], numbers: Readonly<Record<string, number>>): Opened {
  for (const choice of CHOICES) {
    try {
      return openAs(choice.path, maps, { ...choice.numbers, ...numbers });
    } catch (error) {
      if (!REFUSALS.has(errnoName(error))) throw error;
    }
  }
  return openAs(PLAIN_OBJECT, maps, numbers);
}
