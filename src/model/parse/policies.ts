// Calico's policy kinds -> Policy.
import type { ResourceOf } from '../../resources/resource.ts';
import type { PolicySpec } from '../../resources/schemas/policy.ts';
import type { PerformanceHint, Policy } from '../policy.ts';
import { scopePolicy } from '../selector/scope.ts';
import { rulesBy } from './deferred.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { parseRules, selectorWithoutGlobal } from './rules.ts';

const TYPES = ['NetworkPolicy', 'GlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedGlobalNetworkPolicy'] as const;

export type PolicyResource = ResourceOf<(typeof TYPES)[number]>;

const withRules = rulesBy(TYPES, ({ spec }, context) => ({
  ingress: parseRules(spec.ingress, ['spec', 'ingress'], context),
  egress: parseRules(spec.egress, ['spec', 'egress'], context),
}));

/** A staged policy with stagedAction Delete becomes nothing. */
export function parsePolicy(resource: PolicyResource, isAccepted = false): ParseResult {
  const context = new ParseContext(resource as never, isAccepted);
  const { spec, namespace, name, type, id, location } = resource;
  const isStaged = type === 'StagedNetworkPolicy' || type === 'StagedGlobalNetworkPolicy';
  const head: Omit<Policy, 'rules'> = {
    type: 'policy',
    key: id,
    kind: type,
    namespace,
    name,
    tier: spec.tier || 'default',
    order: spec.order,
    selector: scopePolicy({
      namespace,
      selector: selectorWithoutGlobal(spec.selector, ['spec', 'selector'], context),
      namespaceSelector: selectorWithoutGlobal(spec.namespaceSelector, ['spec', 'namespaceSelector'], context),
      serviceAccountSelector: selectorWithoutGlobal(
        spec.serviceAccountSelector,
        ['spec', 'serviceAccountSelector'],
        context,
      ),
    }),
    governs: governedDirections(spec),
    staged: isStaged,
    doNotTrack: spec.doNotTrack ?? false,
    preDnat: spec.preDNAT ?? false,
    applyOnForward: spec.applyOnForward ?? false,
    performanceHints: (spec.performanceHints ?? []) as readonly PerformanceHint[],
    location,
  };
  const policy = withRules(head, context);
  return isStaged && spec.stagedAction === 'Delete' ? context.result() : context.result(policy);
}

/** As `types` says; without it egress if there are egress rules, ingress if there are ingress rules or none at all. */
function governedDirections(spec: PolicySpec): { ingress: boolean; egress: boolean } {
  const types = spec.types ?? [];
  if (types.length > 0) return { ingress: types.includes('Ingress'), egress: types.includes('Egress') };
  const hasIngress = (spec.ingress ?? []).length > 0;
  const hasEgress = (spec.egress ?? []).length > 0;
  return { ingress: hasIngress || !hasEgress, egress: hasEgress };
}
