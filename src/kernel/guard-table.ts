// The table of blocked sources that is in force: follows changes of the prefixes, each put in force by one store, or by another
// program with more room for its table. Which interfaces the program is on is guard-links.ts.
import { GuardClass, GuardDims, type GuardReason, GuardState } from '../abi/guard.gen.ts';
import { HeapDims } from '../abi/heap.gen.ts';
import type { Steps } from '../base/steps.ts';
import type { Family, IpAddress } from '../model/address.ts';
import { type ChangedEntries, LivePrefixes } from '../tables/prefix-live.ts';
import type { WordSpace } from '../tables/prefix-live-nodes.ts';
import type { PrefixSets } from '../tables/prefix-set.ts';
import { walkPrefixTable } from '../tables/prefix-table-lookup.ts';
import { type GuardCare, NO_CARE } from './guard-care.ts';
import { type GuardDrops, GuardObject, type GuardObjectOptions, RESERVED_BLOCKS } from './guard-object.ts';
import type { GuardMaps } from './guard-policy.ts';
import type { BpfProgram } from './native.ts';
import { loadNative } from './native.ts';

const BLOCK_WORDS = HeapDims.HEAP_BLOCK_WORDS;
const ROOT_WORDS = GuardDims.ROOT_WORDS;
const FIRST_ROOT = RESERVED_BLOCKS * BLOCK_WORDS;
const ROOT_PAIRS = 2;
/** Behind two roots of each family. */
const FIRST_NODE = FIRST_ROOT + ROOT_PAIRS * 2 * ROOT_WORDS;
/** 3 MiB: enough for thousands of prefixes. */
const INITIAL_BLOCKS = 768;
const ACTIVE = GuardState.OFFSET.active / 4;

export type GuardTableOptions = Omit<GuardObjectOptions, 'blocks'>;

export class GuardTable implements WordSpace {
  #options: GuardTableOptions;
  readonly #prefixes: LivePrefixes;
  #object: GuardObject;
  /** The object whose program judges frames; another one than #object after the array has grown. */
  #inForce: GuardObject;
  /** Resolves when no frame reads the roots that are not in force. */
  #rootsFree: Promise<void> = Promise.resolve();
  #isRetiring = false;
  #care = NO_CARE;
  #isClosed = false;

  /** Blocks nothing yet. Throws PERMISSION, PROGRAM_REJECTED, ABI_MISMATCH, KERNEL. */
  constructor(options: GuardTableOptions = {}) {
    this.#options = options;
    this.#object = new GuardObject({ ...options, blocks: INITIAL_BLOCKS });
    this.#inForce = this.#object;
    this.#prefixes = new LivePrefixes(this, FIRST_NODE);
    this.#writeRoots(0);
  }

  get words(): Uint32Array {
    return this.#object.words;
  }

  /** Bytes that table and roots take in the kernel. */
  get bytes(): number {
    return 4 * this.#object.words.length;
  }

  /** The one that judges by the table in force. */
  get program(): BpfProgram {
    return this.#inForce.program();
  }

  grow(words: number): void {
    this.#load(Math.max(words, Math.min(2 * this.words.length, 2 ** 27)));
  }

  /** Compiles a change; nothing of it is in force before `publish`. Throws TABLE_FULL and KERNEL: nothing has changed. */
  changing(added: PrefixSets, removed: PrefixSets): Steps<ChangedEntries> {
    return this.#prefixes.changing(added, removed);
  }

  /**
   * Puts the last change in force: each frame is judged by the table before it or by the one after it. `replaceProgram` has
   * the given program take the place of the one before, on every interface; it is called where the table has outgrown its array.
   */
  async publish(changed: ChangedEntries, replaceProgram: (program: BpfProgram) => void): Promise<void> {
    if (this.#object !== this.#inForce) this.#moveOn(replaceProgram);
    else if (changed[4].size + changed[6].size === 1) this.#storeOne(changed);
    else if (changed[4].size + changed[6].size > 0) {
      await this.#rootsFree;
      this.#writeRoots(1 - this.#active);
      this.#rootsFree = loadNative().waitForPrograms();
    }
    void this.#retire();
  }

  /** SYN cookies can be asked of the kernel. */
  get hasCookies(): boolean {
    return this.#inForce.hasCookies;
  }

  /** What is done besides looking at sources, from here on. Throws KERNEL. */
  take(care: GuardCare): void {
    this.#care = care;
    this.#object.take(care);
    if (this.#inForce !== this.#object) this.#inForce.take(care);
  }

  /**
   * Has untracked lists of that policy asked, undefined = of none. The program changes for it: see publish. Only while no change is
   * being compiled. Throws KERNEL and what loading throws: nothing has changed then.
   */
  judgeBy(policy: GuardMaps | undefined, replaceProgram: (program: BpfProgram) => void): void {
    const before = this.#options;
    this.#options = { ...before, policy };
    try {
      this.#load(this.words.length);
    } catch (error) {
      this.#options = before;
      throw error;
    }
    this.#moveOn(replaceProgram);
  }

  drops(reason: GuardReason): GuardDrops {
    return this.#inForce.drops(reason);
  }

  /** Whether the table in force has frames from that address dropped; counts nothing. */
  isDropped(address: IpAddress): boolean {
    const { words, state } = this.#inForce;
    const pair = (state[ACTIVE] as number) & 1;
    const roots = { 4: rootAt(pair, 4), 6: rootAt(pair, 6) };
    return walkPrefixTable({ base: 0, words, roots }, address).class !== GuardClass.PASS;
  }

  /** Where the program is attached it goes on. */
  close(): void {
    this.#isClosed = true;
    if (this.#object !== this.#inForce) this.#object.close();
    this.#inForce.close();
  }

  /** The table as it is, in an array of so many words, behind a program that is not in force yet. */
  #load(words: number): void {
    const next = new GuardObject({ ...this.#options, blocks: Math.ceil(words / BLOCK_WORDS) });
    next.words.set(this.words);
    next.state.set(this.#object.state);
    next.take(this.#care);
    if (this.#object !== this.#inForce) this.#object.close();
    this.#object = next;
  }

  get #active(): number {
    return (this.#object.state[ACTIVE] as number) & 1;
  }

  /** The larger array has the nodes of the change already. */
  #moveOn(replaceProgram: (program: BpfProgram) => void): void {
    this.#writeRoots(this.#active);
    replaceProgram(this.#object.program());
    this.#inForce.close();
    this.#inForce = this.#object;
    // Nobody has read this array before.
    this.#rootsFree = Promise.resolve();
  }

  #storeOne(changed: ChangedEntries): void {
    for (const family of [4, 6] as const) {
      for (const [index, entry] of changed[family]) {
        Atomics.store(this.words, rootAt(this.#active, family) + index, entry);
      }
    }
  }

  /** Writes one pair of roots and has frames judged by it. */
  #writeRoots(pair: number): void {
    for (const family of [4, 6] as const) this.words.set(this.#prefixes.root(family), rootAt(pair, family));
    const { state } = this.#object;
    state.set([rootAt(pair, 4), rootAt(pair, 6)], GuardState.OFFSET.root / 4 + ROOT_PAIRS * pair);
    Atomics.store(state, ACTIVE, pair);
  }

  /** Has the nodes that were left behind written over, once nobody can be reading them. */
  async #retire(): Promise<void> {
    if (this.#isRetiring) return;
    this.#isRetiring = true;
    for (let retired = this.#prefixes.takeRetired(); retired.length > 0; retired = this.#prefixes.takeRetired()) {
      await loadNative().waitForPrograms();
      if (this.#isClosed) return;
      this.#prefixes.reuse(retired);
    }
    this.#isRetiring = false;
  }
}

function rootAt(pair: number, family: Family): number {
  return FIRST_ROOT + (2 * pair + (family === 4 ? 0 : 1)) * ROOT_WORDS;
}
