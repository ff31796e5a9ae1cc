// Selectors as users write them -> selectors over one flat set of labels, in which namespace and service-account
// labels stand under prefixes (Calico libcalico-go/lib/backend/syncersv1/updateprocessors).
import type { Selector } from './ast.ts';
import { conjunction, equals, has, isIn, negate } from './construct.ts';

export const NAMESPACE_LABEL = 'projectcalico.org/namespace';
export const SERVICE_ACCOUNT_LABEL = 'projectcalico.org/serviceaccount';
export const ORCHESTRATOR_LABEL = 'projectcalico.org/orchestrator';
/** Under the namespace and service-account prefixes: the object's own name. */
export const NAME_LABEL = 'projectcalico.org/name';
export const NAMESPACE_PREFIX = 'pcns.';
export const SERVICE_ACCOUNT_PREFIX = 'pcsa.';

/** What a policy says about the endpoints it governs; undefined = nothing. */
export interface PolicyScope {
  /** undefined = cluster-wide policy. */
  readonly namespace?: string;
  readonly selector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly serviceAccountSelector?: Selector;
}

/** What a rule says about one side; undefined = nothing. */
export interface EntityScope {
  /** Namespace of the policy; undefined = cluster-wide policy. */
  readonly namespace?: string;
  readonly selector?: Selector;
  readonly notSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly serviceAccounts?: { readonly names: readonly string[]; readonly selector?: Selector };
}

export interface ScopedEntity {
  readonly selector?: Selector;
  readonly notSelector?: Selector;
}

/** Which endpoints the policy governs. */
export function scopePolicy(scope: PolicyScope): Selector {
  return conjunction(
    scope.selector,
    scope.namespace === undefined ? undefined : equals(NAMESPACE_LABEL, scope.namespace),
    scope.namespaceSelector === undefined ? undefined : scopeToNamespaces(scope.namespaceSelector),
    scope.serviceAccountSelector === undefined ? undefined : scopeToServiceAccounts(scope.serviceAccountSelector),
  );
}

/**
 * Who one side of a rule may be. A positive and a negative selector become one positive one, so that a result has
 * at most one of the two. A namespaced policy that says anything about the peer means peers of its own namespace.
 */
export function scopeEntity(scope: EntityScope): ScopedEntity {
  const { selector, notSelector, namespaceSelector, serviceAccounts } = scope;
  if ((selector ?? notSelector ?? namespaceSelector ?? serviceAccounts) === undefined) return {};
  const positive = conjunction(
    entityNamespaces(scope.namespace, namespaceSelector),
    selector,
    serviceAccounts === undefined || serviceAccounts.names.length === 0
      ? undefined
      : isIn(SERVICE_ACCOUNT_LABEL, serviceAccounts.names),
    serviceAccounts?.selector === undefined ? undefined : scopeToServiceAccounts(serviceAccounts.selector),
  );
  const isPositiveGiven = positive.kind !== 'all' || selector !== undefined;
  if (notSelector === undefined) return isPositiveGiven ? { selector: positive } : {};
  return isPositiveGiven ? { selector: conjunction(positive, negate(notSelector)) } : { notSelector };
}

/** A namespace selector over endpoints: labels under `pcns.`, all() = any namespace, global() = none. */
export function scopeToNamespaces(selector: Selector): Selector {
  return mapLabels(selector, NAMESPACE_PREFIX, NAMESPACE_LABEL);
}

/** A service-account selector over endpoints: labels under `pcsa.`, all() = any service account. */
export function scopeToServiceAccounts(selector: Selector): Selector {
  return mapLabels(selector, SERVICE_ACCOUNT_PREFIX, SERVICE_ACCOUNT_LABEL);
}

/** Whether global() occurs anywhere in it. */
export function usesGlobal(selector: Selector): boolean {
  if (selector.kind === 'not') return usesGlobal(selector.operand);
  if (selector.kind === 'and' || selector.kind === 'or') return selector.operands.some(usesGlobal);
  return selector.kind === 'global';
}

function entityNamespaces(
  namespace: string | undefined,
  namespaceSelector: Selector | undefined,
): Selector | undefined {
  if (namespaceSelector !== undefined) return scopeToNamespaces(namespaceSelector);
  return namespace === undefined ? undefined : equals(NAMESPACE_LABEL, namespace);
}

function mapLabels(selector: Selector, prefix: string, presence: string): Selector {
  switch (selector.kind) {
    case 'all':
      return has(presence);
    case 'global':
      return negate(has(presence));
    case 'not':
      return negate(mapLabels(selector.operand, prefix, presence));
    case 'and':
    case 'or': {
      const operands = selector.operands.map((operand) => mapLabels(operand, prefix, presence));
      return Object.freeze({ kind: selector.kind, operands: Object.freeze(operands) });
    }
    default:
      return Object.freeze({ ...selector, label: prefix + selector.label });
  }
}
