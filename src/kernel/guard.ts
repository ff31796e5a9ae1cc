// The guard with whole tables: each publish makes one from a list of prefixes, of any classes. For questions, tests and
// benchmarks; never attached. What protects a machine follows changes: guard-table.ts.
import { type GuardReason, GuardState } from '../abi/guard.gen.ts';
import { HeapDims } from '../abi/heap.gen.ts';
import { compilePrefixTable } from '../tables/prefix-table.ts';
import type { PrefixLists, PrefixTable } from '../tables/prefix-table-list.ts';
import {
  type GuardDrops,
  GuardObject,
  type GuardObjectOptions,
  PLAIN_OBJECT,
  RESERVED_BLOCKS,
} from './guard-object.ts';
import type { TestRunResult } from './native.ts';
import { loadNative } from './native.ts';

/** `blocks`: half of them hold the table in force, the other half the next one. */
export type GuardOptions = Omit<GuardObjectOptions, 'dropsPin'>;

const ROOT_WORDS = 2;

export class Guard {
  readonly #object: GuardObject;
  readonly #halfWords: number;

  /** Every source passes until the first publish. Throws PERMISSION, PROGRAM_REJECTED, KERNEL. */
  constructor(options: GuardOptions) {
    const half = Math.ceil(options.blocks / 2);
    const { object = PLAIN_OBJECT } = options;
    this.#object = new GuardObject({ ...options, object, blocks: RESERVED_BLOCKS + 2 * half });
    this.#halfWords = half * HeapDims.HEAP_BLOCK_WORDS;
  }

  /**
   * Puts a set of prefixes in force by one store; a frame is judged by the table before or by this one. Resolves when
   * no frame reads the table before any more; not to be called again until then. Throws TABLE_FULL: nothing changes.
   */
  async publish(prefixes: PrefixLists): Promise<PrefixTable> {
    const { words, state } = this.#object;
    const next = 1 - ((state[0] as number) & 1);
    const base = RESERVED_BLOCKS * HeapDims.HEAP_BLOCK_WORDS + next * this.#halfWords;
    const table = compilePrefixTable(prefixes, { base, capacity: this.#halfWords });
    words.set(table.words, base);
    state.set([table.roots[4], table.roots[6]], GuardState.OFFSET.root / 4 + next * ROOT_WORDS);
    Atomics.store(state, GuardState.OFFSET.active / 4, next);
    await loadNative().waitForPrograms();
    return table;
  }

  /** Runs a program of the object on a frame. */
  run(frame: Uint8Array, repeat = 1, program = 'tt_guard'): TestRunResult {
    return this.#object.run(frame, repeat, program);
  }

  /** The memory of a further map of the object. */
  memory(map: string): ArrayBuffer {
    return this.#object.memory(map);
  }

  /** Summed over CPUs. */
  drops(reason: GuardReason): GuardDrops {
    return this.#object.drops(reason);
  }

  close(): void {
    this.#object.close();
  }
}
