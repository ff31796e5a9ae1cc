// What people call kinds: the kind itself, its plural, its short names, in any case.
import type { ResourceType } from '../resources/resource.ts';

const SHORT_NAMES: Readonly<Record<ResourceType, readonly string[]>> = {
  NetworkPolicy: ['cnp', 'caliconetworkpolicy', 'np'],
  GlobalNetworkPolicy: ['gnp', 'cgnp'],
  StagedNetworkPolicy: ['snp', 'scnp'],
  StagedGlobalNetworkPolicy: ['sgnp'],
  KubernetesNetworkPolicy: ['knp', 'netpol'],
  StagedKubernetesNetworkPolicy: ['sknp'],
  ClusterNetworkPolicy: ['kcnp'],
  Tier: [],
  Profile: [],
  NetworkSet: ['netset'],
  GlobalNetworkSet: ['gns'],
  HostEndpoint: ['hep'],
  WorkloadEndpoint: ['wep'],
  FelixConfiguration: ['felixconfig'],
  Pod: ['po'],
  Node: ['no'],
  Namespace: ['ns'],
  ServiceAccount: ['sa'],
  Service: ['svc'],
  EndpointSlice: ['eps'],
};

/** The resource type that a person means; undefined when no kind is called that. */
export function resourceTypeNamed(name: string): ResourceType | undefined {
  const wanted = name.toLowerCase();
  for (const [type, short] of Object.entries(SHORT_NAMES) as [ResourceType, readonly string[]][]) {
    const kind = type.toLowerCase();
    const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
    if ([kind, plural, ...short, ...short.map((text) => `${text}s`)].includes(wanted)) return type;
  }
  return undefined;
}

export function knownKindNames(): string[] {
  return Object.keys(SHORT_NAMES).map((type) => type.toLowerCase());
}
