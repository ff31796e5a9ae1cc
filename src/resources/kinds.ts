// Every kind that Tortie reads: which schema and checks it has, and what becomes its spec.
import type { z } from 'zod';
import {
  ANY_NAME,
  GLOBAL_POLICY_NAME,
  LABEL_NAME,
  NAMESPACED_POLICY_NAME,
  type NameRule,
  SUBDOMAIN_NAME,
} from './names.ts';
import type { Report } from './report.ts';
import type { ResourceSpecs, ResourceType } from './resource.ts';
import { clusterNetworkPolicy } from './schemas/cluster-policy.ts';
import { bare, endpointSlice, node, pod, service } from './schemas/core.ts';
import { hostEndpoint, networkSet, workloadEndpoint } from './schemas/endpoint.ts';
import { felixConfiguration } from './schemas/felix-configuration.ts';
import { kubernetesNetworkPolicy, stagedKubernetesNetworkPolicy } from './schemas/kubernetes-policy.ts';
import type { Metadata } from './schemas/metadata.ts';
import * as policies from './schemas/policy.ts';
import { checkClusterPolicy } from './validate-cluster.ts';
import { checkHostEndpoint, checkNetworkSet, checkWorkloadEndpoint } from './validate-endpoints.ts';
import { checkFelixConfiguration } from './validate-felix.ts';
import { checkKubernetesPolicy } from './validate-kubernetes.ts';
import * as checks from './validate-policies.ts';

type Checks<T extends ResourceType> = (spec: ResourceSpecs[T], report: Report, metadata: Metadata) => void;

interface KindOptions<T extends ResourceType> {
  readonly type: T;
  readonly schema: z.ZodType;
  readonly isNamespaced: boolean;
  readonly nameRule?: NameRule;
  readonly check?: Checks<T>;
  /** The document's `spec` unless given. */
  readonly fields?: readonly string[];
}

/** One kind; `kind` is as written in documents, `type` as everything else calls it. */
export interface KindDefinition {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: ResourceType;
  readonly schema: z.ZodType;
  readonly isNamespaced: boolean;
  readonly nameRule: NameRule;
  readonly fields?: readonly string[];
  readonly check?: (spec: never, report: Report, metadata: Metadata) => void;
}

const CALICO_GROUPS = ['projectcalico.org/v3', 'crd.projectcalico.org/v1'];
/** Equal in every field. */
const CLUSTER_POLICY_VERSIONS = ['policy.networking.k8s.io/v1alpha2', 'policy.networking.k8s.io/v1beta1'];
const definitions = new Map<string, KindDefinition>();

/** The definition of a kind; undefined = Tortie does not read it. */
export function findKind(apiVersion: string, kind: string): KindDefinition | undefined {
  return definitions.get(`${apiVersion} ${kind}`);
}

/** Every kind known, as `<apiVersion> <kind>`. */
export function knownKinds(): Iterable<string> {
  return definitions.keys();
}

function define<T extends ResourceType>(apiVersions: readonly string[], kind: string, options: KindOptions<T>): void {
  for (const apiVersion of apiVersions) {
    definitions.set(`${apiVersion} ${kind}`, { apiVersion, kind, nameRule: SUBDOMAIN_NAME, ...options });
  }
}

function defineCalico<T extends ResourceType>(options: KindOptions<T>): void {
  define(CALICO_GROUPS, options.type, options);
}

defineCalico({
  type: 'NetworkPolicy',
  schema: policies.networkPolicy,
  isNamespaced: true,
  nameRule: NAMESPACED_POLICY_NAME,
  check: checks.checkNamespacedPolicy,
});
defineCalico({
  type: 'StagedNetworkPolicy',
  schema: policies.stagedNetworkPolicy,
  isNamespaced: true,
  nameRule: NAMESPACED_POLICY_NAME,
  check: checks.checkNamespacedPolicy,
});
defineCalico({
  type: 'GlobalNetworkPolicy',
  schema: policies.globalNetworkPolicy,
  isNamespaced: false,
  nameRule: GLOBAL_POLICY_NAME,
  check: checks.checkGlobalPolicy,
});
defineCalico({
  type: 'StagedGlobalNetworkPolicy',
  schema: policies.stagedGlobalNetworkPolicy,
  isNamespaced: false,
  nameRule: GLOBAL_POLICY_NAME,
  check: checks.checkGlobalPolicy,
});
defineCalico({
  type: 'StagedKubernetesNetworkPolicy',
  schema: stagedKubernetesNetworkPolicy,
  isNamespaced: true,
  check: checkKubernetesPolicy,
});
defineCalico({ type: 'Tier', schema: policies.tier, isNamespaced: false, nameRule: LABEL_NAME });
defineCalico({ type: 'Profile', schema: policies.profile, isNamespaced: false, check: checks.checkProfile });
defineCalico({ type: 'NetworkSet', schema: networkSet, isNamespaced: true, check: checkNetworkSet });
defineCalico({ type: 'GlobalNetworkSet', schema: networkSet, isNamespaced: false, check: checkNetworkSet });
defineCalico({ type: 'HostEndpoint', schema: hostEndpoint, isNamespaced: false, check: checkHostEndpoint });
defineCalico({
  type: 'WorkloadEndpoint',
  schema: workloadEndpoint,
  isNamespaced: true,
  nameRule: ANY_NAME,
  check: checkWorkloadEndpoint,
});
defineCalico({
  type: 'FelixConfiguration',
  schema: felixConfiguration,
  isNamespaced: false,
  check: checkFelixConfiguration,
});
define(['networking.k8s.io/v1'], 'NetworkPolicy', {
  type: 'KubernetesNetworkPolicy',
  schema: kubernetesNetworkPolicy,
  isNamespaced: true,
  check: checkKubernetesPolicy,
});
define(CLUSTER_POLICY_VERSIONS, 'ClusterNetworkPolicy', {
  type: 'ClusterNetworkPolicy',
  schema: clusterNetworkPolicy,
  isNamespaced: false,
  check: checkClusterPolicy,
});
define(['v1'], 'Pod', { type: 'Pod', schema: pod, isNamespaced: true, fields: ['spec', 'status'] });
define(['v1'], 'Node', { type: 'Node', schema: node, isNamespaced: false, fields: ['spec', 'status'] });
define(['v1'], 'Namespace', { type: 'Namespace', schema: bare, isNamespaced: false, nameRule: LABEL_NAME, fields: [] });
define(['v1'], 'ServiceAccount', { type: 'ServiceAccount', schema: bare, isNamespaced: true, fields: [] });
define(['v1'], 'Service', { type: 'Service', schema: service, isNamespaced: true });
define(['discovery.k8s.io/v1'], 'EndpointSlice', {
  type: 'EndpointSlice',
  schema: endpointSlice,
  isNamespaced: true,
  fields: ['addressType', 'endpoints', 'ports'],
});
