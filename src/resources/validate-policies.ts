// Policies whose fields contradict each other: Calico's cross-field rules, with Calico's messages.
import type { FieldPath } from './field-path.ts';
import type { Report } from './report.ts';
import type { HostEndpointSpec, NetworkSetSpec, WorkloadEndpointSpec } from './schemas/endpoint.ts';
import type { Metadata } from './schemas/metadata.ts';
import type { PolicySpec, ProfileSpec } from './schemas/policy.ts';
import { checkRules } from './validate-rules.ts';

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
  for (const direction of DIRECTIONS) {
    checkRules(spec[direction] ?? [], ['spec', direction], { direction, isNamespaced: false }, report);
  }
}

/** A host endpoint needs something to be found by. */
export function checkHostEndpoint(spec: HostEndpointSpec, report: Report): void {
  if ((spec.interfaceName ?? '') !== '' || (spec.expectedIPs ?? []).length > 0) return;
  report(SPEC, 'no interfaceName or expectedIPs', { code: 'MISSING_FIELD', expected: 'at least one of them' });
}

/** Ports that nothing else names need a name; translated addresses must be the endpoint's own. */
export function checkWorkloadEndpoint(spec: WorkloadEndpointSpec, report: Report): void {
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if ((port.name ?? '') !== '' || (port.hostPort ?? 0) > 0) continue;
    report(['spec', 'ports', index, 'name'], 'a port without hostPort has no name', { code: 'MISSING_FIELD' });
  }
  const networks = new Set((spec.ipNetworks ?? []).map((text) => text.split('/')[0]));
  for (const [index, nat] of (spec.ipNATs ?? []).entries()) {
    if (networks.has(nat.internalIP)) continue;
    const expected = 'one of ipNetworks';
    report(['spec', 'ipNATs', index, 'internalIP'], 'is not an address of the endpoint', {
      found: nat.internalIP,
      expected,
    });
  }
}

/** Network sets get their namespace's label from Tortie. */
export function checkNetworkSet(_spec: NetworkSetSpec, report: Report, metadata: Metadata): void {
  const label = 'projectcalico.org/namespace';
  if (Object.hasOwn(metadata.labels, label)) {
    report(['metadata', 'labels', label], `${label} is not a valid label name`);
  }
}

function checkPolicy(spec: PolicySpec, isNamespaced: boolean, report: Report): void {
  for (const direction of DIRECTIONS) {
    checkRules(spec[direction] ?? [], ['spec', direction], { direction, isNamespaced }, report);
  }
  const types = spec.types ?? [];
  if (new Set(types).size < types.length) report(['spec', 'types'], 'type specified more than once');
  if (spec.stagedAction === 'Delete') checkStagedDelete(spec, report);
}

function checkStagedDelete(spec: PolicySpec, report: Report): void {
  for (const [field, value] of Object.entries(spec)) {
    if (field === 'tier' || field === 'stagedAction' || value === undefined) continue;
    report(['spec', field], 'stagedAction Delete allows no other field but tier');
  }
}
