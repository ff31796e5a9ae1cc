// Policies whose fields contradict each other: Calico's cross-field rules, with Calico's messages.
import type { FieldPath } from './field-path.ts';
import type { Report } from './report.ts';
import type { PolicySpec, ProfileSpec } from './schemas/policy.ts';
import { checkLabels } from './validate-metadata.ts';
import { checkRules } from './validate-rules.ts';
import { checkStagedDelete } from './validate-staged.ts';

const SPEC: FieldPath = ['spec'];
const DIRECTIONS = ['ingress', 'egress'] as const;

/** NetworkPolicy and StagedNetworkPolicy. */
export function checkNamespacedPolicy(spec: PolicySpec, report: Report): void {
  checkPolicy(spec, true, report);
}

/** GlobalNetworkPolicy and StagedGlobalNetworkPolicy. */
export function checkGlobalPolicy(spec: PolicySpec, report: Report): void {
  checkPolicy(spec, false, report);
  const { preDNAT = false, doNotTrack = false, applyOnForward = false } = spec;
  if (preDNAT && doNotTrack) report(SPEC, 'preDNAT and doNotTrack cannot both be true');
  if (preDNAT && (spec.egress ?? []).length > 0) {
    report(['spec', 'egress'], 'preDNAT policy cannot have any egress rules');
  }
  if (preDNAT && (spec.types ?? []).includes('Egress')) {
    report(['spec', 'types'], "preDNAT policy cannot have 'Egress' type");
  }
  if ((preDNAT || doNotTrack) && !applyOnForward) {
    report(SPEC, 'applyOnForward must be true if either preDNAT or doNotTrack is true');
  }
}

/** Rules of profiles; they belong to no namespace. */
export function checkProfile(spec: ProfileSpec, report: Report): void {
  checkLabels(spec.labelsToApply ?? {}, ['spec', 'labelsToApply'], report);
  for (const direction of DIRECTIONS) {
    checkRules(spec[direction] ?? [], ['spec', direction], { direction, isNamespaced: false }, report);
  }
}

function checkPolicy(spec: PolicySpec, isNamespaced: boolean, report: Report): void {
  if (spec.stagedAction === 'Delete') {
    checkStagedDelete(spec, 'Spec fields, except Tier,', ['tier'], report);
    return;
  }
  for (const direction of DIRECTIONS) {
    checkRules(spec[direction] ?? [], ['spec', direction], { direction, isNamespaced }, report);
  }
  const types = spec.types ?? [];
  if (new Set(types).size < types.length) report(['spec', 'types'], 'type specified more than once');
}
