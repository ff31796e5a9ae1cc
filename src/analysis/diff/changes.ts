// Every (source group, destination group) whose allowed packets differ, sorted into layers of equal change. Only rows
// that something changed in are looked at.
import type { AddressGroup } from './address-groups.ts';
import { type ChangeLayer, ChangeLayers, UNCHANGED } from './change-layers.ts';
import type { PacketSpace } from './packet-space.ts';
import { type PairId, type PairRow, PairRows } from './pair-rows.ts';
import type { SideRows } from './side-rows.ts';

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
  const layers = new ChangeLayers(groups, pairs, space);
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
