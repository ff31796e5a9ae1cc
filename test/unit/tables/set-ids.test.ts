import { describe, expect, it } from 'vitest';
import { PeerRuleIndex } from '../../../src/tables/peer-rule-index.ts';
import { FewSets, SetIds } from '../../../src/tables/set-ids.ts';

describe('ids of sets', () => {
  it.each([
    { name: 'none', given: [], ids: [] },
    { name: 'without gaps', given: [7, 5, 6, 5], ids: [5, 6, 7] },
    { name: 'with gaps', given: [9, 1, 4, 9, 1], ids: [1, 4, 9] },
    { name: 'far apart', given: [4_000_000_000, 0], ids: [0, 4_000_000_000] },
  ])('are each there once, in order: $name', ({ given, ids }) => {
    const sets = new SetIds(given);
    expect([...sets]).toEqual(ids);
    expect(sets.size).toBe(ids.length);
    expect(ids.map((id) => sets.indexOf(id))).toEqual([...ids.keys()]);
    expect([2, 3, 8, 10, 11].map((id) => sets.has(id))).toEqual([2, 3, 8, 10, 11].map((id) => given.includes(id)));
  });

  it('are found among a few', () => {
    const few = new FewSets([2, 5, 8]);
    expect([1, 2, 3, 5, 7, 8, 9].filter((id) => few.has(id))).toEqual([2, 5, 8]);
    expect(new FewSets([]).has(1)).toBe(false);
  });
});

describe('rules by the sets of peers that they ask for', () => {
  const index = new PeerRuleIndex([30, 10, 30, 20, 10], [0, 1, 4, 6, 9]);

  it.each([
    { sets: [], rules: [] },
    { sets: [11], rules: [] },
    { sets: [30], rules: [0, 4] },
    { sets: [10, 11, 30], rules: [0, 1, 4, 9] },
    { sets: [10, 20, 30], rules: [0, 1, 4, 6, 9] },
  ])('are found in order: sets $sets', ({ sets, rules }) => {
    expect(index.behind(sets)).toEqual(rules);
  });
});
