import { describe, expect, it } from 'vitest';
import { RegionStore } from '../../../src/tables/region-store.ts';

function newStore(capacity = 64): RegionStore {
  return new RegionStore({
    name: 'tt_test',
    capacity,
    granularity: 4,
    reserved: 4,
    setting: 'tables.test',
    most: 2 ** 20,
  });
}

describe('RegionStore', () => {
  it('stores equal content once', () => {
    const store = newStore();
    store.beginImage();
    const first = store.intern(Uint32Array.of(1, 2, 3));
    expect(store.intern(Uint32Array.of(1, 2, 3))).toBe(first);
    expect(store.intern(Uint32Array.of(1, 2, 3, 0))).not.toBe(first);
    expect(store.writtenCount).toBe(2);
    expect(store.written).toEqual([{ offset: 4, length: 8 }]);
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
    store.release(old);
    const fresh = store.intern(Uint32Array.of(2));
    expect(fresh).not.toBe(old);
    expect(store.words[old]).toBe(1);
    store.sweep();
    expect(store.intern(Uint32Array.of(3))).toBe(old);
  });

  it('keeps what has uses without writing it again', () => {
    const store = newStore();
    store.beginImage();
    const kept = store.intern(Uint32Array.of(7));
    store.beginImage();
    store.sweep();
    expect(store.written).toEqual([]);
    expect(store.intern(Uint32Array.of(7))).toBe(kept);
  });

  it('finds what has no uses any more by its content, until it is swept', () => {
    const store = newStore();
    store.beginImage();
    const kept = store.intern(Uint32Array.of(7));
    store.release(kept);
    expect(store.intern(Uint32Array.of(7))).toBe(kept);
    store.sweep();
    expect(store.intern(Uint32Array.of(7))).toBe(kept);
    expect(store.writtenCount).toBe(1);
  });

  it('gives a patched region the place that its content would have', () => {
    const store = newStore();
    store.beginImage();
    const base = store.intern(Uint32Array.of(1, 2, 3, 4, 5));
    const patched = store.internPatched(base, { positions: [1, 4], words: [20, 50] });
    expect([...store.words.subarray(patched, patched + 5)]).toEqual([1, 20, 3, 4, 50]);
    expect([...store.words.subarray(base, base + 5)]).toEqual([1, 2, 3, 4, 5]);
    expect(store.intern(Uint32Array.of(1, 20, 3, 4, 50))).toBe(patched);
    expect(store.internPatched(patched, { positions: [4, 1], words: [5, 2] })).toBe(base);
  });

  it('keeps everything that was there when an image is given up, until another is complete', () => {
    const store = newStore(12);
    store.beginImage();
    const old = store.intern(Uint32Array.of(1));
    store.beginImage();
    store.intern(Uint32Array.of(2));
    store.abandonImage();
    store.sweep();
    expect(store.words[old]).toBe(1);
    store.beginImage();
    expect(store.intern(Uint32Array.of(1))).toBe(old);
    const fresh = store.intern(Uint32Array.of(3));
    store.completeImage();
    store.sweep();
    expect([store.words[old], store.words[fresh]]).toEqual([1, 3]);
  });

  it('joins free neighbours when a larger region is needed', () => {
    const store = newStore(12);
    store.beginImage();
    const small = [store.intern(Uint32Array.of(1)), store.intern(Uint32Array.of(2))];
    store.beginImage();
    for (const offset of small) store.release(offset);
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

  it('has room for what it was promised, however full the rest is', () => {
    const store = new RegionStore({
      name: 'tt_test',
      capacity: 64,
      granularity: 4,
      reserved: 4,
      setting: 'tables.test',
      most: 2 ** 20,
      slots: [16, 16],
    });
    store.beginImage();
    for (let region = 0; region < 7; region += 1) store.intern(Uint32Array.of(region));
    expect(() => store.intern(Uint32Array.of(99))).toThrow(/found 28 of 64 words used and 4 more needed/);
    expect(store.intern(new Uint32Array(16).fill(1))).toBe(4 + 16);
    expect(store.intern(new Uint32Array(16).fill(2))).toBe(4);
    const adopting = new RegionStore({
      name: 'tt_test',
      capacity: 64,
      granularity: 4,
      reserved: 4,
      setting: 'tables.test',
      most: 2 ** 20,
      slots: [16, 16],
    });
    adopting.adopt(store.words, [{ offset: 4, length: 16 }]);
    adopting.beginImage();
    for (let region = 0; region < 7; region += 1) adopting.intern(Uint32Array.of(region));
    expect(adopting.intern(new Uint32Array(16).fill(3))).toBe(4 + 16);
  });

  it.each([
    ['that can be raised', 128, /\(raise tables\.test, which counts from the next start after tortie cleanup/],
    ['at its maximum', 64, /\(tables\.test is at its maximum: have fewer rules/],
  ])('says what helps when it is full, for a setting %s', (_, most, hint) => {
    const store = new RegionStore({
      name: 'tt_test',
      capacity: 64,
      granularity: 4,
      reserved: 4,
      setting: 'tables.test',
      most,
    });
    store.beginImage();
    expect(() => store.intern(new Uint32Array(100))).toThrow(hint);
  });

  it('refuses an image that leaves too little room for the next, those of images before not counted', () => {
    const store = new RegionStore({
      name: 'tt_test',
      capacity: 32,
      granularity: 4,
      reserved: 4,
      setting: 'tables.test',
      most: 2 ** 20,
      headroom: 20,
    });
    store.beginImage();
    const regions = [1, 2, 3].map((word) => store.intern(Uint32Array.of(word)));
    store.requireHeadroom();
    store.intern(Uint32Array.of(1));
    store.requireHeadroom();
    const fourth = store.intern(Uint32Array.of(4));
    expect(() => store.requireHeadroom()).toThrow(/found 16 of 32 words used and 20 more needed/);
    store.release(regions[1] as number);
    store.requireHeadroom();
    expect(store.regionWords).toBe(16);
    store.completeImage();
    store.sweep();
    expect(store.regionWords).toBe(12);
    expect(store.words[fourth]).toBe(4);
  });
});
