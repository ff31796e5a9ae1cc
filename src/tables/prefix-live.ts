// A table of blocked prefixes of both families that follows changes: what a change touches is made anew, and nothing else.
// Says what the words of the table's roots must be; putting them in force is the kernel side's. Lookups are those of
// prefix-table-lookup.ts. Layout: bpf/abi/guard.h.
import type { Steps } from '../base/steps.ts';
import type { Family } from '../model/address.ts';
import { LiveNodes, type RetiredNodes, type WordSpace } from './prefix-live-nodes.ts';
import { LiveRoot, type PreparedRoot } from './prefix-live-root.ts';
import { V4Branch, type V4Prefixes } from './prefix-live-v4.ts';
import { V6Branch } from './prefix-live-v6.ts';
import type { PrefixSet, PrefixSets } from './prefix-set.ts';

/** Entries of the roots that a change has given another value, by first 16 bits of the address. */
export type ChangedEntries = Readonly<Record<Family, ReadonlyMap<number, number>>>;

export class LivePrefixes {
  readonly #nodes: LiveNodes;
  readonly #v4: LiveRoot<V4Prefixes>;
  readonly #v6: LiveRoot<PrefixSet>;

  /** `from` = the first word that is the table's, the beginning of a block; not that of its roots. */
  constructor(space: WordSpace, from: number) {
    this.#nodes = new LiveNodes(space, from);
    this.#v4 = new LiveRoot(this.#nodes, new V4Branch(this.#nodes));
    this.#v6 = new LiveRoot(this.#nodes, new V6Branch(this.#nodes));
  }

  /** Words of the array up to the end of what the table has ever taken. */
  get used(): number {
    return this.#nodes.used;
  }

  /** Nodes that the table refers to. */
  get nodes(): number {
    return this.#nodes.count;
  }

  /** What every entry of a root should be. */
  root(family: Family): Uint32Array {
    return family === 4 ? this.#v4.entries : this.#v6.entries;
  }

  /**
   * Takes prefixes in and out; no prefix is in both. The nodes are written where nobody reads them before the changed entries
   * are in force. Throws TABLE_FULL and KERNEL: nothing has changed then.
   */
  *changing(added: PrefixSets, removed: PrefixSets): Steps<ChangedEntries> {
    const v4 = yield* this.#v4.preparing(added[4], removed[4]);
    const v6 = yield* this.#preparingV6(added[6], removed[6], () => this.#v4.giveUp(v4));
    this.#v4.takeUp(v4);
    this.#v6.takeUp(v6);
    return { 4: v4.entries, 6: v6.entries };
  }

  *#preparingV6(added: PrefixSet, removed: PrefixSet, onFailure: () => void): Steps<PreparedRoot<PrefixSet>> {
    try {
      return yield* this.#v6.preparing(added, removed);
    } catch (error) {
      onFailure();
      throw error;
    }
  }

  /** Nodes that the changes since the last call left behind: see LiveNodes. */
  takeRetired(): RetiredNodes {
    return this.#nodes.takeRetired();
  }

  reuse(retired: RetiredNodes): void {
    this.#nodes.reuse(retired);
  }
}
