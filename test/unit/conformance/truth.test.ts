// The truth tables' own notation: a case that is misspelt must not pass for one that says less.
import { describe, expect, it } from 'vitest';
import { describeCell, truthCells } from '../../support/conformance/truth.ts';

const PODS = ['x/a', 'x/b', 'y/a'].map((name) => ({ name, addresses: [] }));
const PORTS = [
  { protocol: 'TCP', port: 80, name: 'http' },
  { protocol: 'UDP', port: 53, name: 'dns' },
] as const;

function denied(...rows: string[]): string[] {
  return truthCells(rows, PODS, PORTS)
    .filter((cell) => !cell.isAllowed)
    .map(describeCell);
}

describe('truth rows', () => {
  it('begin with every ordered pair of different pods open, at every port, in both families', () => {
    expect(truthCells([], PODS, PORTS)).toHaveLength(3 * 2 * 2 * 2);
    expect(denied()).toEqual([]);
  });

  it.each<[string[], string[]]>([
    [['deny x/a -> x/b : TCP80 v4'], ['x/a -> x/b TCP80 v4']],
    [['deny x/a -> x/b : TCP'], ['x/a -> x/b TCP80 v4', 'x/a -> x/b TCP80 v6']],
    [['deny x/* -> y/* : v6 UDP53'], ['x/a -> y/a UDP53 v6', 'x/b -> y/a UDP53 v6']],
    [['deny */a -> x/b : TCP v4'], ['x/a -> x/b TCP80 v4', 'y/a -> x/b TCP80 v4']],
    [['deny * -> x/b : TCP UDP v4', 'allow x/a -> x/b', 'allow y/a -> x/b : UDP'], ['y/a -> x/b TCP80 v4']],
    [['deny x/a, y/a -> x/b : TCP v4', 'allow x/a -> x/b'], ['y/a -> x/b TCP80 v4']],
  ])('%j closes %j', (rows, expected) => {
    expect(denied(...rows)).toEqual(expected);
  });

  it.each([
    ['forbid x/a -> x/b', 'not a truth row'],
    ['deny x/a', 'not a truth row'],
    ['deny x/a -> x/b : TCP81', 'not a truth row'],
    ['deny x/a -> x/b : v4 v6', 'not a truth row'],
    ['deny x/c -> x/b', 'no pod x/c'],
    ['deny x/a -> x/a', 'changes nothing'],
    ['allow x/a -> x/b', 'changes nothing'],
  ])('refuse %j: %s', (row, problem) => {
    expect(() => truthCells([row], PODS, PORTS)).toThrow(problem);
  });
});
