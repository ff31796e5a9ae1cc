// The changes of one family while they are found: for each kind of change the pairs of groups between which it happens.
import { and, type BitSet, removeAll } from '../../tables/bit-sets.ts';
import type { AddressGroup } from './address-groups.ts';
import type { PacketSetId, PacketSpace } from './packet-space.ts';
import type { PairId, PairRows } from './pair-rows.ts';

export type ChangeKind = 'lost' | 'gained';

/** Destinations of one source group, as bits by group index. */
export interface LayerRow {
  readonly source: number;
  readonly cells: BitSet;
}

/** All pairs of groups between which exactly these packets are lost, or gained. */
export interface ChangeLayer {
  readonly kind: ChangeKind;
  readonly packets: PacketSetId;
  readonly rows: readonly LayerRow[];
}

/** An ingress pair that was not computed, because nothing on either side can have changed. */
export const UNCHANGED: PairId = -1;

interface Change {
  readonly lost: number | undefined;
  readonly gained: number | undefined;
}

const NO_CHANGE: Change = { lost: undefined, gained: undefined };

/** Collects cells row by row. A change between two pairs is worked out once. */
export class ChangeLayers {
  readonly #words: number;
  readonly #pairs: PairRows;
  readonly #space: PacketSpace;
  readonly #layers: { kind: ChangeKind; packets: PacketSetId; rows: LayerRow[] }[] = [];
  readonly #ids = new Map<string, number>();
  readonly #changes: Change[] = [NO_CHANGE];
  /** By whether it is link-scope and the egress pair: for each ingress pair the change, or -1 if not worked out. */
  readonly #tables: (Int32Array | undefined)[] = [];
  /** 1 for pairs that are the same on both sides. */
  readonly #isSame: Uint8Array;
  /** 1 for groups that make discovery link-scope when they send, or receive. */
  readonly #linkSources: Uint8Array;
  readonly #linkDestinations: Uint8Array;
  #row: (BitSet | undefined)[] = [];
  #source = 0;
  #spare: readonly number[] = [];

  constructor(groups: readonly AddressGroup[], pairs: PairRows, space: PacketSpace) {
    this.#words = Math.ceil(groups.length / 32);
    this.#pairs = pairs;
    this.#space = space;
    this.#isSame = Uint8Array.from({ length: pairs.size }, (_, pair) => (pairs.isSame(pair) ? 1 : 0));
    this.#linkSources = Uint8Array.from(groups, ({ isLinkScope }) => (isLinkScope.source ? 1 : 0));
    this.#linkDestinations = Uint8Array.from(groups, ({ isLinkScope }) => (isLinkScope.destination ? 1 : 0));
  }

  beginRow(source: number, spare: readonly number[]): void {
    this.#source = source;
    this.#spare = spare;
    this.#row = [];
  }

  /** The cell of one destination; the arrays hold the pairs of the row's sides by destination. */
  add(destination: number, egressPairs: Int32Array, ingressPairs: Int32Array): void {
    const egress = egressPairs[destination] as PairId;
    const ingress = ingressPairs[destination] as PairId;
    if (this.#isSame[egress] === 1 && (ingress === UNCHANGED || this.#isSame[ingress] === 1)) return;
    const isLinkScope = (this.#linkSources[this.#source] as number) | (this.#linkDestinations[destination] as number);
    const table = this.#tables[2 * egress + isLinkScope] ?? this.#newTable(2 * egress + isLinkScope);
    let change = table[ingress] as number;
    if (change === -1) {
      change = this.#changeId(egress, ingress, isLinkScope === 1);
      table[ingress] = change;
    }
    if (change === 0) return;
    const { lost, gained } = this.#changes[change] as Change;
    if (lost !== undefined) this.#mark(lost, destination);
    if (gained !== undefined) this.#mark(gained, destination);
  }

  endRow(): void {
    for (const [layer, cells] of this.#row.entries()) {
      if (cells === undefined) continue;
      for (const cell of this.#spare) cells[cell >>> 5] = (cells[cell >>> 5] as number) & ~(1 << (cell & 31));
      if (cells.some((word) => word !== 0)) this.#layers[layer]?.rows.push({ source: this.#source, cells });
    }
  }

  all(): ChangeLayer[] {
    return this.#layers.filter(({ rows }) => rows.length > 0);
  }

  #mark(layer: number, destination: number): void {
    let cells = this.#row[layer];
    if (cells === undefined) {
      cells = new Uint32Array(this.#words);
      this.#row[layer] = cells;
    }
    cells[destination >>> 5] = (cells[destination >>> 5] as number) | (1 << (destination & 31));
  }

  #newTable(at: number): Int32Array {
    const table = new Int32Array(this.#pairs.size).fill(-1);
    this.#tables[at] = table;
    return table;
  }

  /** Position in #changes; 0 = none. */
  #changeId(egress: PairId, ingress: PairId, isLinkScope: boolean): number {
    const change = this.#workOut(egress, ingress, isLinkScope);
    return change === NO_CHANGE ? 0 : this.#changes.push(change) - 1;
  }

  #workOut(egress: PairId, ingress: PairId, isLinkScope: boolean): Change {
    const allowed = [0, 1].map((state) => {
      const [sent, received] = [this.#pairs.pairOf(egress)[state], this.#pairs.pairOf(ingress)[state]];
      return and(this.#space.bitsOf(sent as number), this.#space.bitsOf(received as number));
    });
    const [before, after] = allowed as [BitSet, BitSet];
    const lost = this.#layerOf('lost', before, after, isLinkScope);
    const gained = this.#layerOf('gained', after, before, isLinkScope);
    return lost === undefined && gained === undefined ? NO_CHANGE : { lost, gained };
  }

  /** Of what is in the first and not in the second; undefined = nothing is. */
  #layerOf(kind: ChangeKind, first: BitSet, second: BitSet, isLinkScope: boolean): number | undefined {
    const bits = first.slice();
    removeAll(bits, second);
    const all = this.#space.intern(bits);
    const packets = isLinkScope ? this.#space.withoutLinkScope(all) : all;
    if (this.#space.isNothing(packets)) return undefined;
    const key = `${kind} ${packets}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#layers.push({ kind, packets, rows: [] }) - 1;
    this.#ids.set(key, id);
    return id;
  }
}
