// The table of the host's interfaces in the kernel: lists go with the root of the same number, so that a table and an image
// come into force by one store. What the lists are is host-table.ts.
import { HostDims, HostInterface, HostLists as Layout } from '../abi/host.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import { type HostLists, type HostTable, isSameTable, NO_TABLE } from './host-table.ts';
import type { RootNumber } from './image-writer.ts';

const ROW_WORDS = HostInterface.SIZE / 4;
const LISTS_WORD = HostInterface.OFFSET.lists / 4;
const LISTS_WORDS = Layout.SIZE / 4;

export class HostInterfaces {
  readonly #words: Uint32Array;
  /** A power of two; the row behind them is that of all other interfaces. */
  readonly #slots: number;
  #inForce = NO_TABLE;
  /** Both roots have the lists in force; otherwise another table is written for the root that comes next. */
  #isSettled = false;
  /** All words, as this process left them when both roots had the same lists. */
  #shadow: Uint32Array;

  /**
   * `words` is the memory of tt_host_ifaces. Takes the table of the root in force as it is, and forgets one that never
   * came into force.
   */
  constructor(words: Uint32Array, active: RootNumber) {
    this.#words = words;
    this.#slots = words.length / ROW_WORDS - 1;
    this.#shadow = words;
    this.settle(active);
  }

  /** As of the last settle. */
  get inForce(): HostTable {
    return this.#inForce;
  }

  /** And nothing else is about to be. */
  isInForce(table: HostTable): boolean {
    return this.#isSettled && isSameTable(table, this.#inForce);
  }

  /**
   * Writes a table for the root that is not in force and comes into force next. An interface that is new goes on having
   * the lists of all others until then. Throws TABLE_FULL; the table before stays in force.
   */
  prepare(table: HostTable, next: RootNumber): void {
    this.#isSettled = false;
    const active = (1 - next) as RootNumber;
    const added = [...table.interfaces.keys()].filter((ifindex) => this.#slotOf(ifindex) === undefined);
    try {
      for (const ifindex of added) this.#enter(ifindex, this.#lists(this.#slots, active));
    } catch (error) {
      this.settle(active);
      throw error;
    }
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const ifindex = this.#words[slot * ROW_WORDS] as number;
      if (ifindex !== 0) this.#setLists(slot, next, table.interfaces.get(ifindex) ?? table.others);
    }
    this.#setLists(this.#slots, next, table.others);
  }

  /**
   * Once the root of that number is in force and no packet is judged by the other: both have the same lists from here on,
   * and interfaces without lists of their own leave the table.
   */
  settle(active: RootNumber): void {
    if (this.#isSettled) return;
    this.#inForce = this.#read(active);
    for (let slot = 0; slot <= this.#slots; slot += 1) {
      const ifindex = this.#words[slot * ROW_WORDS] as number;
      if (slot < this.#slots && ifindex !== 0 && !this.#inForce.interfaces.has(ifindex)) this.#clear(slot);
      this.#setLists(slot, (1 - active) as RootNumber, this.#lists(slot, active));
    }
    this.#isSettled = true;
    this.#shadow = this.#words.slice();
  }

  /** Undoes what others wrote, once settled. Returns how many rows that were. */
  restore(): number {
    const rows = new Set<number>();
    if (!this.#isSettled) return 0;
    for (let at = 0; at < this.#words.length; at += 1) {
      if (this.#words[at] !== this.#shadow[at]) rows.add(Math.floor(at / ROW_WORDS));
    }
    for (const row of rows) {
      const at = row * ROW_WORDS;
      this.#words.set(this.#shadow.subarray(at + 1, at + ROW_WORDS), at + 1);
      Atomics.store(this.#words, at, this.#shadow[at] as number);
    }
    return rows.size;
  }

  /** What is in force under a root. Rows that say what that of all others says are of interfaces that leave. */
  #read(root: RootNumber): HostTable {
    const others = this.#lists(this.#slots, root);
    const interfaces = new Map<number, HostLists>();
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const ifindex = this.#words[slot * ROW_WORDS] as number;
      const lists = this.#lists(slot, root);
      const isOther = lists.flags === others.flags && lists.ids.every((id, place) => id === others.ids[place]);
      if (ifindex !== 0 && !isOther) interfaces.set(ifindex, lists);
    }
    return { interfaces, others };
  }

  #slotOf(ifindex: number): number | undefined {
    return this.#probe(ifindex).find((slot) => this.#words[slot * ROW_WORDS] === ifindex);
  }

  /** The row counts from the moment that it has a number. */
  #enter(ifindex: number, lists: HostLists): void {
    const slot = this.#probe(ifindex).find((candidate) => this.#words[candidate * ROW_WORDS] === 0);
    if (slot === undefined) throw noSlot(ifindex, this.#slots);
    this.#setLists(slot, 0, lists);
    this.#setLists(slot, 1, lists);
    Atomics.store(this.#words, slot * ROW_WORDS, ifindex);
  }

  #clear(slot: number): void {
    Atomics.store(this.#words, slot * ROW_WORDS, 0);
  }

  #lists(slot: number, root: RootNumber): HostLists {
    const at = slot * ROW_WORDS + LISTS_WORD + root * LISTS_WORDS;
    const [flags = 0, ...ids] = this.#words.subarray(at, at + LISTS_WORDS);
    return { flags, ids };
  }

  #setLists(slot: number, root: RootNumber, { flags, ids }: HostLists): void {
    this.#words.set([flags, ...ids], slot * ROW_WORDS + LISTS_WORD + root * LISTS_WORDS);
  }

  /** Slots where the programs look for an interface, in their order. */
  #probe(ifindex: number): number[] {
    return Array.from({ length: HostDims.PROBES }, (_, probe) => (ifindex + probe) & (this.#slots - 1));
  }
}

function noSlot(ifindex: number, slots: number): DataplaneError {
  return new DataplaneError('TABLE_FULL', 'no free slot', {
    operation: 'write host interface',
    target: `interface number ${ifindex}`,
    found: `${HostDims.PROBES} neighbouring slots of ${slots} taken`,
    hint: 'fewer interfaces, or fewer host endpoints that name them',
  });
}
