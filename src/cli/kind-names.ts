// What people call kinds: the kind itself, its plural, its short names, in any case; and how kinds are called in answers.
import { COLLECTIONS, type Collection } from '../agent/api/collections.ts';
import { DataplaneError } from '../base/errors.ts';
import { nearestName } from '../resources/nearest.ts';
import type { ResourceType } from '../resources/resource.ts';

const SHORT_NAMES: Readonly<Record<ResourceType, readonly string[]>> = {
  NetworkPolicy: ['np', 'cnp', 'caliconetworkpolicy'],
  GlobalNetworkPolicy: ['gnp', 'cgnp'],
  StagedNetworkPolicy: ['snp', 'scnp'],
  StagedGlobalNetworkPolicy: ['sgnp'],
  KubernetesNetworkPolicy: ['knp', 'netpol'],
  StagedKubernetesNetworkPolicy: ['sknp'],
  ClusterNetworkPolicy: ['kcnp'],
  Tier: [],
  Profile: ['pro'],
  NetworkSet: ['netset'],
  GlobalNetworkSet: ['gns'],
  HostEndpoint: ['hep'],
  WorkloadEndpoint: ['wep'],
  FelixConfiguration: ['felixconfig'],
  KubeControllersConfiguration: ['kcc'],
  PacketCapture: ['pcap'],
  Pod: ['po'],
  Node: ['no'],
  Namespace: ['ns'],
  ServiceAccount: ['sa'],
  Service: ['svc'],
  EndpointSlice: ['eps'],
};

export const RESOURCE_TYPES = Object.keys(SHORT_NAMES) as readonly ResourceType[];

/** The resource type that a person means, `networkpolicies.networking.k8s.io` included; undefined = no kind is called so. */
export function resourceTypeNamed(name: string): ResourceType | undefined {
  const wanted = name.toLowerCase();
  const dot = wanted.indexOf('.');
  if (dot !== -1) return typeInGroup(wanted.slice(0, dot), wanted.slice(dot + 1));
  return RESOURCE_TYPES.find((type) => namesOf(type).includes(wanted));
}

/** Throws UNKNOWN_KIND with the nearest name. */
export function requireResourceType(name: string): ResourceType {
  const type = resourceTypeNamed(name);
  if (type !== undefined) return type;
  const nearest = nearestName(name, RESOURCE_TYPES.flatMap(namesOf));
  throw new DataplaneError('UNKNOWN_KIND', 'no such kind', {
    operation: 'find',
    target: name,
    expected: `one of ${knownKindNames().join(', ')}`,
    hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
  });
}

export function knownKindNames(): string[] {
  return RESOURCE_TYPES.map((type) => type.toLowerCase());
}

/** Every name that a kind has: the kind, its plural, short names. */
export function namesOf(type: ResourceType): string[] {
  const kind = type.toLowerCase();
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const short = SHORT_NAMES[type];
  return [kind, plural, ...short, ...short.map((text) => `${text}s`)];
}

/** Where objects of the type are in the API: the first of several versions. */
export function collectionOf(type: ResourceType): Collection {
  return COLLECTIONS.find((collection) => collection.type === type) as Collection;
}

/** `networkpolicy.projectcalico.org`: how kubectl names the kind of an object. */
export function qualifiedKind({
  apiVersion,
  kind,
}: {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
}): string {
  const group = groupOf(String(apiVersion));
  const name = String(kind).toLowerCase();
  return group === '' ? name : `${name}.${group}`;
}

function typeInGroup(word: string, group: string): ResourceType | undefined {
  return COLLECTIONS.find(
    ({ apiVersion, kind, plural }) =>
      (kind.toLowerCase() === word || plural === word) &&
      (groupOf(apiVersion) === group || apiVersion.split('/').reverse().join('.') === group),
  )?.type;
}

/** Empty = Kubernetes' first one. */
function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
