import { describe, expect, it } from 'vitest';
import { coverLayer } from '../../../../src/analysis/diff/rectangles.ts';
import { bitsFrom } from '../../../../src/tables/bit-sets.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

/** Rows as text, `1` for a cell. */
function layerOf(rows: readonly string[]): Parameters<typeof coverLayer>[0] {
  const cellsOf = (row: string): number[] => [...row].flatMap((cell, index) => (cell === '1' ? [index] : []));
  return {
    rows: rows.flatMap((row, source) =>
      row.includes('1') ? [{ source, cells: bitsFrom(cellsOf(row), rows[0]?.length ?? 0) }] : [],
    ),
  };
}

function cover(rows: readonly string[], spare: readonly (readonly number[])[] = rows.map(() => [])): string[] {
  return coverLayer(layerOf(rows), spare).map(
    ({ sources, destinations }) => `${sources.join('')}>${destinations.join('')}`,
  );
}

const OWN = [[0], [1], [2], [3]];

describe('coverLayer', () => {
  it.each([
    ['one rectangle', ['1100', '1100', '0000', '0000'], ['01>01']],
    ['a cross as two overlapping rectangles', ['1111', '0100', '0100', '0100'], ['0>0123', '0123>1']],
    ['blocks as one rectangle each', ['1100', '1100', '0011', '0011'], ['01>01', '23>23']],
    ['nothing twice where little is left', ['1100', '0100', '0110', '0000'], ['1>1', '0>01', '2>12']],
  ])('covers %s', (_, rows, expected) => {
    expect(cover(rows)).toEqual(expected);
  });

  it('tells everyone and everyone, though nobody speaks to itself', () => {
    expect(cover(['0111', '1011', '1101', '1110'], OWN)).toEqual(['0123>0123']);
  });

  it('tells everyone to one, the one included', () => {
    expect(cover(['0001', '0001', '0001', '0000'], OWN)).toEqual(['0123>3']);
  });

  it('covers exactly the cells of random layers, with no more rectangles than rows or columns', () => {
    const seed = newSeed('rectangles');
    for (let index = 0; index < 400; index += 1) {
      const random = new Random(seed, index);
      const size = random.between(1, 12);
      const patterns = random.list(1, 4, () =>
        Array.from({ length: size }, () => (random.chance(40) ? '1' : '0')).join(''),
      );
      const hasSpare = random.chance(50);
      const rows = Array.from({ length: size }, (_, row) => {
        const cells = [...random.pick(patterns)];
        if (hasSpare) cells[row] = '0';
        return cells.join('');
      });
      const found = coverLayer(
        layerOf(rows),
        rows.map((_, row) => (hasSpare ? [row] : [])),
      );
      for (const [source, row] of rows.entries()) {
        for (const [destination, cell] of [...row].entries()) {
          if (hasSpare && source === destination) continue;
          const isCovered = found.some(
            ({ sources, destinations }) => sources.includes(source) && destinations.includes(destination),
          );
          expect(isCovered, `${index}: ${rows.join(' ')} at ${source},${destination}`).toBe(cell === '1');
        }
      }
      expect(found.length).toBeLessThanOrEqual(new Set(rows).size);
    }
  });
});
