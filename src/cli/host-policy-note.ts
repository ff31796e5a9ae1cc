// Said where an answer is about workloads, and hosts have policy too.
import { describeLeftOut, hostPoliciesOf } from '../analysis/host-policy.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { printWarning } from './output.ts';

/** One warning, or none. */
export function warnOfHostPolicy(desired: Pick<DesiredState, 'hostEndpoints'>): void {
  const leftOut = describeLeftOut(hostPoliciesOf(desired));
  if (leftOut !== undefined) printWarning(leftOut);
}
