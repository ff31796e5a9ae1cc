// Every (source group, destination group) whose allowed packets differ, sorted into layers of equal change. Only rows
// that something changed in are looked at.
import type { BitSet } from '../../tables/bit-sets.ts';
import { and, removeAll } from '../../tables/bit-sets.ts';
import type { AddressGroup } from './address-groups.ts';
import type { PacketSetId, PacketSpace } from './packet-space.ts';
import { type PairId, type PairRow, PairRows } from './pair-rows.ts';
import type { SideRows } from './side-rows.ts';

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

export interface FamilyChanges {
  readonly layers: readonly ChangeLayer[];
  /** For each group those that are of the same single endpoint: what lies between them does not pass the host. */
  readonly spare: readonly (readonly number[])[];
}

/** The changes among the groups of one family. */
export function findChanges(groups: readonly AddressGroup[], rows: SideRows, space: PacketSpace): FamilyChanges {
  const spare = spareCells(groups);
  const pairs = new PairRows(rows);
  const sides = neededRows(groups, pairs);
  const layers = new Layers(groups, pairs, space);
  const received = transpose(sides.ingress, sides.egress, groups.length);
  const changedDestinations = [...sides.ingress].filter(([, row]) => differs(row, pairs)).map(([group]) => group);
  const egress = new Int32Array(groups.length);
  const ingress = new Int32Array(groups.length);
  for (const [source, row] of sides.egress) {
    egress.fill(row.usual);
    for (const [group, pair] of row.others) egress[group] = pair;
    ingress.set(received.usual);
    for (const [group, pair] of received.others[source] ?? []) ingress[group] = pair;
    layers.beginRow(source, spare[source] as readonly number[]);
    if (pairs.isSame(row.usual)) {
      const others = [...row.others].filter(([, pair]) => !pairs.isSame(pair)).map(([group]) => group);
      for (const group of new Set([...others, ...changedDestinations])) layers.add(group, egress, ingress);
    } else {
      for (let group = 0; group < groups.length; group += 1) layers.add(group, egress, ingress);
    }
    layers.endRow();
  }
  return { layers: layers.all(), spare };
}

function differs({ usual, others }: PairRow, pairs: PairRows): boolean {
  return !pairs.isSame(usual) || [...others.values()].some((pair) => !pairs.isSame(pair));
}

/** No side was computed there, because nothing on either can have changed. */
const UNCHANGED = -1;

interface NeededRows {
  readonly egress: ReadonlyMap<number, PairRow>;
  readonly ingress: ReadonlyMap<number, PairRow>;
}

/** Rows of groups whose lists changed, and of those that meet such a change from the other side. */
function neededRows(groups: readonly AddressGroup[], pairs: PairRows): NeededRows {
  const changed = (way: 'egress' | 'ingress'): Map<number, PairRow> =>
    new Map(
      groups
        .filter((group) => group[way][0] !== group[way][1])
        .map((group) => [group.index, pairs.row(group[way], group.class)]),
    );
  const rows = { egress: changed('egress'), ingress: changed('ingress') };
  const meeting = {
    egress: metBy(rows.ingress, groups.length, pairs),
    ingress: metBy(rows.egress, groups.length, pairs),
  };
  for (const way of ['egress', 'ingress'] as const) {
    for (const group of groups) {
      if (meeting[way].has(group.index) && !rows[way].has(group.index)) {
        rows[way].set(group.index, pairs.row(group[way], group.class));
      }
    }
  }
  const byIndex = (map: Map<number, PairRow>): Map<number, PairRow> => new Map([...map].sort(([a], [b]) => a - b));
  return { egress: byIndex(rows.egress), ingress: byIndex(rows.ingress) };
}

/** The groups towards which some row differs. */
function metBy(rows: ReadonlyMap<number, PairRow>, groupCount: number, pairs: PairRows): ReadonlySet<number> {
  const met = new Set<number>();
  const rest = new Set(Array.from({ length: groupCount }, (_, group) => group));
  const meet = (group: number): void => {
    met.add(group);
    rest.delete(group);
  };
  for (const { usual, others } of rows.values()) {
    for (const [group, pair] of others) if (!pairs.isSame(pair)) meet(group);
    if (!pairs.isSame(usual)) for (const group of rest) if (!others.has(group)) meet(group);
  }
  return met;
}

/** The ingress rows by source: for each destination the usual pair, for each source where it is another. */
function transpose(
  ingress: ReadonlyMap<number, PairRow>,
  sources: ReadonlyMap<number, unknown>,
  groupCount: number,
): { usual: Int32Array; others: [number, PairId][][] } {
  const usual = new Int32Array(groupCount).fill(UNCHANGED);
  const others: [number, PairId][][] = Array.from({ length: groupCount }, () => []);
  for (const [destination, row] of ingress) {
    usual[destination] = row.usual;
    for (const [source, pair] of row.others) if (sources.has(source)) others[source]?.push([destination, pair]);
  }
  return { usual, others };
}

/** Between addresses that are all one endpoint's, nothing passes the host. */
function spareCells(groups: readonly AddressGroup[]): number[][] {
  const byOwner = [new Map<string, number[]>(), new Map<string, number[]>()];
  for (const [state, owners] of byOwner.entries()) {
    for (const { index, soleOwner } of groups) {
      const key = soleOwner[state];
      if (key !== undefined) owners.set(key, [...(owners.get(key) ?? []), index]);
    }
  }
  return groups.map(({ soleOwner }) => {
    const found = byOwner.flatMap((owners, state) => owners.get(soleOwner[state] ?? '') ?? []);
    return [...new Set(found)].sort((a, b) => a - b);
  });
}

interface Change {
  readonly lost: number | undefined;
  readonly gained: number | undefined;
}

const NO_CHANGE: Change = { lost: undefined, gained: undefined };

/** Collects cells row by row. A change between two pairs is worked out once. */
class Layers {
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
