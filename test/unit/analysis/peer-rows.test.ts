import { describe, expect, it } from 'vitest';
import type { JointClass } from '../../../src/analysis/joint-classes.ts';
import { PeerRows } from '../../../src/analysis/peer-rows.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

/** Enough classes for some sets to be wide. */
const CLASSES = 700;
const SETS = [1, 2, 3, 4, 5, 6, 7, 8];

function textOf({ family, sets }: { family: number; sets: ReadonlySet<number> }): string {
  return `${family}: ${[...sets].sort().join()}`;
}

describe('the rows of a list', () => {
  it('are all combinations of its sets that some class shows, each once', { timeout: 120_000 }, () => {
    const random = new Random(newSeed('peer rows'));
    const frequencies = SETS.map(() => random.pick([1, 10, 50, 95]));
    const classes = Array.from({ length: CLASSES }, (_, id): JointClass => {
      const sets = new Set(SETS.filter((_, index) => random.chance(frequencies[index] as number)));
      return { id, family: random.pick([4, 6] as const), sets: [sets] };
    });
    const rows = new PeerRows(classes, 0);
    for (let round = 0; round < 40; round += 1) {
      const mentioned = new Set(random.some([...SETS, 99]));
      const found = rows.rowsOf(mentioned).map(textOf);
      const expected = classes.map(({ family, sets }) => {
        return textOf({ family, sets: new Set([...(sets[0] ?? [])].filter((set) => mentioned.has(set))) });
      });
      expect([...found].sort()).toEqual([...new Set(expected)].sort());
    }
  });
});
