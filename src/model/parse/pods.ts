// Pod -> the WorkloadEndpoint that Calico's CNI plugin would have made of it (libcalico-go/lib/backend/k8s/conversion).
import { lazyField } from '../../base/lazy-field.ts';
import { sha1Hex } from '../../base/sha1.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import { type Cidr, type IpAddress, parseCidr } from '../address.ts';
import type { NamedPort, WorkloadEndpoint } from '../endpoint.ts';
import { namespaceProfileName, serviceAccountProfileName } from './profiles.ts';
import { freezeFields, ParseContext, type ParseResult } from './result.ts';
import { namedPorts, parseHost, workloadLabels } from './workload-endpoints.ts';

type Pod = ResourceOf<'Pod'>;

const ORCHESTRATOR = 'k8s';
const POD_INTERFACE = 'eth0';
const POD_IPS = 'cni.projectcalico.org/podIPs';
const POD_IP = 'cni.projectcalico.org/podIP';
const AWS_POD_IPS = 'vpc.amazonaws.com/pod-ips';
const SOURCE_PREFIXES = 'cni.projectcalico.org/allowedSourcePrefixes';
/** Shared by the many pods that have none. */
const NOTHING: readonly never[] = Object.freeze([]);
const FINISHED_PHASES = new Set(['Failed', 'Succeeded', 'Completed']);

/** A name to hash for every pod there is, and needed of those on one node. */
const withInterfaceName = lazyField('interfaceName', ({ namespace = 'default', name }: Pod) => {
  return podInterfaceName(namespace, name);
});

/** Pods that are finished, not scheduled or on the host's network become nothing. */
export function parsePod(pod: Pod): ParseResult {
  const context = new ParseContext(pod);
  const { spec, name, location, metadata } = pod;
  const namespace = pod.namespace ?? 'default';
  const node = spec.spec.nodeName ?? '';
  if (node === '' || spec.spec.hostNetwork === true || isFinished(pod)) return context.result();
  const serviceAccount = spec.spec.serviceAccountName ?? '';
  const endpointName = workloadEndpointName(node, name);
  const endpoint: Omit<WorkloadEndpoint, 'interfaceName'> = {
    type: 'workloadEndpoint',
    key: `${namespace}/${endpointName}`,
    namespace,
    name: endpointName,
    displayName: `${namespace}/${name}`,
    node,
    addresses: podAddresses(pod, context),
    labels: workloadLabels(metadata.labels, namespace, ORCHESTRATOR, serviceAccount),
    profiles: podProfiles(namespace, serviceAccount),
    ports: podPorts(pod),
    allowedSourcePrefixes: sourcePrefixes(pod, context),
    location,
  };
  return context.result(withInterfaceName(freezeFields(endpoint), pod));
}

/** Host side of a pod's veth pair, as Calico's CNI plugin names it. */
export function podInterfaceName(namespace: string, pod: string): string {
  return `cali${sha1Hex(`${namespace}.${pod}`).slice(0, 11)}`;
}

/** `<node>-k8s-<pod>-eth0`, with the dashes inside each part doubled. */
export function workloadEndpointName(node: string, pod: string): string {
  return [node, ORCHESTRATOR, pod, POD_INTERFACE].map((part) => part.replaceAll('-', '--')).join('-');
}

/** Its address is free for others: the phase says so, or the CNI plugin took the address away during deletion. */
function isFinished({ spec, metadata }: Pod): boolean {
  if (FINISHED_PHASES.has(spec.status.phase ?? '')) return true;
  if (metadata.deletionTimestamp === undefined) return false;
  return metadata.annotations[POD_IP] === '' || metadata.annotations[AWS_POD_IPS] === '';
}

/** Pods of one namespace mostly come one after the other, and share a list. */
let latestProfiles: { readonly namespace: string; readonly serviceAccount: string; readonly names: readonly string[] } =
  {
    namespace: '',
    serviceAccount: '',
    names: [],
  };

function podProfiles(namespace: string, serviceAccount: string): readonly string[] {
  if (latestProfiles.namespace !== namespace || latestProfiles.serviceAccount !== serviceAccount) {
    const names = [namespaceProfileName(namespace)];
    if (serviceAccount !== '') names.push(serviceAccountProfileName(namespace, serviceAccount));
    latestProfiles = { namespace, serviceAccount, names: Object.freeze(names) };
  }
  return latestProfiles.names;
}

/** From the first place that names any; one that does not parse refuses the pod. */
function podAddresses(pod: Pod, context: ParseContext): IpAddress[] {
  const { path, texts } = addressTexts(pod);
  const addresses = texts.map(parseHost);
  for (const [index, address] of addresses.entries()) {
    if (address !== undefined) continue;
    context.refuse('INVALID_FIELD', path, 'invalid value', { found: texts[index], expected: 'an IP address' });
  }
  return addresses.filter((address) => address !== undefined);
}

function addressTexts({ spec: { status }, metadata: { annotations } }: Pod): { path: string[]; texts: string[] } {
  const listed = (status.podIPs ?? []).map((item) => item.ip ?? '').filter((text) => text !== '');
  if (listed.length > 0) return { path: ['status', 'podIPs'], texts: listed };
  if ((status.podIP ?? '') !== '') return { path: ['status', 'podIP'], texts: splitList(status.podIP) };
  for (const name of [POD_IPS, POD_IP, AWS_POD_IPS]) {
    const texts = splitList(annotations[name]);
    if (texts.length > 0) return { path: ['metadata', 'annotations', name], texts };
  }
  return { path: [], texts: [] };
}

function podPorts({ spec }: Pod): readonly NamedPort[] {
  const containers = [...(spec.spec.initContainers ?? []), ...(spec.spec.containers ?? [])];
  const ports = containers.flatMap((container) => container.ports ?? []);
  if (ports.length === 0) return NOTHING;
  return namedPorts(
    ports.map(({ name, containerPort, protocol }) => ({ name, protocol: protocol ?? 'TCP', port: containerPort })),
  );
}

/** The annotation is a JSON list of CIDRs. */
function sourcePrefixes(pod: Pod, context: ParseContext): readonly Cidr[] {
  const text = pod.metadata.annotations[SOURCE_PREFIXES];
  if (text === undefined || text === '') return NOTHING;
  const prefixes = parseJsonList(text)?.map((item) => (typeof item === 'string' ? parseCidr(item) : undefined));
  if (prefixes?.every((prefix) => prefix !== undefined)) return prefixes;
  const expected = 'a JSON list of CIDRs such as ["10.0.0.0/8"]';
  context.refuse('INVALID_FIELD', ['metadata', 'annotations', SOURCE_PREFIXES], 'invalid value', {
    found: text,
    expected,
  });
  return [];
}

function parseJsonList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
