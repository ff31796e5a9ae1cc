// Generated worlds as the manifests a user would write: namespaces, workloads, sets, tiers, policies of every kind.
import fc from 'fast-check';
import { rule } from './rules.ts';
import {
  defined,
  labels,
  maybe,
  NAMESPACES,
  PORT_NAMES,
  port,
  SERVICE_ACCOUNTS,
  SERVICES,
  selector,
  TIERS,
  v4Address,
  v4Cidr,
  v6Address,
  v6Cidr,
} from './vocabulary.ts';

export type Manifest = Record<string, unknown>;

const namespace = fc.constantFrom(...NAMESPACES);
const order = maybe(fc.constantFrom(-1, 0, 1, 1.5, 1000), 6);

const namespaces = fc.tuple(
  ...NAMESPACES.map((name) =>
    labels.map(
      (own): Manifest => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { ...own, 'kubernetes.io/metadata.name': name } },
      }),
    ),
  ),
);

const serviceAccounts = fc.array(
  fc.tuple(namespace, fc.constantFrom(...SERVICE_ACCOUNTS), labels).map(
    ([ns, name, own]): Manifest => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: ns, name, labels: own },
    }),
  ),
  { maxLength: 3 },
);

const namedPort = fc.record({
  name: fc.constantFrom(...PORT_NAMES),
  protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
  port,
});

const workload = fc.record({
  ns: namespace,
  labels,
  v4: fc.array(v4Address, { maxLength: 2 }),
  v6: fc.array(v6Address, { maxLength: 2 }),
  ports: fc.array(namedPort, { maxLength: 3 }),
  account: maybe(fc.constantFrom(...SERVICE_ACCOUNTS), 6),
  profiles: fc.constantFrom('kubernetes', 'kubernetes', 'kubernetes', 'custom', 'missing', 'none'),
});

/** Addresses are given to the first that asks; a workload that is left without one is left out. */
const workloads = fc.array(workload, { minLength: 2, maxLength: 8 }).map((specs) => {
  const taken = new Set<string>();
  return specs.flatMap((spec, index): Manifest[] => {
    const free = [...spec.v4, ...spec.v6].filter((address) => !taken.has(address) && taken.add(address));
    if (free.length === 0) return [];
    const pod = `pod${index}`;
    const kubernetes = [`kns.${spec.ns}`, ...(spec.account === undefined ? [] : [`ksa.${spec.ns}.${spec.account}`])];
    const profiles = { kubernetes, custom: ['custom', ...kubernetes], missing: ['absent', ...kubernetes], none: [] };
    return [
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'WorkloadEndpoint',
        metadata: { namespace: spec.ns, name: `node1-k8s-${pod}-eth0`, labels: spec.labels },
        spec: defined({
          orchestrator: 'k8s',
          node: 'node1',
          pod,
          endpoint: 'eth0',
          interfaceName: `cali${index}`,
          serviceAccountName: spec.account,
          ipNetworks: free.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
          profiles: profiles[spec.profiles],
          ports: spec.ports,
        }),
      },
    ];
  });
});

const networkSets = fc
  .array(
    fc.tuple(maybe(namespace), labels, fc.array(fc.oneof(v4Cidr, v6Cidr, v4Address, v6Address), { maxLength: 4 })),
    { maxLength: 3 },
  )
  .map((sets) =>
    sets.map(
      ([ns, own, nets], index): Manifest => ({
        apiVersion: 'projectcalico.org/v3',
        kind: ns === undefined ? 'GlobalNetworkSet' : 'NetworkSet',
        metadata: defined({ namespace: ns, name: `set${index}`, labels: own }),
        spec: { nets },
      }),
    ),
  );

const hostEndpoints = fc
  .array(
    fc.tuple(
      labels,
      fc.array(fc.oneof(v4Address, v6Address), { minLength: 1, maxLength: 2 }),
      fc.array(namedPort, { maxLength: 1 }),
    ),
    { maxLength: 1 },
  )
  .map((hosts) =>
    hosts.map(
      ([own, expectedIPs, ports], index): Manifest => ({
        apiVersion: 'projectcalico.org/v3',
        kind: 'HostEndpoint',
        metadata: { name: `host${index}`, labels: own },
        spec: { node: 'node2', expectedIPs, ports },
      }),
    ),
  );

const slices = fc
  .array(
    fc.tuple(
      namespace,
      fc.constantFrom(...SERVICES),
      fc.boolean(),
      fc.array(v4Address, { minLength: 1, maxLength: 3 }),
      fc.array(v6Address, { minLength: 1, maxLength: 3 }),
      fc.array(namedPort, { minLength: 1, maxLength: 2 }),
    ),
    { maxLength: 3 },
  )
  .map((all) =>
    all.map(
      ([ns, service, isV4, v4, v6, ports], index): Manifest => ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { namespace: ns, name: `slice${index}`, labels: { 'kubernetes.io/service-name': service } },
        addressType: isV4 ? 'IPv4' : 'IPv6',
        endpoints: [{ addresses: isV4 ? v4 : v6 }],
        ports: ports.map(({ protocol, port: number }) => ({ protocol, port: number })),
      }),
    ),
  );

const customProfile = fc
  .tuple(
    labels,
    fc.array(rule('ingress', 'profile'), { maxLength: 2 }),
    fc.array(rule('egress', 'profile'), { maxLength: 2 }),
  )
  .map(
    ([labelsToApply, ingress, egress]): Manifest => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Profile',
      metadata: { name: 'custom' },
      spec: { labelsToApply, ingress, egress },
    }),
  );

const tiers = fc.tuple(
  ...(['first', 'second'] as const).map((name) =>
    fc.tuple(order, maybe(fc.constantFrom('Deny', 'Pass', 'Pass'), 8)).map(
      ([value, defaultAction]): Manifest => ({
        apiVersion: 'projectcalico.org/v3',
        kind: 'Tier',
        metadata: { name },
        spec: defined({ order: value, defaultAction }),
      }),
    ),
  ),
);

function calicoPolicy(kind: string): fc.Arbitrary<Manifest> {
  const isGlobal = kind.includes('Global');
  const scope = isGlobal ? 'global' : 'namespaced';
  return fc
    .record({
      ns: namespace,
      name: fc.constantFrom('a', 'a-b', 'a.c', 'b'),
      spec: fc.record({
        tier: maybe(fc.constantFrom(...TIERS), 6),
        order,
        selector: maybe(selector, 5),
        serviceAccountSelector: maybe(fc.constantFrom('all()', 'role == "web"'), 1),
        namespaceSelector: isGlobal
          ? maybe(fc.constantFrom('all()', 'env == "web"', 'projectcalico.org/name == "nsb"'), 1)
          : fc.constant(undefined),
        types: maybe(fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress'])),
        ingress: fc.array(rule('ingress', scope), { maxLength: 4 }),
        egress: fc.array(rule('egress', scope), { maxLength: 4 }),
      }),
    })
    .map(({ ns, name, spec }) => ({
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: isGlobal ? { name } : { namespace: ns, name },
      spec: defined(spec),
    }));
}

const kubernetesSelector = fc.oneof(
  fc.constant({}),
  labels.map((matchLabels) => ({ matchLabels })),
  fc
    .tuple(fc.constantFrom('app', 'role'), fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'))
    .map(([key, operator]) => ({
      matchExpressions: [operator.endsWith('In') ? { key, operator, values: ['web', 'db'] } : { key, operator }],
    })),
);

const kubernetesPeer = fc.oneof(
  fc.record({ podSelector: kubernetesSelector }),
  fc.record({ namespaceSelector: kubernetesSelector }),
  fc.record({ podSelector: kubernetesSelector, namespaceSelector: kubernetesSelector }),
  fc.constantFrom(
    { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.1.0/24'] } },
    { ipBlock: { cidr: 'fd00::/8' } },
    { ipBlock: { cidr: '0.0.0.0/0' } },
  ),
);

const kubernetesPort = fc.oneof(
  fc.record({ protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'), port }),
  fc.record({ protocol: fc.constantFrom('TCP', 'UDP'), port: fc.constantFrom(...PORT_NAMES) }),
  fc.constantFrom({ protocol: 'TCP', port: 79, endPort: 443 }, { protocol: 'UDP' }, { port: 53 }),
);

const kubernetesRule = fc.record({
  peers: fc.array(kubernetesPeer, { maxLength: 2 }),
  ports: fc.array(kubernetesPort, { maxLength: 3 }),
});

const kubernetesPolicy = fc
  .record({
    ns: namespace,
    name: fc.constantFrom('a', 'b'),
    podSelector: kubernetesSelector,
    ingress: fc.array(kubernetesRule, { maxLength: 2 }),
    egress: fc.array(kubernetesRule, { maxLength: 2 }),
    policyTypes: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress']),
  })
  .map(
    ({ ns, name, podSelector, ingress, egress, policyTypes }): Manifest => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: ns, name },
      spec: {
        podSelector,
        policyTypes,
        ingress: ingress.map(({ peers, ports }) => ({ from: peers, ports })),
        egress: egress.map(({ peers, ports }) => ({ to: peers, ports })),
      },
    }),
  );

const policies = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: calicoPolicy('GlobalNetworkPolicy') },
    { weight: 4, arbitrary: calicoPolicy('NetworkPolicy') },
    { weight: 3, arbitrary: kubernetesPolicy },
    { weight: 1, arbitrary: calicoPolicy('StagedNetworkPolicy') },
    { weight: 1, arbitrary: calicoPolicy('StagedGlobalNetworkPolicy') },
  ),
  { maxLength: 8 },
);

/** Everything of one world; of two objects with the same kind and name the first is kept. */
export const manifests: fc.Arbitrary<Manifest[]> = fc
  .tuple(namespaces, serviceAccounts, workloads, networkSets, hostEndpoints, slices, customProfile, tiers, policies)
  .map(([a, b, c, d, e, f, profile, g, h]) =>
    firstOfEachName([...a, ...b, ...c, ...d, ...e, ...f, profile, ...g, ...h]),
  );

function firstOfEachName(all: Manifest[]): Manifest[] {
  const seen = new Set<string>();
  return all.filter((manifest) => {
    const { namespace: ns, name } = manifest.metadata as { namespace?: string; name: string };
    const key = `${manifest.apiVersion}/${manifest.kind}/${ns ?? ''}/${name}`;
    return !seen.has(key) && seen.add(key);
  });
}
