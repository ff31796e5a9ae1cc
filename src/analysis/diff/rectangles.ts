// Covers the cells of a change layer with few rectangles (sources x destinations) that hold nothing else. Rectangles may
// overlap: "everyone to shop" and "bar to everyone" is how people tell a cross.
import { type BitSet, forEachBit } from '../../tables/bit-sets.ts';
import { BitSetIndex } from './bit-set-index.ts';
import type { ChangeLayer } from './change-layers.ts';
import { coverByConcepts } from './concepts.ts';

/** Group indexes, ascending. Cells between groups of one single endpoint are covered or not, as it suits. */
export interface Rectangle {
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
}

/** Rows (or columns) with the same cells. */
interface Line {
  readonly members: readonly number[];
  readonly cells: BitSet;
}

/** spare[group] = the groups that have the same single endpoint. Deterministic for groups in the same order. */
export function coverLayer(
  { rows }: Pick<ChangeLayer, 'rows'>,
  spare: readonly (readonly number[])[],
): readonly Rectangle[] {
  const cells = new Map(rows.map((row) => [row.source, row.cells]));
  const lines = groupLines(settleSpareCells(cells, spare));
  const columns = groupLines(columnsOf(lines, spare.length));
  const membersOfRows = lines.map(({ members }) => members);
  const membersOfColumns = columns.map(({ members }) => members);
  const weights = { rows: membersOfRows.map(sizeOf), columns: membersOfColumns.map(sizeOf) };
  const blocks = coverByConcepts({ ...quotient(lines, columns), weights });
  return blocks
    .map((block) => ({
      sources: joined(block.rows, membersOfRows),
      destinations: joined(block.columns, membersOfColumns),
    }))
    .filter(({ sources, destinations }) => !sources.every((source) => includesAll(spare[source] ?? [], destinations)));
}

/** Spare cells are filled where that makes a row equal to others: the fewer different rows, the fewer rectangles. */
function settleSpareCells(
  rows: ReadonlyMap<number, BitSet>,
  spare: readonly (readonly number[])[],
): Map<number, BitSet> {
  const index = new BitSetIndex();
  const counts: number[] = [];
  const count = (cells: BitSet): number => {
    const id = index.idOf(cells);
    counts[id] = (counts[id] ?? 0) + 1;
    return id;
  };
  const variants = [...rows].map(([source, cells]) => {
    const filled = fill(cells, spare[source] ?? []);
    const plainId = count(cells);
    return { source, cells, filled, plainId, filledId: filled === cells ? plainId : count(filled) };
  });
  const settled = new Map<number, BitSet>();
  const chosen = new Set<number>();
  for (const { source, cells, filled, plainId, filledId } of variants) {
    const isFilled = (counts[filledId] as number) > (counts[plainId] as number);
    settled.set(source, isFilled ? filled : cells);
    chosen.add(isFilled ? filledId : plainId);
  }
  const words = variants[0]?.cells.length ?? 0;
  for (const [source, cells] of spare.entries()) {
    if (cells.length === 0 || rows.has(source)) continue;
    const filled = fill(new Uint32Array(words), cells);
    if (chosen.has(index.idOf(filled))) settled.set(source, filled);
  }
  return new Map([...settled].sort(([a], [b]) => a - b));
}

function fill(cells: BitSet, added: readonly number[]): BitSet {
  if (added.every((cell) => isSet(cells, cell))) return cells;
  const filled = cells.slice();
  for (const cell of added) filled[cell >>> 5] = (filled[cell >>> 5] as number) | (1 << (cell & 31));
  return filled;
}

function groupLines(lines: ReadonlyMap<number, BitSet>): Line[] {
  const index = new BitSetIndex();
  const grouped: { members: number[]; cells: BitSet }[] = [];
  for (const [member, cells] of lines) {
    const id = index.idOf(cells);
    if (id === grouped.length) grouped.push({ members: [member], cells });
    else grouped[id]?.members.push(member);
  }
  return grouped;
}

/** For each destination the row classes that have it. */
function columnsOf(lines: readonly Line[], groupCount: number): Map<number, BitSet> {
  const words = Math.ceil(lines.length / 32);
  const columns: (BitSet | undefined)[] = new Array(groupCount).fill(undefined);
  for (const [row, { cells }] of lines.entries()) {
    forEachBit(cells, (destination) => {
      const column = columns[destination] ?? new Uint32Array(words);
      column[row >>> 5] = (column[row >>> 5] as number) | (1 << (row & 31));
      columns[destination] = column;
    });
  }
  return new Map([...columns.entries()].filter((entry): entry is [number, BitSet] => entry[1] !== undefined));
}

/** For each row class the column classes that it has. */
function quotient(lines: readonly Line[], columns: readonly Line[]): { rows: BitSet[]; columns: BitSet[] } {
  const words = Math.ceil(columns.length / 32);
  const rows = lines.map(() => new Uint32Array(words));
  for (const [column, { cells }] of columns.entries()) {
    forEachBit(cells, (row) => {
      const line = rows[row] as BitSet;
      line[column >>> 5] = (line[column >>> 5] as number) | (1 << (column & 31));
    });
  }
  return { rows, columns: columns.map(({ cells }) => cells) };
}

function includesAll(groups: readonly number[], wanted: readonly number[]): boolean {
  return wanted.length <= groups.length && wanted.every((group) => groups.includes(group));
}

function sizeOf(members: readonly number[]): number {
  return members.length;
}

function joined(classes: readonly number[], members: readonly (readonly number[])[]): number[] {
  return classes.flatMap((one) => members[one] as readonly number[]).sort((a, b) => a - b);
}

function isSet(cells: BitSet, cell: number): boolean {
  return (((cells[cell >>> 5] as number) >>> (cell & 31)) & 1) === 1;
}
