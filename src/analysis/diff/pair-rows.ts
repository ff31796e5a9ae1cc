// What one side of a packet's way allows in both states, for every group of peers: pairs of packet sets.
import type { JointClass } from '../joint-classes.ts';
import type { AddressGroup, Both } from './address-groups.ts';
import type { PacketSetId } from './packet-space.ts';
import type { SideRow, SideRows } from './side-rows.ts';

/** Number of a pair (packets allowed before, packets allowed after). */
export type PairId = number;

/** `usual` for all groups that are not in `others`. */
export interface PairRow {
  readonly usual: PairId;
  readonly others: ReadonlyMap<number, PairId>;
}

export class PairRows {
  readonly #rows: SideRows;
  readonly #pairs: Both<PacketSetId>[] = [];
  readonly #ids = new Map<number, PairId>();

  constructor(rows: SideRows) {
    this.#rows = rows;
  }

  /** Pairs made so far; ids are below it. */
  get size(): number {
    return this.#pairs.length;
  }

  pairOf(id: PairId): Both<PacketSetId> {
    return this.#pairs[id] as Both<PacketSetId>;
  }

  isSame(id: PairId): boolean {
    const [before, after] = this.pairOf(id);
    return before === after;
  }

  /** The row of an endpoint's lists before and after, for an address of the class. */
  row([before, after]: AddressGroup['egress'], local: JointClass): PairRow {
    const first = this.#rows.row(before, local);
    const second = before === after ? first : this.#rows.row(after, local);
    const usual = this.#idOf(first.usual, second.usual);
    const others = new Map<number, PairId>();
    const add = (group: number): void => {
      const pair = this.#idOf(valueAt(first, group), valueAt(second, group));
      if (pair !== usual) others.set(group, pair);
    };
    for (const group of first.others.keys()) add(group);
    for (const group of second.others.keys()) if (!first.others.has(group)) add(group);
    return { usual, others };
  }

  #idOf(before: PacketSetId, after: PacketSetId): PairId {
    const key = before * 2 ** 26 + after;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#pairs.length;
    this.#pairs.push([before, after]);
    this.#ids.set(key, id);
    return id;
  }
}

function valueAt({ usual, others }: SideRow, group: number): PacketSetId {
  return others.get(group) ?? usual;
}
