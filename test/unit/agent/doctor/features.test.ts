import { describe, expect, it } from 'vitest';
import { judgeFeatures } from '../../../../src/agent/doctor/features.ts';

const ALL = {
  bpfSyscall: true,
  mmapableArrays: true,
  ringBuffer: true,
  tcx: true,
  largeValues: true,
  redirectPeer: true,
  netfilterPrograms: true,
  btf: true,
};

describe('features of the kernel', () => {
  it('finds nothing to say of a kernel that has everything', () => {
    expect(new Set(judgeFeatures(ALL).map(({ state }) => state))).toEqual(new Set(['yes']));
  });

  it.each(['tcx', 'largeValues', 'redirectPeer', 'netfilterPrograms', 'btf'] as const)(
    'names what is done without %s',
    (feature) => {
      const finding = judgeFeatures({ ...ALL, [feature]: false }).find((one) => one.feature === feature);
      expect(finding).toMatchObject({ state: 'slower way', instead: expect.stringMatching(/./) });
    },
  );

  it.each(['bpfSyscall', 'mmapableArrays', 'ringBuffer'] as const)('does without %s not at all', (feature) => {
    const finding = judgeFeatures({ ...ALL, [feature]: false }).find((one) => one.feature === feature);
    expect(finding).toMatchObject({ state: 'missing' });
  });
});
