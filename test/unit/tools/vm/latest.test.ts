import { describe, expect, it } from 'vitest';
import type { FeatureResult, KernelResult } from '../../../../tools/vm/tier/kernel-run.ts';
import { mergeResults } from '../../../../tools/vm/tier/latest.ts';

const passed = (count: number): FeatureResult => ({ passed: count, leftOut: 0, seconds: 1, failures: [] });
const verified = [{ object: 'guard', program: 'tt_guard', instructions: 5, states: 1 }];

function resultOf(abi: string, rest: Partial<KernelResult>): KernelResult {
  return { request: '6.1', abi, seconds: 1, features: {}, verified: [], probe: {}, ...rest };
}

describe('mergeResults', () => {
  const before = resultOf('6.1.0-56', {
    features: { sockets: passed(9), packets: passed(300) },
    verified,
    probe: { tcx: false },
  });

  it('keeps features that were not run again, and takes those that were', () => {
    const now = resultOf('6.1.0-56', { features: { packets: passed(301) } });
    const merged = mergeResults(before, now);
    expect(merged.features).toEqual({ sockets: passed(9), packets: passed(301) });
    expect(merged).toMatchObject({ verified, probe: { tcx: false } });
  });

  it('takes what the verifier and the probe say last', () => {
    const now = resultOf('6.1.0-56', { verified: [], probe: { tcx: true } });
    expect(mergeResults(before, now)).toMatchObject({ verified, probe: { tcx: true } });
  });

  it('keeps nothing of another kernel of the series', () => {
    const now = resultOf('6.1.0-57', { features: { packets: passed(301) } });
    expect(mergeResults(before, now)).toEqual(now);
    expect(mergeResults(undefined, now)).toEqual(now);
  });
});
