import { describe, expect, it } from 'vitest';
import { RegionStore } from '../../../src/tables/region-store.ts';

function newStore(capacity = 64): RegionStore {
  return new RegionStore({ name: 'tt_test', capacity, granularity: 4, reserved: 4, setting: 'tables.test' });
}

describe('RegionStore', () => {
  it('stores equal content once', () => {
    const store = newStore();
    store.beginImage();
    const first = store.intern(Uint32Array.of(1, 2, 3));
    expect(store.intern(Uint32Array.of(1, 2, 3))).toBe(first);
    expect(store.intern(Uint32Array.of(1, 2, 3, 0))).not.toBe(first);
    expect(store.written).toHaveLength(2);
  });

  it('never hands out offset 0', () => {
    const store = newStore();
    store.beginImage();
    expect(store.intern(new Uint32Array(4))).toBe(4);
  });

  it('keeps what the image before uses until it is swept', () => {
    const store = newStore(12);
    store.beginImage();
    const old = store.intern(Uint32Array.of(1));
    store.beginImage();
    const fresh = store.intern(Uint32Array.of(2));
    expect(fresh).not.toBe(old);
    expect(store.words[old]).toBe(1);
    store.sweep();
    expect(store.intern(Uint32Array.of(3))).toBe(old);
  });

  it('keeps a touched region without writing it again', () => {
    const store = newStore();
    store.beginImage();
    const kept = store.intern(Uint32Array.of(7));
    store.beginImage();
    store.touch(kept);
    store.sweep();
    expect(store.written).toEqual([]);
    expect(store.intern(Uint32Array.of(7))).toBe(kept);
  });

  it('joins free neighbours when a larger region is needed', () => {
    const store = newStore(12);
    store.beginImage();
    store.intern(Uint32Array.of(1));
    store.intern(Uint32Array.of(2));
    store.beginImage();
    store.sweep();
    expect(store.intern(new Uint32Array(8).fill(9))).toBe(4);
  });

  it('refuses what does not fit and says which setting to raise', () => {
    const store = newStore(12);
    store.beginImage();
    store.intern(Uint32Array.of(1));
    expect(() => store.intern(new Uint32Array(8))).toThrow(/tt_test.*raise tables\.test/);
  });

  it('gives back what an abandoned image wrote', () => {
    const store = newStore(12);
    store.beginImage();
    store.intern(Uint32Array.of(1));
    store.beginImage();
    store.intern(Uint32Array.of(2));
    store.abandonImage();
    store.beginImage();
    expect(store.intern(Uint32Array.of(3))).toBe(8);
  });

  it('adopts the regions of an earlier process and writes around them', () => {
    const array = new Uint32Array(64);
    array.set([5, 6], 12);
    const store = newStore();
    store.adopt(array, [{ offset: 12, length: 2 }]);
    store.beginImage();
    expect(store.intern(Uint32Array.of(5, 6))).toBe(12);
    expect(store.written).toEqual([]);
    expect([
      store.intern(Uint32Array.of(1)),
      store.intern(Uint32Array.of(2)),
      store.intern(Uint32Array.of(3)),
    ]).not.toContain(12);
  });
});
