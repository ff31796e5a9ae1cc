// Few rectangles that cover a matrix of bits exactly. Candidates are, for each row, the row's columns with every row that
// has them all, and for each column likewise: together they always cover, and they are as large as can be.
import { type BitSet, forEachBit } from '../../tables/bit-sets.ts';

/** A matrix by rows and by columns. No two rows are equal, and no two columns. */
export interface Matrix {
  readonly rows: readonly BitSet[];
  readonly columns: readonly BitSet[];
  /** What each row and each column counts for. */
  readonly weights: { readonly rows: readonly number[]; readonly columns: readonly number[] };
}

export interface Block {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** Beyond these many steps or cells the search would take seconds: rows or columns are taken as they are. */
const MAX_STEPS = 1e9;
const MAX_CELLS = 5e7;

/** Blocks of set cells that together have every set cell. */
export function coverByConcepts(matrix: Matrix): Block[] {
  const plain = shorter(
    matrix.rows.map((cells, row) => ({ rows: [row], columns: membersOf(cells) })),
    matrix.columns.map((cells, column) => ({ rows: membersOf(cells), columns: [column] })),
  );
  const { rows, columns } = matrix;
  const steps = (rows.length + columns.length) * ((rows.length * columns.length) / 32);
  if (plain.length === 1 || steps > MAX_STEPS || rows.length * columns.length > MAX_CELLS) return plain;
  return shorter(trimmed(withoutRedundant(candidates(matrix), rows.length, columns.length), matrix), plain);
}

function shorter(a: Block[], b: Block[]): Block[] {
  return b.length < a.length ? b : a;
}

/** Largest first. */
function candidates({ rows, columns, weights }: Matrix): Block[] {
  const byRow = rows.map((cells) => ({ rows: supersets(rows, columns, cells), columns: membersOf(cells) }));
  const byColumn = columns.map((cells) => ({ rows: membersOf(cells), columns: supersets(columns, rows, cells) }));
  const areaOf = (block: Block): number => weigh(block.rows, weights.rows) * weigh(block.columns, weights.columns);
  const sized = [...byRow, ...byColumn].map((block) => ({ block, area: areaOf(block) }));
  return sized.sort((a, b) => b.area - a.area).map(({ block }) => block);
}

/** Takes blocks that have a cell no block before has, then drops those whose cells others have too, smallest first. */
function withoutRedundant(blocks: readonly Block[], height: number, width: number): Block[] {
  const covers = new Covers(height, width);
  const taken: Block[] = [];
  for (const block of blocks) {
    if (covers.isWithin(block, 1)) continue;
    taken.push(block);
    covers.add(block, 1);
  }
  const kept = new Set(taken);
  for (const block of taken.toReversed()) {
    if (!covers.isWithin(block, 2)) continue;
    kept.delete(block);
    covers.add(block, -1);
  }
  return taken.filter((block) => kept.has(block));
}

/**
 * Takes rows and columns off a block that other blocks have too, where little is left: "the office to everyone" is
 * better than "everyone and the office to everyone", but "everyone" is better than "everyone but the office".
 */
function trimmed(blocks: readonly Block[], { rows, columns, weights }: Matrix): Block[] {
  const covers = new Covers(rows.length, columns.length);
  for (const block of blocks) covers.add(block, 1);
  const trim = (block: Block, rest: Block, isLittle: boolean): Block => {
    if (!isLittle) return block;
    covers.add(block, -1);
    covers.add(rest, 1);
    return rest;
  };
  return blocks.map((block) => {
    const ownRows = block.rows.filter((row) => !covers.isWithin({ rows: [row], columns: block.columns }, 2));
    const isFewRows = 2 * weigh(ownRows, weights.rows) <= weigh(block.rows, weights.rows);
    const lower = trim(block, { rows: ownRows, columns: block.columns }, isFewRows);
    const ownColumns = lower.columns.filter((column) => !covers.isWithin({ rows: lower.rows, columns: [column] }, 2));
    const isFewColumns = 2 * weigh(ownColumns, weights.columns) <= weigh(lower.columns, weights.columns);
    return trim(lower, { rows: lower.rows, columns: ownColumns }, isFewColumns);
  });
}

/** How many blocks have each cell. */
class Covers {
  readonly #width: number;
  readonly #counts: Uint16Array;

  constructor(height: number, width: number) {
    this.#width = width;
    this.#counts = new Uint16Array(height * width);
  }

  add({ rows, columns }: Block, step: 1 | -1): void {
    for (const row of rows) {
      for (const column of columns) {
        const at = row * this.#width + column;
        this.#counts[at] = (this.#counts[at] as number) + step;
      }
    }
  }

  /** Whether every cell of the block has at least so many. */
  isWithin({ rows, columns }: Block, least: number): boolean {
    return rows.every((row) =>
      columns.every((column) => (this.#counts[row * this.#width + column] as number) >= least),
    );
  }
}

function weigh(members: readonly number[], weights: readonly number[]): number {
  return members.reduce((sum, member) => sum + (weights[member] as number), 0);
}

/** Lines that have every one of the cells: they cross the first of them. */
function supersets(lines: readonly BitSet[], crossing: readonly BitSet[], cells: BitSet): number[] {
  const [first] = membersOf(cells);
  if (first === undefined) return [];
  return membersOf(crossing[first] as BitSet).filter((line) => contains(lines[line] as BitSet, cells));
}

function contains(outer: BitSet, inner: BitSet): boolean {
  for (let index = 0; index < inner.length; index += 1) {
    if (((inner[index] as number) & ~(outer[index] as number)) !== 0) return false;
  }
  return true;
}

function membersOf(cells: BitSet): number[] {
  const members: number[] = [];
  forEachBit(cells, (member) => members.push(member));
  return members;
}
