import { describe, expect, it } from 'vitest';
import { MultiIndex, searchOptions } from '../../../src/calc/selector-search.ts';
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

describe('MultiIndex', () => {
  it('counts what is filed under keys, so that the rarest can be chosen', () => {
    const index = new MultiIndex<string>();
    for (const item of ['one', 'two', 'three']) index.addItem('app', 'web', item);
    index.addItem('namespace', 'shop', 'one');
    expect(index.count([{ label: 'app', value: 'web' }])).toBe(3);
    expect(index.count([{ label: 'namespace', value: 'shop' }])).toBe(1);
    expect(index.count([{ label: 'app' }, { label: 'namespace' }])).toBe(4);
    expect(index.count([])).toBe(0);
    index.deleteItem('namespace', 'shop', 'one');
    expect(index.count([{ label: 'namespace', value: 'shop' }])).toBe(0);
  });
});
