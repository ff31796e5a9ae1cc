import { describe, expect, it } from 'vitest';
import { ItemIndex, searchOptions } from '../../../src/calc/selector-search.ts';
import { parseSelector } from '../../../src/model/selector/parser.ts';

describe('searchOptions', () => {
  it.each([
    ['a == "x" && has(b)', [[{ label: 'a', value: 'x' }], [{ label: 'b' }]]],
    [
      'a in {"x", "y"}',
      [
        [
          { label: 'a', value: 'x' },
          { label: 'a', value: 'y' },
        ],
      ],
    ],
    ['a == "x" && a == "y"', [[]]],
    ['!has(a)', [[{}]]],
    ['all()', [[{}]]],
    [
      'a == "x" || b == "y"',
      [
        [
          { label: 'a', value: 'x' },
          { label: 'b', value: 'y' },
        ],
      ],
    ],
    ['has(c) && (a == "x" || has(b))', [[{ label: 'a', value: 'x' }, { label: 'b' }], [{ label: 'c' }]]],
    ['a == "x" || !has(b)', [[{}]]],
  ])('of %s narrow the search as far as it goes', (text, expected) => {
    expect(searchOptions(parseSelector(text))).toEqual(expected);
  });
});

describe('ItemIndex', () => {
  const item = (sequence: number, labels: Record<string, string>) => ({
    sequence,
    labels: new Map(Object.entries(labels)),
  });
  const one = item(1, { app: 'web', namespace: 'shop' });
  const two = item(2, { app: 'api' });
  const three = item(3, { app: 'web' });

  function indexOf(...items: (typeof one)[]): ItemIndex<typeof one> {
    return new ItemIndex(() => items);
  }

  it('counts what satisfies keys, so that the rarest can be chosen', () => {
    const index = indexOf(one, two, three);
    expect(index.count([{ label: 'app', value: 'web' }])).toBe(2);
    expect(index.count([{ label: 'namespace', value: 'shop' }])).toBe(1);
    expect(index.count([{ label: 'app' }, { label: 'namespace' }])).toBe(4);
    expect(index.count([])).toBe(0);
  });

  it('keeps labels current that were asked for before', () => {
    const index = indexOf(one);
    expect(index.count([{ label: 'app', value: 'web' }])).toBe(1);
    index.add(three);
    index.delete(one);
    expect([...index.items('app', 'web')]).toEqual([three]);
    index.delete(three);
    expect(index.count([{ label: 'app' }])).toBe(0);
  });

  it('finds who has a label in the order in which they came', () => {
    expect([...indexOf(one, two, three).items('app', undefined)]).toEqual([one, two, three]);
  });
});
