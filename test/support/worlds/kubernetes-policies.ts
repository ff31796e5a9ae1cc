// Generated policies of Kubernetes' own kinds: NetworkPolicy, its staged form, and ClusterNetworkPolicy.

import { type Cidr, containsCidr, parseCidr } from '../../../src/model/address.ts';
import { anyFamily, cidr, familyOf } from './addresses.ts';
import { STAGED_ACTIONS } from './policies.ts';
import { defined, type Random } from './random.ts';
import type { Json } from './rules.ts';
import {
  KUBERNETES_PROTOCOLS,
  LABELS,
  NAMESPACES,
  POLICY_NAMES,
  PORT_NAMES,
  port,
  portRange,
  VALUES,
} from './vocabulary.ts';

export function kubernetesPolicy(random: Random): Json {
  const isStaged = random.chance(25);
  return {
    apiVersion: isStaged ? 'projectcalico.org/v3' : 'networking.k8s.io/v1',
    kind: isStaged ? 'StagedKubernetesNetworkPolicy' : 'NetworkPolicy',
    metadata: defined({ namespace: random.pick(NAMESPACES), name: random.pick(POLICY_NAMES) }),
    spec:
      isStaged && random.chance(10)
        ? { stagedAction: 'Delete' }
        : defined({
            podSelector: labelSelector(random),
            policyTypes: random.maybe(70, () => random.pick([['Ingress'], ['Egress'], ['Ingress', 'Egress'], []])),
            ingress: random.maybe(80, () => random.list(0, 2, () => networkRule(random, 'from'))),
            egress: random.maybe(60, () => random.list(0, 2, () => networkRule(random, 'to'))),
            stagedAction: isStaged ? random.maybe(60, () => random.pick(STAGED_ACTIONS)) : undefined,
          }),
  };
}

function networkRule(random: Random, field: 'from' | 'to'): Json {
  return defined({
    [field]: random.maybe(75, () => random.list(0, 2, () => peer(random))),
    ports: random.maybe(60, () => random.list(0, 3, () => policyPort(random))),
  });
}

function peer(random: Random): Json {
  return random.weighted<Json>(
    [2, () => ({ podSelector: labelSelector(random) })],
    [2, () => ({ namespaceSelector: namespaceLabels(random) })],
    [2, () => ({ podSelector: labelSelector(random), namespaceSelector: namespaceLabels(random) })],
    [3, () => ({ ipBlock: ipBlock(random) })],
  );
}

/** Exceptions must be smaller than the block. Host bits are cut off by the reader. */
function ipBlock(random: Random): Json {
  const block = cidr(random, anyFamily(random));
  const inside = random.list(0, 3, () => cidr(random, familyOf(block))).filter((text) => isStrictlyInside(text, block));
  return defined({ cidr: block, except: random.maybe(60, () => inside) });
}

function isStrictlyInside(inner: string, outer: string): boolean {
  const [small, large] = [parseCidr(inner) as Cidr, parseCidr(outer) as Cidr];
  return small.length > large.length && containsCidr(large, small);
}

function policyPort(random: Random): Json {
  const protocol = random.maybe(80, () => random.pick(KUBERNETES_PROTOCOLS));
  return random.weighted<Json>(
    [4, () => defined({ protocol, port: port(random) })],
    [3, () => defined({ protocol, port: random.pick(PORT_NAMES) })],
    [3, () => rangeOf(random, protocol)],
    [2, () => defined({ protocol })],
  );
}

function rangeOf(random: Random, protocol: string | undefined): Json {
  const [first, last] = portRange(random);
  return defined({ protocol, port: first, endPort: last });
}

function labelSelector(random: Random): Json {
  return random.weighted<Json>(
    [2, () => ({})],
    [3, () => ({ matchLabels: { [random.pick(LABELS)]: random.pick(VALUES) } })],
    [3, () => ({ matchExpressions: random.list(0, 2, () => expression(random)) })],
    [1, () => ({ matchLabels: { app: random.pick(VALUES) }, matchExpressions: [expression(random)] })],
  );
}

function namespaceLabels(random: Random): Json {
  if (random.chance(70)) return labelSelector(random);
  return { matchLabels: { 'kubernetes.io/metadata.name': random.pick(NAMESPACES) } };
}

function expression(random: Random): Json {
  const key = random.pick(LABELS);
  return random.weighted<Json>(
    [1, () => ({ key, operator: 'In', values: [random.pick(VALUES), ...random.some(VALUES, 20)] })],
    [1, () => ({ key, operator: 'NotIn', values: [random.pick(VALUES), ...random.some(VALUES, 20)] })],
    [1, () => ({ key, operator: 'Exists' })],
    [1, () => ({ key, operator: 'DoesNotExist' })],
  );
}

/** Priorities are few, so that policies share them: their names decide then. */
export function clusterPolicy(random: Random): Json {
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: defined({ name: random.pick(POLICY_NAMES) }),
    spec: defined({
      tier: random.pick(['Admin', 'Baseline']),
      priority: random.pick([0, 1, 1, 1000]),
      subject: podsOrNamespaces(random),
      ingress: random.maybe(75, () => random.list(0, 3, () => clusterRule(random, 'from'))),
      egress: random.maybe(75, () => random.list(0, 3, () => clusterRule(random, 'to'))),
    }),
  };
}

function clusterRule(random: Random, field: 'from' | 'to'): Json {
  const peers = random.list(1, 2, () => clusterPeer(random, field));
  // Networks have no named ports.
  const hasNames = peers.every((peer) => !('networks' in peer));
  return defined({
    name: random.maybe(30, () => 'a-rule'),
    action: random.pick(['Accept', 'Accept', 'Deny', 'Pass']),
    [field]: peers,
    protocols: random.maybe(60, () => random.list(1, 3, () => clusterProtocol(random, hasNames))),
  });
}

function clusterPeer(random: Random, field: 'from' | 'to'): Json {
  if (field === 'from' || random.chance(60)) return podsOrNamespaces(random);
  return { networks: random.list(1, 3, () => cidr(random, anyFamily(random))) };
}

function podsOrNamespaces(random: Random): Json {
  if (random.chance(50)) return { namespaces: namespaceLabels(random) };
  const namespaceSelector = random.maybe(80, () => namespaceLabels(random));
  return { pods: defined({ namespaceSelector, podSelector: labelSelector(random) }) };
}

function clusterProtocol(random: Random, hasNames: boolean): Json {
  if (hasNames && random.chance(30)) return { destinationNamedPort: random.pick(PORT_NAMES) };
  const [start, end] = portRange(random);
  const destinationPort = start === end || random.chance(50) ? { number: start } : { range: { start, end } };
  return { [random.pick(['tcp', 'udp', 'sctp'])]: { destinationPort } };
}
