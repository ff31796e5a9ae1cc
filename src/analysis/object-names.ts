// How findings and explanations call objects: `np/shop/web`, in the form that `tortie explain` takes back.

import type { Policy } from '../model/policy.ts';
import { policyTraceEntry, type TraceEntry } from '../model/trace.ts';
import type { Resource, ResourceType } from '../resources/resource.ts';
import type { LabelledObject } from './inventory.ts';

const SHORT_TYPES: Readonly<Partial<Record<ResourceType, string>>> = {
  NetworkPolicy: 'np',
  GlobalNetworkPolicy: 'gnp',
  StagedNetworkPolicy: 'snp',
  StagedGlobalNetworkPolicy: 'sgnp',
  KubernetesNetworkPolicy: 'knp',
  StagedKubernetesNetworkPolicy: 'sknp',
  ClusterNetworkPolicy: 'kcnp',
  WorkloadEndpoint: 'wep',
};

/** `<short kind>/<namespace>/<name>`, without the namespace for cluster-wide kinds. */
export function resourceName({ type, namespace, name }: Resource): string {
  const kind = SHORT_TYPES[type] ?? type.toLowerCase();
  return [kind, namespace, name].filter((part) => part !== undefined).join('/');
}

export function policyName(policy: Policy): string {
  return entryName(policyTraceEntry(policy, 'pass', 0, policy.location));
}

/** The policy or profile that a trace entry speaks of. */
export function entryName({ kind, namespace, name }: TraceEntry): string {
  const parts = [kind === 'pro' ? 'profile' : kind, namespace ?? '', name];
  return parts.filter((part) => part !== '').join('/');
}

/** `shop/web-1`, `networkset/shop/office`, `hostendpoint/node1-eth0`. */
export function memberName(object: LabelledObject): string {
  if (object.type === 'workloadEndpoint') return object.displayName;
  if (object.type === 'hostEndpoint') return `hostendpoint/${object.name}`;
  return object.namespace === undefined
    ? `globalnetworkset/${object.name}`
    : `networkset/${object.namespace}/${object.name}`;
}
