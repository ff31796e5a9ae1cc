// Which features the kernel has, what each is for, and which slower way is taken without it.
import type { KernelFeatures } from '../../kernel/native.ts';
import { loadNative } from '../../kernel/native.ts';
import { type Check, fail, ok, warn } from './finding.ts';

type FeatureName = Exclude<keyof KernelFeatures, 'release' | 'possibleCpus'>;

/** What it is for, and what is done without it; undefined = nothing works then. */
const FEATURES: Readonly<Record<FeatureName, { readonly purpose: string; readonly without?: string }>> = {
  bpfSyscall: { purpose: 'maps and programs' },
  mmapableArrays: { purpose: 'policy written as memory' },
  ringBuffer: { purpose: 'reports of flows and denials' },
  tcx: { purpose: 'programs attached by TCX links (Linux 6.6)', without: 'attached as clsact filters' },
  largeValues: { purpose: 'policy in one flat map value', without: 'policy read in blocks of 4 KiB' },
  redirectPeer: { purpose: 'delivery straight into the receiver', without: 'delivery through the queue of its device' },
  netfilterPrograms: {
    purpose: 'policy of host endpoints (Linux 6.4)',
    without: 'policy of host endpoints is not enforced',
  },
  btf: { purpose: 'types of the kernel, for policy of host endpoints', without: 'that policy is not enforced' },
};

export interface FeatureFinding {
  readonly feature: string;
  readonly purpose: string;
  readonly state: 'yes' | 'slower way' | 'missing';
  readonly instead?: string;
}

/** One finding for each feature, those that everything needs first. */
export function judgeFeatures(features: Readonly<Record<FeatureName, boolean>>): FeatureFinding[] {
  return Object.entries(FEATURES).map(([feature, { purpose, without }]) => {
    if (features[feature as FeatureName]) return { feature, purpose, state: 'yes' };
    if (without === undefined) return { feature, purpose, state: 'missing' };
    return { feature, purpose, state: 'slower way', instead: without };
  });
}

export const FEATURE_CHECK: Check = {
  id: 'kernel',
  checked: 'the kernel has what is needed, found by trying it',
  run: () => {
    const features = loadNative().probeFeatures();
    const findings = judgeFeatures(features);
    const named = (state: FeatureFinding['state']): string =>
      findings
        .filter((one) => one.state === state)
        .map(({ feature }) => feature)
        .join(', ');
    const { release } = features;
    if (named('missing') !== '')
      return fail(
        `${release} has no ${named('missing')}`,
        'a kernel from 5.10 on has it all, unless configured without',
      );
    if (named('slower way') === '') return ok(release);
    return warn(`${release} has no ${named('slower way')}`, 'a slower way is taken: see tortie doctor --kernel');
  },
};
