// Maps through the addon: single entries, batches, walks, shared memory.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BpfObject, loadNative } from '../../../src/kernel/native.ts';
import { BpffsMount, errorOf, openObject, u32, u64 } from './fixture.ts';

describe('a map', () => {
  let object: BpfObject;
  let bpffs: BpffsMount;

  beforeAll(() => {
    object = openObject();
    bpffs = new BpffsMount();
  });
  afterAll(() => {
    object.close();
    bpffs.close();
  });

  it('tells its definition', () => {
    const { id, ...rest } = object.map('numbers').info;
    expect(id).toBeGreaterThan(0);
    expect(rest).toEqual({ name: 'numbers', type: 1, keySize: 4, valueSize: 8, maxEntries: 4096, flags: 0 });
  });

  it('gives back what was written, and whether a key was there', () => {
    const map = object.map('numbers');
    expect(map.lookup(u32(7))).toBeUndefined();
    map.update(u32(7), u64(70n), 1);
    expect(map.lookup(u32(7))).toEqual(u64(70n));
    expect(errorOf(() => map.update(u32(7), u64(71n), 1))).toMatchObject({
      code: 'KERNEL',
      cause: { code: 'EEXIST', errno: 17 },
    });
    expect(errorOf(() => map.update(u32(8), u64(1n), 2))).toMatchObject({ cause: { code: 'ENOENT' } });
    expect(map.delete(u32(7))).toBe(true);
    expect(map.delete(u32(7))).toBe(false);
  });

  it('walks thousands of entries written in one batch', () => {
    const map = object.map('numbers');
    const keys = Uint32Array.from({ length: 3000 }, (_, index) => index);
    const values = BigUint64Array.from(keys, (key) => BigInt(key) * 3n);
    map.updateBatch(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), 3000);
    const entries = map.entries();
    const found = new Uint32Array(entries.keys.slice().buffer);
    const foundValues = new BigUint64Array(entries.values.slice().buffer);
    expect(entries.count).toBe(3000);
    expect(found.toSorted()).toEqual(keys);
    expect([...found].every((key, index) => foundValues[index] === BigInt(key) * 3n)).toBe(true);
    expect(new Uint32Array(map.keys().slice().buffer).toSorted()).toEqual(keys);
    for (const key of keys) map.delete(u32(key));
    expect(map.entries()).toMatchObject({ count: 0 });
  });

  it('says that it is full, and where a batch stopped', () => {
    const map = object.map('prefixes');
    const keys = new Uint8Array(Uint32Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 32 : index)).buffer);
    const error = errorOf(() => map.updateBatch(keys, new Uint8Array(80), 20));
    expect(error?.message).toMatch(/^update batch of map prefixes at entry 16 of 20: ENOSPC/);
    expect(map.entries().count).toBe(16);
  });

  it('has one value for each CPU where it is per-CPU', () => {
    const map = object.map('per_cpu');
    const { possibleCpus } = loadNative().probeFeatures();
    const value = new Uint8Array(8 * possibleCpus).map((_, index) => index);
    map.update(u32(1), value, 0);
    const read = map.lookup(u32(1)) as Uint8Array;
    expect(read.byteLength).toBe(8 * possibleCpus);
    expect(read.subarray(0, 4)).toEqual(value.subarray(0, 4));
    expect(map.entries().values.byteLength).toBe(2 * 8 * possibleCpus);
  });

  it('shares its memory with programs, both ways', () => {
    const map = object.map('shared');
    const words = new Uint32Array(map.mmap());
    expect(words.length).toBe(2 * 1024);
    words[0] = 41;
    expect(object.program('bump').testRun({ data: new Uint8Array(64) }).returnValue).toBe(41);
    expect(words[0]).toBe(42);
    expect(map.lookup(u32(0))).toEqual(u32(42));
    expect(map.mmap()).toBe(words.buffer);
  });

  it('takes its memory away when it is closed', () => {
    const map = object.map('shared');
    const buffer = map.mmap();
    const words = new Uint32Array(buffer);
    map.close();
    expect(buffer.byteLength).toBe(0);
    expect(words.length).toBe(0);
    expect(words[0]).toBeUndefined();
  });

  it('takes its memory away when its object is closed', () => {
    const own = openObject();
    const buffer = own.map('shared').mmap();
    own.close();
    expect(buffer.byteLength).toBe(0);
  });

  it('has no memory to share if it is not made for it', () => {
    expect(errorOf(() => object.map('numbers').mmap())?.message).toMatch(/^mmap map numbers: /);
  });

  it('lives on in its pin', () => {
    const path = bpffs.file('numbers');
    object.map('numbers').update(u32(1), u64(11n), 0);
    object.map('numbers').pin(path);
    const pinned = loadNative().BpfMap.openPinned(path);
    expect(pinned.info.id).toBe(object.map('numbers').info.id);
    expect(pinned.lookup(u32(1))).toEqual(u64(11n));
    pinned.close();
  });

  it('is not opened from a pin of something else', () => {
    const path = bpffs.file('program');
    object.program('pass').pin(path);
    expect(errorOf(() => loadNative().BpfMap.openPinned(path))?.message).toMatch(/^open pinned map .*program: EINVAL/);
    expect(errorOf(() => loadNative().BpfLink.openPinned(path))?.message).toMatch(
      /^open pinned link .*program: EINVAL/,
    );
    expect(errorOf(() => loadNative().BpfProgram.openPinned(bpffs.file('none')))).toMatchObject({
      cause: { code: 'ENOENT' },
    });
  });
});
