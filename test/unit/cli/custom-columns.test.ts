import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../src/agent/store/manifest.ts';
import { cellsOf, parseColumns, sortObjects } from '../../../src/cli/custom-columns.ts';

const OBJECT = {
  metadata: { name: 'a', labels: { 'example.com/x': 'y' } },
  spec: { order: 2, nets: ['10.0.0.0/8', '10.1.0.0/16'], empty: [], none: null, hostile: 'a\nb\u001b[2J', on: false },
};

function named(name: string, spec: object): Manifest {
  return { metadata: { name }, spec };
}

function sorted(path: string, ...specs: readonly object[]): string[] {
  const objects = specs.map((spec, index) => named(`${index}`, spec));
  return sortObjects(objects, path).map(({ metadata }) => (metadata as { name: string }).name);
}

describe('parseColumns and cellsOf', () => {
  it.each([
    ['NAME:.metadata.name,ORDER:.spec.order', ['NAME', 'ORDER'], ['a', '2']],
    ['NAME:metadata.name,X:{.spec.order}', ['NAME', 'X'], ['a', '2']],
    ['NETS:.spec.nets[*]', ['NETS'], ['10.0.0.0/8,10.1.0.0/16']],
    ['NETS:.spec.nets', ['NETS'], ['["10.0.0.0/8","10.1.0.0/16"]']],
    ['TWO:.spec.nets[0,1],ONE:.spec.nets[:1]', ['TWO', 'ONE'], ['10.0.0.0/8,10.1.0.0/16', '10.0.0.0/8']],
    ["X:.metadata.labels['example.com/x']", ['X'], ['y']],
    ['X:.metadata.labels.example\\.com/x', ['X'], ['y']],
    [
      'A:.no.such,B:.spec.none,C:.spec.empty[0],D:.spec.on',
      ['A', 'B', 'C', 'D'],
      ['<none>', '<none>', '<none>', 'false'],
    ],
    ['X:.spec.hostile', ['X'], ['a\\u000ab\\u001b[2J']],
  ])('finds %s', (text, titles, cells) => {
    const columns = parseColumns(text);
    expect(columns.map(({ title }) => title)).toEqual(titles);
    expect(cellsOf(OBJECT, columns)).toEqual(cells);
  });

  it.each([
    ['', 'TITLE:PATH'],
    ['NAME', 'TITLE:PATH'],
    ['NAME:', 'TITLE:PATH'],
    [':.a', 'TITLE:PATH'],
    ['A:.a,,B:.b', 'is not understood'],
    ['A:.a,.b', 'is not understood'],
    ['A:{.a}{.b}', 'is not understood'],
    ['A:{.a', 'is not understood'],
    ['A:"text"', 'is not understood'],
  ])('refuses %j', (text, says) => {
    expect(() => parseColumns(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => parseColumns(text)).toThrow(says);
  });
});

describe('sortObjects', () => {
  it.each([
    ['.spec.a', [{ a: 10 }, { a: 9 }, { a: 0.5 }], ['2', '1', '0']],
    ['{.spec.a}', [{ a: 'web-10' }, { a: 'web-9' }, { a: 'db' }], ['2', '1', '0']],
    ['spec.a', [{ a: 1 }, {}, { a: null }, { a: 'x' }, { a: 0 }], ['1', '2', '4', '0', '3']],
    ['.spec.a', [{ a: 1 }, { a: 1 }, { a: 0 }], ['2', '0', '1']],
    ['.spec.a[0]', [{ a: [2] }, { a: [] }, { a: [1] }], ['1', '2', '0']],
  ])('by %s', (path, specs, names) => {
    expect(sorted(path, ...specs)).toEqual(names);
  });

  it('refuses a path that finds nothing in any of several objects', () => {
    expect(() => sorted('.spec.b', { a: 1 }, { a: 2 })).toThrow('sort by .spec.b: no object has such a field');
    expect(() => sorted('.spec.{', {})).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(sorted('.spec.b')).toEqual([]);
  });
});
