// Generated network sets, namespaces, service accounts, profiles, services and nodes: what policies speak of.
import { address, anyFamily, cidr } from './addresses.ts';
import { NODES } from './endpoints.ts';
import { defined, type Random } from './random.ts';
import { type Json, rule } from './rules.ts';
import {
  labels,
  NAMESPACES,
  PORT_PROTOCOLS,
  port,
  protocolSpelling,
  SERVICE_ACCOUNTS,
  SERVICE_NAMESPACES,
  SERVICES,
} from './vocabulary.ts';

/** Namespaces that are not written down have no profile: what lives there is denied when evaluation comes to it. */
export function namespaces(random: Random): Json[] {
  return NAMESPACES.filter(() => random.chance(90)).map((name) => {
    const own = labels(random);
    return {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: defined({
        name,
        labels: random.chance(50) ? { ...own, 'kubernetes.io/metadata.name': name } : own,
      }),
    };
  });
}

export function serviceAccount(random: Random): Json {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: defined({
      namespace: random.pick(NAMESPACES),
      name: random.pick(SERVICE_ACCOUNTS),
      labels: labels(random),
    }),
  };
}

/** Written profiles; one may take the place of a namespace's own. */
export function profile(random: Random): Json {
  const rules = (direction: 'ingress' | 'egress'): Json[] | undefined =>
    random.maybe(80, () => random.list(0, 3, () => rule(random, direction, 'profile')));
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Profile',
    metadata: defined({ name: random.pick(['custom', 'custom', 'other', 'kns.nsc']) }),
    spec: defined({
      labelsToApply: random.maybe(70, () => labels(random)),
      ingress: rules('ingress'),
      egress: rules('egress'),
    }),
  };
}

/** Nested, touching, equal and all-embracing prefixes, and bare addresses. */
export function networkSet(random: Random, index: number): Json {
  const namespace = random.maybe(50, () => random.pick(NAMESPACES));
  const net = (): string => (random.chance(20) ? address : cidr)(random, anyFamily(random));
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: namespace === undefined ? 'GlobalNetworkSet' : 'NetworkSet',
    metadata: defined({ namespace, name: `set${index}`, labels: labels(random) }),
    spec: defined({ nets: random.maybe(95, () => random.list(0, 5, net)) }),
  };
}

export function endpointSlice(random: Random, index: number): Json {
  const family = anyFamily(random);
  const isFqdn = random.chance(3);
  return defined({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: defined({
      namespace: random.pick(SERVICE_NAMESPACES),
      name: `slice${index}`,
      labels: random.chance(95) ? { 'kubernetes.io/service-name': random.pick(SERVICES) } : {},
    }),
    addressType: isFqdn ? 'FQDN' : `IPv${family}`,
    endpoints: random.maybe(95, () =>
      random.list(0, 3, () =>
        defined({
          addresses: isFqdn ? ['web.example.com'] : random.list(1, 2, () => address(random, family)),
          conditions: random.maybe(60, () => conditions(random)),
        }),
      ),
    ),
    ports: random.maybe(95, () => random.list(0, 3, () => slicePort(random))),
  });
}

/** What is absent is as the API says it: ready, and serving when ready. */
function conditions(random: Random): Json {
  const value = (): unknown => random.pick([true, true, false, null]);
  return defined({
    ready: random.maybe(70, value),
    serving: random.maybe(50, value),
    terminating: random.maybe(30, value),
  });
}

/** A port without a number is one that nobody knows. */
function slicePort(random: Random): Json {
  return defined({
    name: random.maybe(50, () => random.pick(['http', ''])),
    protocol: random.maybe(85, () => protocolSpelling(random, random.pick(PORT_PROTOCOLS))),
    port: random.maybe(90, () => port(random)),
  });
}

/** Services and nodes decide nothing by themselves. */
export function service(random: Random): Json {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: defined({ namespace: random.pick(SERVICE_NAMESPACES), name: random.pick(SERVICES) }),
    spec: defined({
      type: random.maybe(50, () => 'ClusterIP'),
      clusterIP: random.maybe(50, () => '10.96.0.10'),
      clusterIPs: random.maybe(50, () => ['10.96.0.10', 'fd00:96::10']),
      selector: random.maybe(50, () => ({ app: 'web' })),
      ports: random.maybe(50, () => [
        defined({ name: random.maybe(50, () => 'http'), protocol: random.maybe(50, () => 'TCP'), port: port(random) }),
      ]),
    }),
  };
}

export function node(random: Random): Json {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: defined({ name: random.pick(NODES) }),
    spec: defined({
      podCIDR: random.maybe(50, () => '10.1.0.0/24'),
      podCIDRs: random.maybe(50, () => ['10.1.0.0/24', 'fd00:1::/64']),
    }),
    status: defined({ addresses: random.maybe(50, () => [{ type: 'InternalIP', address: '192.0.2.1' }]) }),
  };
}
