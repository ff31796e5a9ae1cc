// policy.networking.k8s.io ClusterNetworkPolicies and their parts, short enough to read a case at a glance.
import type { Manifest, Protocol } from './case.ts';
import type { LabelSelector } from './network-policy.ts';

export type ClusterTier = 'Admin' | 'Baseline';
export type ClusterAction = 'Accept' | 'Deny' | 'Pass';

interface PodsSelector {
  readonly namespaceSelector?: LabelSelector;
  readonly podSelector: LabelSelector;
}

export interface ClusterPeer {
  readonly namespaces?: LabelSelector;
  readonly pods?: PodsSelector;
  /** Egress only. */
  readonly networks?: readonly string[];
}

/** A port number, the first and last of a range, or a name, which implies its protocol. */
export type ClusterPort =
  | { readonly protocol: Protocol; readonly port: number }
  | { readonly protocol: Protocol; readonly first: number; readonly last: number }
  | { readonly name: string };

export interface ClusterRule {
  readonly action: ClusterAction;
  readonly peers: readonly ClusterPeer[];
  readonly ports?: readonly ClusterPort[];
}

export interface ClusterPolicyParts {
  readonly tier?: ClusterTier;
  readonly priority?: number;
  readonly subject: { readonly namespaces: LabelSelector } | { readonly pods: PodsSelector };
  readonly ingress?: readonly ClusterRule[];
  readonly egress?: readonly ClusterRule[];
}

export function clusterPolicy(name: string, parts: ClusterPolicyParts): Manifest {
  const { tier = 'Admin', priority = 10, subject, ingress, egress } = parts;
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name },
    spec: {
      tier,
      priority,
      subject,
      ...(ingress && { ingress: ingress.map((rule, index) => writeRule(rule, 'from', index)) }),
      ...(egress && { egress: egress.map((rule, index) => writeRule(rule, 'to', index)) }),
    },
  };
}

function writeRule({ action, peers, ports }: ClusterRule, peersField: 'from' | 'to', index: number): object {
  const name = `${action.toLowerCase()}-${index}`;
  return { name, action, [peersField]: peers, ...(ports && { protocols: ports.map(writePort) }) };
}

function writePort(port: ClusterPort): object {
  if ('name' in port) return { destinationNamedPort: port.name };
  const destinationPort = 'port' in port ? { number: port.port } : { range: { start: port.first, end: port.last } };
  return { [port.protocol.toLowerCase()]: { destinationPort } };
}
