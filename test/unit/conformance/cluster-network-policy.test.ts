import { describe } from 'vitest';
import { expectConformance } from '../../support/conformance/expect-conformance.ts';
import { CLUSTER_NETWORK_POLICY } from '../../support/conformance/suites.ts';

// Cluster-wide rules allow and deny by themselves, and close nothing by default: that is NetworkPolicy's alone.
describe(CLUSTER_NETWORK_POLICY.name, () => {
  expectConformance(CLUSTER_NETWORK_POLICY, [
    'kcnp allow',
    'kcnp deny',
    'knp allow',
    'knp deny by default',
    'pro allow',
  ]);
});
