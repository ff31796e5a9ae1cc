// Misuse of the addon's handles: every one ends in an Error, none in the kernel's or this process's memory.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BpfObject, loadNative } from '../../../src/kernel/native.ts';
import { openObject, u32, u64 } from './fixture.ts';

describe('a handle of the addon', () => {
  const native = loadNative();
  let object: BpfObject;

  beforeEach(() => {
    object = openObject();
  });
  afterEach(() => object.close());

  it('cannot be made with new', () => {
    for (const Class of [native.BpfObject, native.BpfMap, native.BpfProgram, native.BpfLink, native.RingBuffer]) {
      const construct = Class as unknown as new () => unknown;
      expect(() => new construct()).toThrow(/cannot be made with new/);
    }
  });

  it('refuses every use after close', () => {
    const map = object.map('numbers');
    const program = object.program('pass');
    map.close();
    program.close();
    expect(() => map.lookup(u32(1))).toThrow('BpfMap is closed');
    expect(() => map.info).toThrow('BpfMap is closed');
    expect(() => map.entries()).toThrow('BpfMap is closed');
    expect(() => program.testRun({ data: new Uint8Array(64) })).toThrow('BpfProgram is closed');
    expect(() => native.BpfLink.attachTcx(program, 1, 'ingress')).toThrow('BpfProgram is closed');
    expect(() => native.RingBuffer.open(map)).toThrow('BpfMap is closed');
  });

  it('may be closed again', () => {
    const map = object.map('numbers');
    map.close();
    map.close();
    object.close();
    object.close();
  });

  it('is closed with the object it came from', () => {
    const map = object.map('numbers');
    const program = object.program('pass');
    object.close();
    expect(() => map.lookup(u32(1))).toThrow('BpfMap is closed');
    expect(() => program.info).toThrow('BpfProgram is closed');
    expect(() => object.map('numbers')).toThrow('BpfObject is closed');
  });

  it('does not take a method of another class', () => {
    const { lookup } = native.BpfMap.prototype;
    expect(() => lookup.call(object.program('pass') as never, u32(1))).toThrow(TypeError);
    expect(() => lookup.call({} as never, u32(1))).toThrow(TypeError);
    expect(() => lookup.call(Object.create(object.map('numbers')) as never, u32(1))).toThrow(TypeError);
    const info = Object.getOwnPropertyDescriptor(native.BpfMap.prototype, 'info')?.get;
    expect(() => info?.call(object.program('pass'))).toThrow(TypeError);
  });

  it('does not take a handle of another class as argument', () => {
    expect(() => native.BpfLink.attachTcx(object.map('numbers') as never, 1, 'ingress')).toThrow(
      'program must be a BpfProgram',
    );
    expect(() => native.RingBuffer.open(object.program('pass') as never)).toThrow('map must be a BpfMap');
    expect(() => native.RingBuffer.open({} as never)).toThrow('map must be a BpfMap');
  });

  it('refuses arguments of a wrong type', () => {
    const map = object.map('numbers');
    expect(() => map.lookup('key' as never)).toThrow('key must be a Uint8Array');
    expect(() => map.lookup(new Uint32Array(1) as never)).toThrow('key must be a Uint8Array');
    expect(() => map.update(u32(1), u64(1n), -1)).toThrow('flags must be an integer');
    expect(() => map.update(u32(1), u64(1n), 0.5)).toThrow(RangeError);
    expect(() => map.pin('/tmp/a\0b')).toThrow('path must not contain a zero byte');
    expect(() => native.BpfObject.open(7 as never, {})).toThrow('path must be a string');
    expect(() => native.tcxQuery(1, 'sideways' as never)).toThrow("direction must be 'ingress' or 'egress'");
  });

  it('refuses buffers of a wrong length', () => {
    const map = object.map('numbers');
    expect(() => map.lookup(new Uint8Array(3))).toThrow('key must be 4 bytes, got 3');
    expect(() => map.update(u32(1), new Uint8Array(9), 0)).toThrow('value must be 8 bytes, got 9');
    expect(() => map.updateBatch(u32(1, 2), u64(1n), 2)).toThrow('values must be 16 bytes, got 8');
    expect(() => map.delete(new Uint8Array(0))).toThrow('key must be 4 bytes, got 0');
  });
});
