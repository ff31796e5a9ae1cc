// WorkloadEndpoint resources -> WorkloadEndpoint. Pods, which imply one, are in pods.ts.
import { parseMac } from '../../resources/mac.ts';
import { protocolNumber } from '../../resources/protocols.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import { type IpAddress, parseCidr } from '../address.ts';
import type { NamedPort, WorkloadEndpoint } from '../endpoint.ts';
import {
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  ORCHESTRATOR_LABEL,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from '../selector/scope.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { parseNets } from './rules.ts';

export function parseWorkloadEndpoint(resource: ResourceOf<'WorkloadEndpoint'>): ParseResult {
  const { spec, name, metadata, location } = resource;
  const namespace = resource.namespace ?? 'default';
  const workload = spec.pod || spec.workload || name;
  const endpoint: WorkloadEndpoint = {
    type: 'workloadEndpoint',
    key: `${namespace}/${name}`,
    namespace,
    name,
    displayName: `${namespace}/${workload}`,
    node: spec.node,
    interfaceName: spec.interfaceName ?? '',
    mac: parseMac(spec.mac ?? ''),
    addresses: (spec.ipNetworks ?? []).map(parseHost).filter((address) => address !== undefined),
    labels: workloadLabels(metadata.labels, namespace, spec.orchestrator, spec.serviceAccountName),
    profiles: spec.profiles ?? [],
    ports: namedPorts(spec.ports),
    allowedSourcePrefixes: parseNets(spec.allowSpoofedSourcePrefixes),
    location,
  };
  return new ParseContext(resource).result(endpoint);
}

/** Own labels without those that only profiles may give, and the ones that every workload has. */
export function workloadLabels(
  labels: Readonly<Record<string, string>>,
  namespace: string,
  orchestrator: string,
  serviceAccount: string | undefined,
): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith(NAMESPACE_PREFIX) && !label.startsWith(SERVICE_ACCOUNT_PREFIX)) all[label] = value;
  }
  all[NAMESPACE_LABEL] = namespace;
  all[ORCHESTRATOR_LABEL] = orchestrator;
  if (serviceAccount !== undefined && serviceAccount !== '') all[SERVICE_ACCOUNT_LABEL] = serviceAccount;
  return all;
}

/** Ports that have a name. */
export function namedPorts(
  ports: readonly { name?: string; protocol: string | number; port: number }[] | undefined,
): NamedPort[] {
  const named: NamedPort[] = [];
  for (const { name = '', protocol, port } of ports ?? []) {
    const number = protocolNumber(protocol);
    if (name !== '' && number !== undefined) named.push({ name, protocol: number, port });
  }
  return named;
}

/** A bare address, or one with its full length. */
export function parseHost(text: string): IpAddress | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.length !== cidr.words.length * 32) return undefined;
  return { family: cidr.family, words: cidr.words };
}
