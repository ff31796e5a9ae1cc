// All checks of the doctor, in the order in which their findings are shown: what everything needs first.
import { AGENT_CHECKS } from './agent-checks.ts';
import { BLOCK_CHECKS } from './block-checks.ts';
import { BYPASS_CHECKS } from './bypass-checks.ts';
import { FEATURE_CHECK } from './features.ts';
import type { Check } from './finding.ts';
import { FLOW_CHECKS } from './flow-checks.ts';
import { KERNEL_CHECKS } from './kernel-checks.ts';
import { NETWORK_CHECKS } from './network-checks.ts';

export const CHECKS: readonly Check[] = [
  FEATURE_CHECK,
  ...KERNEL_CHECKS,
  ...AGENT_CHECKS,
  ...BLOCK_CHECKS,
  ...FLOW_CHECKS,
  ...NETWORK_CHECKS,
  ...BYPASS_CHECKS,
];
