// Generated workloads, as WorkloadEndpoints and as Pods, and host endpoints.
import { address, anyFamily, cidr, familyOf, hostText } from './addresses.ts';
import { defined, type Random } from './random.ts';
import type { Json } from './rules.ts';
import {
  KUBERNETES_PROTOCOLS,
  labels,
  NAMESPACES,
  PORT_NAMES,
  PORT_PROTOCOLS,
  PROFILES,
  port,
  protocolSpelling,
  SERVICE_ACCOUNTS,
} from './vocabulary.ts';

export const NODES = ['node1', 'node1', 'node2'] as const;

/** Gives each address to the first that asks: of several workloads with one address only one is enforced. */
export class AddressPool {
  readonly #taken = new Set<string>();

  take(random: Random, max: number): string[] {
    const wanted = random.list(1, max, () => address(random, anyFamily(random)));
    return wanted.filter((text) => !this.#taken.has(text) && this.#taken.add(text));
  }
}

/** A WorkloadEndpoint of Kubernetes, OpenStack or plain CNI; none if its addresses are all taken. */
export function workloadEndpoint(random: Random, index: number, pool: AddressPool): Json | undefined {
  const addresses = pool.take(random, 4);
  if (addresses.length === 0) return undefined;
  const namespace = random.pick(NAMESPACES);
  const node = random.pick(NODES);
  const orchestrator = random.pick(['k8s', 'k8s', 'k8s', 'openstack', 'cni']);
  const workload = orchestrator === 'k8s' ? `pod${index}` : `${orchestrator}/6d1b9ad6-${index}`;
  const account = random.maybe(60, () => random.pick(SERVICE_ACCOUNTS));
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: defined({
      namespace,
      name: [node, orchestrator, workload.replaceAll('-', '--').replace('/', '.'), 'eth0'].join('-'),
      labels: labels(random),
    }),
    spec: defined({
      orchestrator,
      node,
      ...(orchestrator === 'k8s' ? { pod: workload } : { workload }),
      endpoint: 'eth0',
      interfaceName: random.chance(95) ? `cali${index}` : '',
      serviceAccountName: account,
      ipNetworks: addresses.map((text) => hostText(random, text)),
      profiles: profiles(random, namespace, account),
      ports: random.maybe(70, () => random.list(0, 3, () => workloadPort(random))),
      ...rareFields(random, addresses),
    }),
  };
}

/** What has no say in verdicts, and must have none. */
function rareFields(random: Random, addresses: readonly string[]): Json {
  if (!random.chance(10)) return {};
  const internalIP = addresses[0] as string;
  return defined({
    containerID: random.maybe(50, () => '4e2f'),
    ipNATs: random.maybe(50, () => [{ internalIP, externalIP: address(random, familyOf(internalIP)) }]),
    ipv4Gateway: random.maybe(50, () => random.pick(['', '10.1.0.1'])),
    ipv6Gateway: random.maybe(50, () => random.pick(['', 'fd00:1::1'])),
    mac: random.maybe(50, () => random.pick(['0A:58:0a:f4:00:05', ''])),
    allowSpoofedSourcePrefixes: random.maybe(50, () => [cidr(random, anyFamily(random))]),
    qosControls: random.maybe(50, () => ({ ingressBandwidth: 1000 })),
  });
}

/** In any order, some of which nothing defines. */
function profiles(random: Random, namespace: string, account: string | undefined): string[] {
  const kubernetes = [`kns.${namespace}`, ...(account === undefined ? [] : [`ksa.${namespace}.${account}`])];
  return random.weighted<string[]>(
    [6, () => kubernetes],
    [4, () => random.shuffle([...kubernetes, ...random.some(PROFILES)])],
    [2, () => random.shuffle(random.some(PROFILES))],
    [1, () => []],
  );
}

function workloadPort(random: Random): Json {
  const made = { name: random.pick(PORT_NAMES), ...protocolAndPort(random) };
  if (!random.chance(10)) return made;
  const isNamed = random.chance(50);
  return defined({ ...made, name: isNamed ? made.name : undefined, hostPort: port(random), hostIP: '192.0.2.1' });
}

function protocolAndPort(random: Random): Json {
  return { protocol: protocolSpelling(random, random.pick(PORT_PROTOCOLS)), port: port(random) };
}

/** Most pods are scheduled and run; what is not, what has finished, and what is on the host's network has no policy. */
export function pod(random: Random, index: number, pool: AddressPool): Json {
  const name = random.chance(80) ? `pod-${index}` : `pod${index}`;
  const isFinished = random.chance(8);
  const isHostNetwork = random.chance(8);
  const addresses = isFinished || isHostNetwork ? [address(random, anyFamily(random))] : pool.take(random, 3);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: defined({
      namespace: random.pick(NAMESPACES),
      name,
      labels: labels(random),
      ...podAnnotations(random, isFinished, addresses),
    }),
    spec: defined({
      nodeName: random.maybe(95, () => random.pick(NODES)),
      hostNetwork: isHostNetwork ? true : random.maybe(5, () => false),
      serviceAccountName: random.maybe(70, () => random.pick(SERVICE_ACCOUNTS)),
      containers: random.list(1, 2, () => container(random)),
      initContainers: random.maybe(20, () => [container(random)]),
    }),
    status: podStatus(random, isFinished, addresses),
  };
}

function container(random: Random): Json {
  return {
    name: 'main',
    ports: random.list(0, 2, () =>
      defined({
        name: random.maybe(85, () => random.pick(PORT_NAMES)),
        containerPort: port(random),
        protocol: random.maybe(80, () => random.pick(KUBERNETES_PROTOCOLS)),
      }),
    ),
  };
}

/** A pod is finished by its phase, or when it is being deleted and the CNI plugin has taken its address away. */
function podAnnotations(random: Random, isFinished: boolean, addresses: readonly string[]): Json {
  const isTakenAway = isFinished && random.chance(50);
  const annotations = defined({
    'cni.projectcalico.org/podIP': isTakenAway ? '' : addresses[0],
    'cni.projectcalico.org/podIPs': random.maybe(50, () => addresses.join(',')),
    'cni.projectcalico.org/allowedSourcePrefixes': random.maybe(20, () =>
      JSON.stringify([cidr(random, anyFamily(random))]),
    ),
  });
  const deletionTimestamp = isTakenAway ? '2026-01-02T00:00:00Z' : undefined;
  return defined({ annotations: isFinished || random.chance(30) ? annotations : undefined, deletionTimestamp });
}

function podStatus(random: Random, isFinished: boolean, addresses: readonly string[]): Json {
  const phase = isFinished ? random.pick(['Failed', 'Succeeded', 'Completed']) : random.pick(['Running', 'Pending']);
  if (addresses.length === 1 && random.chance(30)) return { phase, podIP: addresses[0] };
  return { phase, podIPs: addresses.map((ip) => ({ ip })) };
}

export function hostEndpoint(random: Random, index: number): Json {
  const expectedIPs = random.list(0, 2, () => address(random, anyFamily(random)));
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: defined({ name: `host${index}`, labels: labels(random) }),
    spec: defined({
      node: random.pick(NODES),
      interfaceName: expectedIPs.length === 0 ? '*' : random.maybe(30, () => 'eth0'),
      expectedIPs: expectedIPs.length === 0 ? undefined : expectedIPs,
      profiles: random.maybe(50, () => random.some(PROFILES)),
      ports: random.maybe(50, () => hostPorts(random)),
    }),
  };
}

export function hostPorts(random: Random): Json[] {
  return random.list(1, 2, () => ({ name: random.pick(PORT_NAMES), ...protocolAndPort(random) }));
}
