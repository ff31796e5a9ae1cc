import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqual } from '../../../src/base/equal.ts';

describe('isEqual', () => {
  it('finds a copy equal to its original', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isEqual(value, structuredClone(value))).toBe(true);
      }),
    );
  });

  it('treats a field that is undefined as absent', () => {
    expect(isEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(isEqual({ a: undefined }, { b: 1 })).toBe(false);
  });

  it('reads no field of a name that is left out', () => {
    const unreadable = (b: number): unknown => [
      {
        get a() {
          throw new Error('read');
        },
        b,
      },
    ];
    expect(isEqual(unreadable(1), unreadable(1), 'a')).toBe(true);
    expect(isEqual(unreadable(1), unreadable(2), 'a')).toBe(false);
    expect(isEqual([{ b: 1 }], unreadable(1), 'a')).toBe(true);
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }, { b: 1 }],
    [[1], [1, 2]],
    [[], {}],
    [null, {}],
    ['1', 1],
  ])('tells %j from %j', (a, b) => {
    expect(isEqual(a, b)).toBe(false);
    expect(isEqual(b, a)).toBe(false);
  });
});
