// Resource -> model objects: the one table of which parser reads which type.
import type { Resource, ResourceOf, ResourceType } from '../../resources/resource.ts';
import { parseClusterPolicy } from './cluster-policies.ts';
import { parseHostEndpoint } from './host-endpoints.ts';
import { parseHostSettings } from './host-settings.ts';
import { parseKubeControllers } from './kube-controllers.ts';
import { parseKubernetesPolicy } from './kubernetes-policies.ts';
import { parseNode } from './nodes.ts';
import { parsePacketCapture } from './packet-captures.ts';
import { parsePod } from './pods.ts';
import { parsePolicy } from './policies.ts';
import { parseNamespace, parseProfile, parseServiceAccount } from './profiles.ts';
import type { ParseResult } from './result.ts';
import { parseNetworkSet } from './sets.ts';
import { parseEndpointSlice } from './slices.ts';
import { parseTier } from './tiers.ts';
import { parseWorkloadEndpoint } from './workload-endpoints.ts';

const NOTHING: ParseResult = Object.freeze({ objects: [], errors: [] });

const PARSERS: { readonly [T in ResourceType]: (resource: ResourceOf<T>, isAccepted: boolean) => ParseResult } = {
  NetworkPolicy: parsePolicy,
  GlobalNetworkPolicy: parsePolicy,
  StagedNetworkPolicy: parsePolicy,
  StagedGlobalNetworkPolicy: parsePolicy,
  KubernetesNetworkPolicy: parseKubernetesPolicy,
  StagedKubernetesNetworkPolicy: parseKubernetesPolicy,
  ClusterNetworkPolicy: parseClusterPolicy,
  Tier: parseTier,
  Profile: parseProfile,
  NetworkSet: parseNetworkSet,
  GlobalNetworkSet: parseNetworkSet,
  HostEndpoint: parseHostEndpoint,
  WorkloadEndpoint: parseWorkloadEndpoint,
  Pod: parsePod,
  Namespace: parseNamespace,
  ServiceAccount: parseServiceAccount,
  EndpointSlice: parseEndpointSlice,
  FelixConfiguration: parseHostSettings,
  KubeControllersConfiguration: parseKubeControllers,
  Node: parseNode,
  PacketCapture: parsePacketCapture,
  // Policy is judged behind service translation.
  Service: () => NOTHING,
};

/** The model objects that the resource stands for; none when it has errors. */
export function parseResource(resource: Resource): ParseResult {
  return parse(resource, false);
}

/** The same for a resource that this code has found no error in before: what only shows errors is not parsed again. */
export function parseAccepted(resource: Resource): ParseResult {
  return parse(resource, true);
}

function parse(resource: Resource, isAccepted: boolean): ParseResult {
  return (PARSERS[resource.type] as (resource: Resource, isAccepted: boolean) => ParseResult)(resource, isAccepted);
}
