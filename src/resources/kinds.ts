// What the kinds of kind-list.ts consist of: which schema and checks each has, and what becomes its spec.
import type { z } from 'zod';
import { KIND_LIST, type KindName } from './kind-list.ts';
import {
  ANY_NAME,
  DEFAULT_NAME,
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
import { kubeControllersConfiguration } from './schemas/kube-controllers.ts';
import { kubernetesNetworkPolicy, stagedKubernetesNetworkPolicy } from './schemas/kubernetes-policy.ts';
import type { Metadata } from './schemas/metadata.ts';
import { packetCapture } from './schemas/packet-capture.ts';
import * as policies from './schemas/policy.ts';
import { checkClusterPolicy } from './validate-cluster.ts';
import { checkHostEndpoint, checkNetworkSet, checkWorkloadEndpoint } from './validate-endpoints.ts';
import { checkFelixConfiguration } from './validate-felix.ts';
import { checkKubeControllers } from './validate-kube-controllers.ts';
import { checkKubernetesPolicy } from './validate-kubernetes.ts';
import { checkPacketCapture } from './validate-packet-capture.ts';
import * as checks from './validate-policies.ts';

type Checks<T extends ResourceType> = (spec: ResourceSpecs[T], report: Report, metadata: Metadata) => void;

interface KindRules<T extends ResourceType> {
  readonly schema: z.ZodType;
  /** SUBDOMAIN_NAME unless given. */
  readonly nameRule?: NameRule;
  readonly check?: Checks<T>;
  /** The document's `spec` unless given. */
  readonly fields?: readonly string[];
}

/** One kind; `kind` is as written in documents, `type` as everything else calls it. */
export interface KindDefinition extends KindName {
  readonly schema: z.ZodType;
  readonly nameRule: NameRule;
  readonly fields?: readonly string[];
  readonly check?: (spec: never, report: Report, metadata: Metadata) => void;
}

const RULES: { readonly [T in ResourceType]: KindRules<T> } = {
  NetworkPolicy: {
    schema: policies.networkPolicy,
    nameRule: NAMESPACED_POLICY_NAME,
    check: checks.checkNamespacedPolicy,
  },
  StagedNetworkPolicy: {
    schema: policies.stagedNetworkPolicy,
    nameRule: NAMESPACED_POLICY_NAME,
    check: checks.checkNamespacedPolicy,
  },
  GlobalNetworkPolicy: {
    schema: policies.globalNetworkPolicy,
    nameRule: GLOBAL_POLICY_NAME,
    check: checks.checkGlobalPolicy,
  },
  StagedGlobalNetworkPolicy: {
    schema: policies.stagedGlobalNetworkPolicy,
    nameRule: GLOBAL_POLICY_NAME,
    check: checks.checkGlobalPolicy,
  },
  KubernetesNetworkPolicy: { schema: kubernetesNetworkPolicy, check: checkKubernetesPolicy },
  StagedKubernetesNetworkPolicy: { schema: stagedKubernetesNetworkPolicy, check: checkKubernetesPolicy },
  ClusterNetworkPolicy: { schema: clusterNetworkPolicy, check: checkClusterPolicy },
  Tier: { schema: policies.tier, nameRule: LABEL_NAME },
  Profile: { schema: policies.profile, check: checks.checkProfile },
  NetworkSet: { schema: networkSet, check: checkNetworkSet },
  GlobalNetworkSet: { schema: networkSet, check: checkNetworkSet },
  HostEndpoint: { schema: hostEndpoint, check: checkHostEndpoint },
  WorkloadEndpoint: { schema: workloadEndpoint, nameRule: ANY_NAME, check: checkWorkloadEndpoint },
  FelixConfiguration: { schema: felixConfiguration, check: checkFelixConfiguration },
  KubeControllersConfiguration: {
    schema: kubeControllersConfiguration,
    nameRule: DEFAULT_NAME,
    check: checkKubeControllers,
  },
  PacketCapture: { schema: packetCapture, check: checkPacketCapture },
  Pod: { schema: pod, fields: ['spec', 'status'] },
  Node: { schema: node, fields: ['spec', 'status'] },
  Namespace: { schema: bare, nameRule: LABEL_NAME, fields: [] },
  ServiceAccount: { schema: bare, fields: [] },
  Service: { schema: service },
  EndpointSlice: { schema: endpointSlice, fields: ['addressType', 'endpoints', 'ports'] },
};

const definitions: ReadonlyMap<string, KindDefinition> = new Map(
  KIND_LIST.map((name): [string, KindDefinition] => [
    `${name.apiVersion} ${name.kind}`,
    { ...name, nameRule: SUBDOMAIN_NAME, ...RULES[name.type] },
  ]),
);

/** The definition of a kind; undefined = Tortie does not read it. */
export function findKind(apiVersion: string, kind: string): KindDefinition | undefined {
  return definitions.get(`${apiVersion} ${kind}`);
}

/** Every kind known, as `<apiVersion> <kind>`. */
export function knownKinds(): Iterable<string> {
  return definitions.keys();
}
