import { describe } from 'vitest';
import { expectConformance } from '../../support/conformance/expect-conformance.ts';
import { CYCLONUS } from '../../support/conformance/suites.ts';

// Rules of a NetworkPolicy only allow; what it selects and no rule allows is denied, what it does not select its namespace allows.
describe(CYCLONUS.name, () => {
  expectConformance(CYCLONUS, ['knp allow', 'knp deny by default', 'pro allow']);
});
