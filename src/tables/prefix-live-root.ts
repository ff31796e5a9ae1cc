// One family of a prefix table that follows changes: an entry for each value of an address's first 16 bits. Short prefixes
// cover entries whole; what lies below an entry is a branch's business. A change is prepared beside what is in force, and
// taken up or given up as a whole.
import { GuardClass, GuardDims } from '../abi/guard.gen.ts';
import type { Steps } from '../base/steps.ts';
import type { LiveNodes } from './prefix-live-nodes.ts';
import { ADDRESS_WORDS, type PrefixSet } from './prefix-set.ts';

/** Places [from, to) of a set. */
export interface PrefixSpan {
  readonly set: PrefixSet;
  readonly from: number;
  readonly to: number;
}

/** How prefixes longer than 16 bits that share these are kept and compiled. */
export interface Branch<B> {
  /** Undefined = none is left. What is there already, or not there, does no harm. */
  merge(before: B | undefined, added: PrefixSpan, removed: PrefixSpan): B | undefined;
  /**
   * Entry for these prefixes, with a reference to it; `before` = the entry of what was there before the change. Throws TABLE_FULL
   * and KERNEL: no reference is lost then.
   */
  compile(prefixes: B, before: number, added: PrefixSpan, removed: PrefixSpan): number;
}

/** A change of one family that is not in force yet. */
export interface PreparedRoot<B> {
  readonly entries: ReadonlyMap<number, number>;
  readonly branches: ReadonlyMap<number, B | undefined>;
  readonly covers: ReadonlyMap<number, number>;
  readonly shorts: { readonly added: readonly number[]; readonly removed: readonly number[] };
}

const ROOT_BITS = 16;
const ROOT_WORDS = GuardDims.ROOT_WORDS;

export class LiveRoot<B> {
  /** Entry by first 16 bits, as they should be in force. */
  readonly entries = new Uint32Array(ROOT_WORDS);
  readonly #branch: Branch<B>;
  readonly #nodes: LiveNodes;
  readonly #branches = new Map<number, B>();
  /** How many short prefixes cover each entry. */
  readonly #covers = new Uint8Array(ROOT_WORDS);
  /** The short prefixes, as numbers: see shortKey. */
  readonly #shorts = new Set<number>();

  constructor(nodes: LiveNodes, branch: Branch<B>) {
    this.#nodes = nodes;
    this.#branch = branch;
  }

  /** No prefix is in both sets. Throws TABLE_FULL and KERNEL: nothing has changed then. */
  *preparing(added: PrefixSet, removed: PrefixSet): Steps<PreparedRoot<B>> {
    const [addedSpans, addedShorts] = split(added, (key) => !this.#shorts.has(key));
    const [removedSpans, removedShorts] = split(removed, (key) => this.#shorts.has(key));
    const covers = this.#coversAfter(addedShorts, removedShorts);
    const prepared = { entries: new Map<number, number>(), branches: new Map<number, B | undefined>(), covers };
    try {
      for (const index of new Set([...addedSpans.keys(), ...removedSpans.keys(), ...covers.keys()])) {
        const nothing = { set: added, from: 0, to: 0 };
        this.#prepare(prepared, index, addedSpans.get(index) ?? nothing, removedSpans.get(index) ?? nothing);
        yield;
      }
    } catch (error) {
      this.giveUp(prepared);
      throw error;
    }
    return { ...prepared, shorts: { added: addedShorts, removed: removedShorts } };
  }

  /** Entries that change, once; those of before are released. */
  takeUp({ entries, branches, covers, shorts }: PreparedRoot<B>): void {
    for (const key of shorts.added) this.#shorts.add(key);
    for (const key of shorts.removed) this.#shorts.delete(key);
    for (const [index, count] of covers) this.#covers[index] = count;
    for (const [index, branch] of branches) {
      if (branch === undefined) this.#branches.delete(index);
      else this.#branches.set(index, branch);
    }
    for (const [index, entry] of entries) {
      const before = this.entries[index] as number;
      this.entries[index] = entry;
      this.#nodes.release(before);
    }
  }

  giveUp({ entries }: Pick<PreparedRoot<B>, 'entries'>): void {
    for (const entry of entries.values()) this.#nodes.release(entry);
  }

  #prepare(
    prepared: { entries: Map<number, number>; branches: Map<number, B | undefined>; covers: Map<number, number> },
    index: number,
    added: PrefixSpan,
    removed: PrefixSpan,
  ): void {
    let branch = this.#branches.get(index);
    if (added.from < added.to || removed.from < removed.to) {
      branch = this.#branch.merge(branch, added, removed);
      prepared.branches.set(index, branch);
    }
    const before = this.entries[index] as number;
    const isCovered = (prepared.covers.get(index) ?? (this.#covers[index] as number)) > 0;
    let entry: number = isCovered ? GuardClass.DROP : GuardClass.PASS;
    if (!isCovered && branch !== undefined) entry = this.#branch.compile(branch, before, added, removed);
    if (entry === before) this.#nodes.release(entry);
    else prepared.entries.set(index, entry);
  }

  /** By entry, for those that it changes for. */
  #coversAfter(added: readonly number[], removed: readonly number[]): Map<number, number> {
    const covers = new Map<number, number>();
    const change = (key: number, by: number): void => {
      const { first, count } = coveredBy(key);
      for (let index = first; index < first + count; index += 1) {
        covers.set(index, (covers.get(index) ?? (this.#covers[index] as number)) + by);
      }
    };
    for (const key of added) change(key, 1);
    for (const key of removed) change(key, -1);
    return covers;
  }
}

/** The longer prefixes by their first 16 bits, and the keys of the wanted shorter ones. */
function split(set: PrefixSet, isWanted: (key: number) => boolean): [Map<number, PrefixSpan>, number[]] {
  const spans = new Map<number, PrefixSpan>();
  const shorts: number[] = [];
  const stride = ADDRESS_WORDS[set.family];
  const indexAt = (place: number): number => (set.words[stride * place] as number) >>> (32 - ROOT_BITS);
  for (let from = 0; from < set.count; ) {
    const index = indexAt(from);
    const length = set.lengths[from] as number;
    if (length <= ROOT_BITS) {
      const key = shortKey(index, length);
      if (isWanted(key)) shorts.push(key);
      from += 1;
      continue;
    }
    let to = from + 1;
    while (to < set.count && indexAt(to) === index) to += 1;
    spans.set(index, { set, from, to });
    from = to;
  }
  return [spans, shorts];
}

function shortKey(index: number, length: number): number {
  return (length << ROOT_BITS) | index;
}

function coveredBy(key: number): { readonly first: number; readonly count: number } {
  return { first: key & (ROOT_WORDS - 1), count: 2 ** (ROOT_BITS - (key >>> ROOT_BITS)) };
}
