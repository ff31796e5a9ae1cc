// Loading an object: options, pins, refusals, logs.
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BpfObject, builtFile, loadNative } from '../../../src/kernel/native.ts';
import { BpffsMount, errorOf, objectPath, openObject, u32, u64 } from './fixture.ts';

describe('an object', () => {
  let bpffs: BpffsMount;
  const open: BpfObject[] = [];

  beforeEach(() => {
    bpffs = new BpffsMount();
  });
  afterEach(() => {
    for (const object of open.splice(0)) object.close();
    bpffs.close();
  });

  function load(...parameters: Parameters<typeof openObject>): BpfObject {
    const object = openObject(...parameters);
    open.push(object);
    return object;
  }

  it('lists its maps and programs', () => {
    const object = load();
    expect(object.programs.toSorted()).toEqual(['answer', 'bump', 'drop', 'grow', 'pass', 'report']);
    expect(object.maps).toContain('records');
    expect(() => object.map('nothing')).toThrow(/nothing: ENOENT/);
    expect(() => object.program('nothing')).toThrow(/nothing: ENOENT/);
  });

  it('takes sizes of maps', () => {
    expect(load({ maps: { numbers: { maxEntries: 17 } } }).map('numbers').info.maxEntries).toBe(17);
  });

  it('takes values of read-only variables', () => {
    const run = (object: BpfObject): number =>
      object.program('answer').testRun({ data: new Uint8Array(64) }).returnValue;
    expect(run(load())).toBe(1);
    expect(run(load({ rodata: { tt_answer: u32(42) } }))).toBe(42);
    expect(() => load({ rodata: { tt_answer: new Uint8Array(8) } })).toThrow('tt_answer must be 4 bytes, got 8');
    expect(() => load({ rodata: { tt_question: u32(1) } })).toThrow(/set .rodata variable tt_question: ENOENT/);
  });

  it('adopts the map that is pinned', () => {
    const options = { maps: { numbers: { maxEntries: 32, pinPath: bpffs.file('numbers') } } };
    const first = load(options);
    first.map('numbers').update(u32(1), u64(5n), 0);
    const { id } = first.map('numbers').info;
    first.close();
    const second = load(options);
    expect(second.map('numbers').info.id).toBe(id);
    expect(second.map('numbers').lookup(u32(1))).toEqual(u64(5n));
  });

  it('refuses pinned maps of another layout, naming every difference, and touches nothing', () => {
    load({
      maps: { numbers: { pinPath: bpffs.file('shared') }, shared: { maxEntries: 9, pinPath: bpffs.file('numbers') } },
    }).close();
    const maps = {
      shared: { pinPath: bpffs.file('shared') },
      numbers: { pinPath: bpffs.file('numbers') },
      prefixes: { pinPath: bpffs.file('new') },
    };
    const error = errorOf(() => load({ maps }));
    expect(error).toMatchObject({ code: 'ABI_MISMATCH', operation: 'load object', target: objectPath });
    expect((error as { cause: { differences: string[] } }).cause.differences).toEqual([
      'map shared: type 1, expected 2',
      'map shared: value size 8, expected 4',
      'map shared: max entries 4096, expected 1024',
      'map shared: flags 0, expected 1024',
      'map numbers: type 2, expected 1',
      'map numbers: value size 4, expected 8',
      'map numbers: max entries 9, expected 4096',
      'map numbers: flags 1024, expected 0',
    ]);
    expect(errorOf(() => loadNative().BpfMap.openPinned(bpffs.file('new')))).toMatchObject({
      cause: { code: 'ENOENT' },
    });
  });

  it('refuses a pin that is not a map', () => {
    load().program('pass').pin(bpffs.file('program'));
    expect(errorOf(() => load({ maps: { numbers: { pinPath: bpffs.file('program') } } }))).toMatchObject({
      code: 'ABI_MISMATCH',
    });
  });

  it('that the verifier refuses says which program and why', () => {
    const error = errorOf(() => loadNative().BpfObject.open(builtFile('build/bpf/test/rejected.bpf.o'), {}));
    expect(error).toMatchObject({ code: 'PROGRAM_REJECTED', operation: 'load program', target: 'unchecked' });
    expect(error?.message).toMatch(
      /^load program unchecked: EACCES: .*(invalid access to packet|R\d).* \(\d+ more lines in error.verifierLog\)$/,
    );
    expect((error as { verifierLog?: string }).verifierLog).toMatch(/processed \d+ insns/);
  });

  it('that is not there is missing, not a failure of the kernel', () => {
    expect(errorOf(() => loadNative().BpfObject.open('/nowhere.o', {}))).toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('keeps the verifier log only when asked', () => {
    expect(load().log).toBe('');
    expect(load({ logLevel: 4 }).log).toMatch(/prog 'report': -- BEGIN PROG LOAD LOG --\n(.*\n)*processed \d+ insns/);
  });
});

describe('a program', () => {
  const object = openObject();
  afterAll(() => object.close());

  it('tells what it is', () => {
    const info = object.program('pass').info;
    expect(info).toMatchObject({ name: 'pass', type: 3, runTimeNs: 0n, runCount: 0n });
    expect(info.tag).toMatch(/^[0-9a-f]{16}$/);
    expect(info.translatedBytes).toBeGreaterThan(0);
    expect(info.verifiedInstructions).toBeGreaterThan(0);
  });

  it('returns its verdict and the packet it leaves', () => {
    const data = Uint8Array.from({ length: 60 }, (_, index) => index);
    expect(object.program('drop').testRun({ data }).returnValue).toBe(2);
    expect(object.program('pass').testRun({ data, repeat: 1000 })).toMatchObject({ returnValue: 0, data });
    const grown = object.program('grow').testRun({ data });
    expect(grown.returnValue).toBe(0);
    expect(grown.data.byteLength).toBe(64);
    expect(grown.data.subarray(0, 60)).toEqual(data);
  });

  it('refuses a packet that cannot be one', () => {
    expect(errorOf(() => object.program('pass').testRun({ data: new Uint8Array(5) }))).toMatchObject({
      cause: { code: 'EINVAL' },
    });
    expect(() => object.program('pass').testRun({} as never)).toThrow('data must be a Uint8Array');
  });
});
