// Every kind of resource as a collection of the API: its group, its plural, its paths. Made from the kinds that manifests
// may have; what is done with them is not known here.
import { KIND_LIST, type KindName } from '../../resources/kind-list.ts';
import type { ResourceType } from '../../resources/resource.ts';

export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly type: ResourceType;
  readonly isNamespaced: boolean;
  /** Settings of the agent itself come from files only. */
  readonly isWritable: boolean;
}

const PLURALS: Readonly<Record<ResourceType, string>> = {
  NetworkPolicy: 'networkpolicies',
  GlobalNetworkPolicy: 'globalnetworkpolicies',
  StagedNetworkPolicy: 'stagednetworkpolicies',
  StagedGlobalNetworkPolicy: 'stagedglobalnetworkpolicies',
  KubernetesNetworkPolicy: 'networkpolicies',
  StagedKubernetesNetworkPolicy: 'stagedkubernetesnetworkpolicies',
  ClusterNetworkPolicy: 'clusternetworkpolicies',
  Tier: 'tiers',
  Profile: 'profiles',
  NetworkSet: 'networksets',
  GlobalNetworkSet: 'globalnetworksets',
  HostEndpoint: 'hostendpoints',
  WorkloadEndpoint: 'workloadendpoints',
  FelixConfiguration: 'felixconfigurations',
  KubeControllersConfiguration: 'kubecontrollersconfigurations',
  PacketCapture: 'packetcaptures',
  Pod: 'pods',
  Node: 'nodes',
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  Service: 'services',
  EndpointSlice: 'endpointslices',
};

/** Calico's kinds as its own database has them: manifests may be written so, but the API has them under one name. */
const OTHER_NAME = 'crd.projectcalico.org/';

/** Every collection; kinds that several API versions have are in each of them. */
export const COLLECTIONS: readonly Collection[] = KIND_LIST.filter(isShown).map(collectionOf);

/** Whether objects of the kind can be stored. */
export function isWritableType(type: ResourceType): boolean {
  return type !== 'FelixConfiguration';
}

/** The path of a collection, of its part in a namespace, or of one object. */
export function collectionPath({ apiVersion, plural }: Collection, namespace?: string, name?: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${group}${place}/${plural}${name === undefined ? '' : `/${name}`}`;
}

function isShown({ apiVersion }: KindName): boolean {
  return !apiVersion.startsWith(OTHER_NAME);
}

function collectionOf({ apiVersion, kind, type, isNamespaced }: KindName): Collection {
  return { apiVersion, kind, plural: PLURALS[type], type, isNamespaced, isWritable: isWritableType(type) };
}
