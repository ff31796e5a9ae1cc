// Every kind that Tortie reads, by its names only: API version, kind, the type that everything else calls it. What a kind
// consists of is kinds.ts, which costs much more to import.
import type { ResourceType } from './resource.ts';

export interface KindName {
  readonly apiVersion: string;
  /** As written in documents. */
  readonly kind: string;
  readonly type: ResourceType;
  readonly isNamespaced: boolean;
}

const CALICO_GROUPS = ['projectcalico.org/v3', 'crd.projectcalico.org/v1'];
/** Equal in every field. */
const CLUSTER_POLICY_VERSIONS = ['policy.networking.k8s.io/v1alpha2', 'policy.networking.k8s.io/v1beta1'];

/** In the order in which they are listed to people; a kind that several API versions have is in it for each. */
export const KIND_LIST: readonly KindName[] = [
  ...named(CALICO_GROUPS, 'NetworkPolicy', true),
  ...named(CALICO_GROUPS, 'StagedNetworkPolicy', true),
  ...named(CALICO_GROUPS, 'GlobalNetworkPolicy', false),
  ...named(CALICO_GROUPS, 'StagedGlobalNetworkPolicy', false),
  ...named(CALICO_GROUPS, 'StagedKubernetesNetworkPolicy', true),
  ...named(CALICO_GROUPS, 'Tier', false),
  ...named(CALICO_GROUPS, 'Profile', false),
  ...named(CALICO_GROUPS, 'NetworkSet', true),
  ...named(CALICO_GROUPS, 'GlobalNetworkSet', false),
  ...named(CALICO_GROUPS, 'HostEndpoint', false),
  ...named(CALICO_GROUPS, 'WorkloadEndpoint', true),
  ...named(CALICO_GROUPS, 'FelixConfiguration', false),
  ...named(CALICO_GROUPS, 'KubeControllersConfiguration', false),
  ...named(CALICO_GROUPS, 'PacketCapture', true),
  ...named(['networking.k8s.io/v1'], 'KubernetesNetworkPolicy', true, 'NetworkPolicy'),
  ...named(CLUSTER_POLICY_VERSIONS, 'ClusterNetworkPolicy', false),
  ...named(['v1'], 'Pod', true),
  ...named(['v1'], 'Node', false),
  ...named(['v1'], 'Namespace', false),
  ...named(['v1'], 'ServiceAccount', true),
  ...named(['v1'], 'Service', true),
  ...named(['discovery.k8s.io/v1'], 'EndpointSlice', true),
];

function named(
  apiVersions: readonly string[],
  type: ResourceType,
  isNamespaced: boolean,
  kind: string = type,
): readonly KindName[] {
  return apiVersions.map((apiVersion) => ({ apiVersion, kind, type, isNamespaced }));
}
