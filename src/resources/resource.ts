// A resource: one object as its author wrote it, checked against its kind, with the way back to its lines.
import type { FieldPath } from './field-path.ts';
import type { ClusterPolicySpec } from './schemas/cluster-policy.ts';
import type { EndpointSliceDocument, NodeDocument, PodDocument, ServiceSpec } from './schemas/core.ts';
import type { HostEndpointSpec, NetworkSetSpec, WorkloadEndpointSpec } from './schemas/endpoint.ts';
import type { FelixConfigurationSpec } from './schemas/felix-configuration.ts';
import type { KubeControllersSpec } from './schemas/kube-controllers.ts';
import type { KubernetesPolicySpec } from './schemas/kubernetes-policy.ts';
import type { Metadata } from './schemas/metadata.ts';
import type { PacketCaptureSpec } from './schemas/packet-capture.ts';
import type { PolicySpec, ProfileSpec, TierSpec } from './schemas/policy.ts';

/** What each type of resource says besides its metadata. Kinds without a spec have their other fields here. */
export interface ResourceSpecs {
  NetworkPolicy: PolicySpec;
  GlobalNetworkPolicy: PolicySpec;
  StagedNetworkPolicy: PolicySpec;
  StagedGlobalNetworkPolicy: PolicySpec;
  /** networking.k8s.io/v1 NetworkPolicy. */
  KubernetesNetworkPolicy: KubernetesPolicySpec;
  StagedKubernetesNetworkPolicy: KubernetesPolicySpec;
  /** policy.networking.k8s.io ClusterNetworkPolicy. */
  ClusterNetworkPolicy: ClusterPolicySpec;
  Tier: TierSpec;
  Profile: ProfileSpec;
  NetworkSet: NetworkSetSpec;
  GlobalNetworkSet: NetworkSetSpec;
  HostEndpoint: HostEndpointSpec;
  WorkloadEndpoint: WorkloadEndpointSpec;
  /** Settings of the agent, not policy. */
  FelixConfiguration: FelixConfigurationSpec;
  /** Host endpoints that come to be for nodes. */
  KubeControllersConfiguration: KubeControllersSpec;
  /** Packets that the agent writes to files, not policy. */
  PacketCapture: PacketCaptureSpec;
  Pod: Pick<PodDocument, 'spec' | 'status'>;
  Node: Pick<NodeDocument, 'spec' | 'status'>;
  Namespace: Record<string, never>;
  ServiceAccount: Record<string, never>;
  Service: ServiceSpec;
  EndpointSlice: Pick<EndpointSliceDocument, 'addressType' | 'endpoints' | 'ports'>;
}

export type ResourceType = keyof ResourceSpecs;

export interface ResourceOf<T extends ResourceType> {
  readonly type: T;
  /** `<type>/<namespace or empty>/<name>`, unique among all resources. */
  readonly id: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Present on namespaced kinds. */
  readonly namespace?: string;
  readonly name: string;
  readonly metadata: Metadata;
  readonly spec: Readonly<ResourceSpecs[T]>;
  /** `line` is the document's, 1-based. */
  readonly location: { readonly file: string; readonly line: number };
  /** 1-based line of the field, or of its nearest ancestor that is written down. Parses the text again: not for loops over all. */
  lineOf(path: FieldPath): number;
}

/** Discriminated by `type`. */
export type Resource = { [T in ResourceType]: ResourceOf<T> }[ResourceType];

export function resourceId(type: ResourceType, namespace: string | undefined, name: string): string {
  return `${type}/${namespace ?? ''}/${name}`;
}

/** `networkpolicy default/allow-dns`: how errors name an object. */
export function describeObject(kind: string, namespace: string | undefined, name: string): string {
  return `${kind.toLowerCase()} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
