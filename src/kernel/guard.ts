// The guard: the XDP program that drops blocked sources before the stack, and the table it reads. Loaded, not attached.
import { decodeCounter, Counter as Layout } from '../abi/event.gen.ts';
import { type GuardReason, GuardState } from '../abi/guard.gen.ts';
import { HeapDims } from '../abi/heap.gen.ts';
import { compilePrefixTable } from '../tables/prefix-table.ts';
import type { PrefixLists, PrefixTable } from '../tables/prefix-table-list.ts';
import type { BpfMap, BpfObject, BpfProgram, TestRunResult } from './native.ts';
import { builtFile, loadNative, translateErrors } from './native.ts';
import { wordArray } from './word-array.ts';

export interface GuardOptions {
  /** Of 4 KiB each; half of them hold the table in force, the other half the next one. */
  readonly blocks: number;
  /** Path of the object, relative to the build's root. */
  readonly object?: string;
  /** 32-bit variables of the object's read-only data, by C name. */
  readonly constants?: Readonly<Record<string, number>>;
}

export interface GuardDrops {
  readonly packets: number;
  readonly bytes: number;
}

const DEFAULT_OBJECT = 'build/bpf/guard.bpf.o';
/** Offset 0 means that there is no table: the first block is nobody's. */
const RESERVED_BLOCKS = 1;
const ROOT_WORDS = 2;

export class Guard {
  readonly #object: BpfObject;
  readonly #heap: Uint32Array;
  readonly #state: Uint32Array;
  readonly #drops: BpfMap;
  readonly #halfWords: number;
  /** Each handle is a descriptor of its own, which the object closes in the end: asked for once. */
  readonly #programs = new Map<string, BpfProgram>();

  /** Every source passes until the first publish. Throws PERMISSION, PROGRAM_REJECTED, KERNEL. */
  constructor({ blocks, object = DEFAULT_OBJECT, constants = {} }: GuardOptions) {
    const path = builtFile(object);
    const heap = wordArray(RESERVED_BLOCKS + 2 * Math.ceil(blocks / 2));
    const numbers = { tt_is_flat: Number(heap.isFlat), tt_guard_words: heap.words, ...constants };
    const rodata = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, u32(value)]));
    const maps = { tt_guard_heap: heap.map };
    this.#object = translateErrors('load object', path, () => loadNative().BpfObject.open(path, { maps, rodata }));
    this.#heap = new Uint32Array(this.#object.map('tt_guard_heap').mmap());
    this.#state = new Uint32Array(this.#object.map('tt_guard_state').mmap());
    this.#drops = this.#object.map('tt_guard_drops');
    this.#halfWords = Math.ceil(blocks / 2) * HeapDims.HEAP_BLOCK_WORDS;
  }

  /**
   * Puts a set of prefixes in force by one store; a frame is judged by the table before or by this one. Resolves when
   * no frame reads the table before any more; not to be called again until then. Throws TABLE_FULL: nothing changes.
   */
  async publish(prefixes: PrefixLists): Promise<PrefixTable> {
    const next = 1 - ((this.#state[0] as number) & 1);
    const base = RESERVED_BLOCKS * HeapDims.HEAP_BLOCK_WORDS + next * this.#halfWords;
    const table = compilePrefixTable(prefixes, { base, capacity: this.#halfWords });
    this.#heap.set(table.words, base);
    this.#state.set([table.roots[4], table.roots[6]], GuardState.OFFSET.root / 4 + next * ROOT_WORDS);
    Atomics.store(this.#state, GuardState.OFFSET.active / 4, next);
    await loadNative().waitForPrograms();
    return table;
  }

  /** Runs a program of the object on a frame. */
  run(frame: Uint8Array, repeat = 1, program = 'tt_guard'): TestRunResult {
    let handle = this.#programs.get(program);
    if (handle === undefined) {
      handle = this.#object.program(program);
      this.#programs.set(program, handle);
    }
    return handle.testRun({ data: frame, repeat });
  }

  /** The memory of a further map of the object. */
  memory(map: string): ArrayBuffer {
    return this.#object.map(map).mmap();
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

  close(): void {
    this.#object.close();
  }
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
