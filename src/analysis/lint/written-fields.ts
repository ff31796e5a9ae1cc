// Which fields of a manifest say what, by kind.
import type { FieldPath } from '../../resources/field-path.ts';
import type { Resource, ResourceType } from '../../resources/resource.ts';

const SELECTION: Readonly<Partial<Record<ResourceType, string>>> = {
  KubernetesNetworkPolicy: 'podSelector',
  StagedKubernetesNetworkPolicy: 'podSelector',
  ClusterNetworkPolicy: 'subject',
};

/** Where a policy says whom it governs. */
export function selectionPath({ type }: Resource): FieldPath {
  return ['spec', SELECTION[type] ?? 'selector'];
}

/** Whether rules have a source and a destination with Calico's fields. */
export function hasCalicoRules({ type }: Resource): boolean {
  return SELECTION[type] === undefined;
}
