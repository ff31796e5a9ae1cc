import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IntervalSet, unionOf } from '../../../src/tables/interval-sets.ts';
import { NumberClasses, type Partition } from '../../../src/tables/number-classes.ts';
import { newSeed } from '../../support/worlds/questions.ts';

const SIZE = 40;
const range = fc
  .tuple(fc.nat(SIZE - 1), fc.nat(SIZE - 1))
  .map(([a, b]): readonly [number, number] => [Math.min(a, b), Math.max(a, b)]);
const sets = fc.array(fc.array(range, { minLength: 1, maxLength: 4 }).map(unionOf), { maxLength: 8 });

function isIn(set: IntervalSet, number: number): boolean {
  return set.some((first, index) => index % 2 === 0 && first <= number && number <= (set[index + 1] as number));
}

function idOf({ classes }: Partition, number: number): number {
  return classes[number] as number;
}

describe('NumberClasses', () => {
  it('put two numbers in one class when every set contains both or neither', () => {
    const seed = newSeed('number classes');
    const numbers = Array.from({ length: SIZE }, (_, index) => index);
    fc.assert(
      fc.property(fc.array(sets, { minLength: 1, maxLength: 4 }), (rounds) => {
        const classes = new NumberClasses(SIZE);
        for (const round of rounds) {
          const partition = classes.update(round);
          const signatures = numbers.map((number) => round.map((set) => (isIn(set, number) ? 1 : 0)).join(''));
          const pairs = numbers.map((number) => [idOf(partition, number), signatures[number]].join(':'));
          expect(new Set(pairs).size).toBe(new Set(signatures).size);
          expect(partition.ids).toHaveLength(new Set(signatures).size);
          for (const set of round) {
            const bits = partition.bitsOf(set);
            const hasBit = (id: number): boolean => (((bits[id >>> 5] as number) >>> (id & 31)) & 1) === 1;
            expect(numbers.map((number) => hasBit(idOf(partition, number)))).toEqual(
              numbers.map((number) => isIn(set, number)),
            );
          }
          for (const [id, example] of partition.examples) expect(idOf(partition, example)).toBe(id);
        }
      }),
      { numRuns: 200, seed },
    );
  });

  it('keep the ids of classes that a change does not split', () => {
    const classes = new NumberClasses(SIZE);
    const before = classes.update([
      [0, 9],
      [20, 29],
    ]);
    const after = classes.update([
      [0, 9],
      [20, 29],
      [25, 25],
    ]);
    for (const number of [0, 9, 10, 20, 29, 39]) expect(idOf(after, number)).toBe(idOf(before, number));
    expect(idOf(after, 25)).not.toBe(idOf(before, 25));
    expect(after.version).not.toBe(before.version);
  });

  it('keep the id of the rest when a single number moves to its neighbour and back', () => {
    const classes = new NumberClasses(1000);
    const first = classes.update([[10, 10]]);
    const rest = idOf(first, 700);
    for (const moved of [11, 10, 9, 10]) expect(idOf(classes.update([[moved, moved]]), 700)).toBe(rest);
  });

  it('give the same partition for the same sets', () => {
    const classes = new NumberClasses(SIZE);
    expect(classes.update([[1, 2]])).toBe(
      classes.update([
        [1, 2],
        [1, 2],
      ]),
    );
  });
});
