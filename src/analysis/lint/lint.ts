// tortie lint, the pure part: manifests in, findings out. Orders the checks; what each one claims is in catalogue.ts.

import type { DataplaneError } from '../../base/errors.ts';
import type { Resource } from '../../resources/resource.ts';
import type { RuleId } from './catalogue.ts';
import { checkDeadRules } from './checks/dead-rules.ts';
import { checkHostEndpointTemplates } from './checks/host-endpoint-templates.ts';
import { checkHostEndpoints } from './checks/host-endpoints.ts';
import { checkIsolation } from './checks/isolation.ts';
import { checkLabels } from './checks/labels.ts';
import { checkNetworks } from './checks/networks.ts';
import { checkOpenRules } from './checks/open-rules.ts';
import { checkPolicies, duplicateFindings, findDuplicates } from './checks/policies.ts';
import { checkProfiles } from './checks/profiles.ts';
import { checkRefused } from './checks/refused.ts';
import { checkTiers } from './checks/tiers.ts';
import { checkUnjudgedRules } from './checks/unjudged-rules.ts';
import { checkUntracked } from './checks/untracked.ts';
import { createContext, type LintContext, type LintMachine } from './context.ts';
import { compareFindings, type Finding, type LintReport } from './finding.ts';
import { NearMisses } from './near-misses.ts';
import { analyseReach } from './reach.ts';
import { applySuppressions } from './suppressions.ts';

/** Rules that need to know who there is. */
const MEMBERSHIP_RULES: readonly RuleId[] = [
  'policy-selects-nothing',
  'label-typo',
  'rule-for-absent-family',
  'redundant-rule',
  'pass-into-nothing',
  'dns-blocked',
  'isolated-from-everything',
];

/** Rules that need to know a host's interfaces. */
const MACHINE_RULES: readonly RuleId[] = ['host-endpoint-unbound', 'host-interface-without-address'];

/** Resources as read, and what reading them refused. Each id at most once. machine: a host that they are for, if it is known. */
export function lintManifests(
  resources: readonly Resource[],
  errors: readonly DataplaneError[],
  machine?: LintMachine,
): LintReport {
  return lintContext(createContext(resources, errors, machine));
}

/** The same for manifests that have been read already. */
export function lintContext(context: LintContext): LintReport {
  const { resources } = context;
  const checked = runChecks(context);
  const notRun = new Set([
    ...(context.hasEndpoints ? [] : MEMBERSHIP_RULES),
    ...(context.machine === undefined ? MACHINE_RULES : []),
  ]);
  const findings = applySuppressions(checked, resources, notRun).sort(compareFindings);
  return {
    findings,
    remarks: remarksOn(context),
    counts: {
      objects: resources.length,
      policies: context.owners.filter(({ kind }) => kind === 'policy').length,
      rules: context.subjects.size,
      refused: new Set(context.errors.map(({ target, file, line }) => `${target} ${file}:${line}`)).size,
    },
  };
}

function runChecks(context: LintContext): Finding[] {
  const nearMisses = new NearMisses(context.inventory.vocabulary());
  const reach = analyseReach(context);
  const duplicates = findDuplicates(context);
  return [
    ...checkRefused(context),
    ...checkDeadRules(context, reach, nearMisses, duplicates),
    ...checkUnjudgedRules(context, reach, duplicates),
    ...checkPolicies(context, nearMisses),
    ...duplicateFindings(duplicates),
    ...checkTiers(context),
    ...checkOpenRules(context),
    ...checkNetworks(context),
    ...checkProfiles(context),
    ...checkLabels(context, nearMisses),
    ...checkIsolation(context, reach),
    ...checkHostEndpoints(context),
    ...checkHostEndpointTemplates(context),
    ...checkUntracked(context),
  ];
}

function remarksOn({ hasEndpoints, owners }: LintContext): string[] {
  if (hasEndpoints || owners.length === 0) return [];
  return [
    'the manifests contain no endpoint: whom policies select is not judged, and rules are only compared within each policy',
  ];
}
