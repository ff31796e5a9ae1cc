import { describe, expect, it } from 'vitest';
import { isEqual } from '../../../src/base/equal.ts';
import { lazyField } from '../../../src/base/lazy-field.ts';

function counted(): { readonly calls: () => number; readonly withTotal: (a: number, b: number) => object } {
  let calls = 0;
  const field = lazyField('total', ({ a, b }: { readonly a: number; readonly b: number }) => {
    calls += 1;
    return a + b;
  });
  return { calls: () => calls, withTotal: (a, b) => field({ a }, { a, b }) };
}

describe('lazyField', () => {
  it('makes nothing until the field is read, and then once', () => {
    const { calls, withTotal } = counted();
    const object = withTotal(1, 2) as { readonly total: number };
    expect(calls()).toBe(0);
    expect([object.total, object.total]).toEqual([3, 3]);
    expect(calls()).toBe(1);
  });

  it('keeps the values of objects apart', () => {
    const { withTotal } = counted();
    expect([withTotal(1, 2), withTotal(3, 4)]).toEqual([
      { a: 1, total: 3 },
      { a: 3, total: 7 },
    ]);
  });

  it('reads as any field in copies, comparisons and JSON', () => {
    const object = counted().withTotal(1, 2);
    expect({ ...object }).toEqual({ a: 1, total: 3 });
    expect(isEqual(object, { a: 1, total: 3 })).toBe(true);
    expect(JSON.stringify(object)).toBe('{"a":1,"total":3}');
  });

  it('freezes the object', () => {
    expect(Object.isFrozen(counted().withTotal(1, 2))).toBe(true);
  });

  it('remembers that there is no value', () => {
    let calls = 0;
    const field = lazyField('nothing', () => {
      calls += 1;
      return undefined;
    });
    const object = field({}, undefined);
    expect([object.nothing, object.nothing]).toEqual([undefined, undefined]);
    expect(calls).toBe(1);
  });
});
