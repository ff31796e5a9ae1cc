import os from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { errnoName, type NativeError, toDataplaneError } from '../../../src/kernel/native-error.ts';

function nativeError(details: Partial<NativeError>): NativeError {
  const { code = 'EINVAL', operation = 'load object', target = 'x.o' } = details;
  return Object.assign(new Error(`${operation} ${target}: ${code}: it says`), {
    errno: 1,
    code,
    operation,
    target,
    ...details,
  });
}

const rejection = `libbpf: prog 'tt_a': BPF program load failed: Permission denied
libbpf: prog 'tt_a': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
0: (71) r0 = *(u8 *)(r1 +0)
R1 invalid mem access 'scalar'
verification time 17 usec
processed 2 insns (limit 1000000) max_states_per_insn 0
-- END PROG LOAD LOG --
libbpf: prog 'tt_a': failed to load: -13
libbpf: failed to load object 'x.o'
`;

describe('a failure of the addon', () => {
  it('of the verifier names the program, its last meaningful line and how many more there are', () => {
    const error = toDataplaneError(nativeError({ code: 'EACCES', log: rejection }));
    expect(error.code).toBe('PROGRAM_REJECTED');
    expect(error.message).toBe(
      "load program tt_a: EACCES: R1 invalid mem access 'scalar' (4 more lines in error.verifierLog)",
    );
    expect(error.verifierLog).toContain('0: (71) r0');
    expect(error.verifierLog).not.toContain('libbpf');
  });

  it('for want of rights says so, unless the verifier spoke', () => {
    expect(toDataplaneError(nativeError({ code: 'EPERM', operation: 'attach tcx' })).code).toBe('PERMISSION');
    expect(toDataplaneError(nativeError({ code: 'EACCES' })).code).toBe('PERMISSION');
  });

  it('of layouts lists the differences', () => {
    const differences = ['map a: type 1, expected 2', 'map a: flags 0, expected 1'];
    const error = toDataplaneError(nativeError({ code: 'ABI_MISMATCH', differences }));
    expect(error.code).toBe('ABI_MISMATCH');
    expect(error.message).toContain('load object x.o: map a: type 1, expected 2; map a: flags 0, expected 1 (');
  });

  it('to take the types of an object is told as such', () => {
    const error = toDataplaneError(nativeError({ code: 'ENODATA', log: "libbpf: failed to load object 'x.o'\n" }));
    expect(error.code).toBe('KERNEL');
    expect(error.message).toBe(
      'load object x.o: the kernel does not take its types (BTF) (it may be short of memory: try again)',
    );
  });

  it('on a kernel that is too old names the feature and the kernel it needs', () => {
    const release = vi.spyOn(os, 'release').mockReturnValue('6.1.0-13-amd64');
    const old = toDataplaneError(nativeError({ operation: 'attach tcx' }));
    release.mockReturnValue('6.12.1');
    const young = toDataplaneError(nativeError({ operation: 'attach tcx' }));
    release.mockRestore();
    expect(old.code).toBe('FEATURE_UNSUPPORTED');
    expect(old.message).toBe('attach tcx x.o: tcx links need kernel 6.6, running 6.1.0-13-amd64');
    expect(young.code).toBe('KERNEL');
  });

  it('that the kernel calls unsupported is unsupported', () => {
    expect(toDataplaneError(nativeError({ code: 'ENOTSUPP', operation: 'update batch of map' })).code).toBe(
      'FEATURE_UNSUPPORTED',
    );
  });

  it('of an interface that is gone, of a file that is not there, and of anything else', () => {
    expect(toDataplaneError(nativeError({ code: 'ENODEV', operation: 'attach tcx' })).code).toBe('INTERFACE_MISSING');
    expect(toDataplaneError(nativeError({ code: 'ENOENT', operation: 'open object' })).code).toBe('OBJECT_MISSING');
    const other = toDataplaneError(
      nativeError({ code: 'E2BIG', operation: 'update map', target: 'tt_flows', log: 'libbpf: it was\n' }),
    );
    expect(other.code).toBe('KERNEL');
    expect(other.message).toBe('update map tt_flows: E2BIG: it says: it was');
  });

  it('may be told in the words of the caller', () => {
    const error = toDataplaneError(nativeError({ code: 'ENODEV' }), {
      operation: 'attach tcx ingress',
      target: 'web0',
    });
    expect(error.message).toBe('attach tcx ingress web0: ENODEV: it says');
  });

  it('keeps its errno within reach', () => {
    const native = nativeError({ code: 'EBUSY' });
    expect(errnoName(native)).toBe('EBUSY');
    expect(errnoName(toDataplaneError(native))).toBe('EBUSY');
    expect(errnoName(new Error('other'))).toBeUndefined();
  });
});
