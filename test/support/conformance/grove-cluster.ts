// The eight pods of the ClusterNetworkPolicy suite: four namespaces named after trees, two pods in each, two ports of each protocol.
import type { Cluster, ServedPort } from './case.ts';
import { namespace, pod } from './cluster.ts';
import { type LabelSelector, labelled } from './network-policy.ts';

const PORTS: readonly ServedPort[] = [
  { protocol: 'TCP', port: 80, name: 'web' },
  { protocol: 'TCP', port: 8080, name: 'web-alt' },
  { protocol: 'UDP', port: 53, name: 'dns' },
  { protocol: 'UDP', port: 5353, name: 'mdns' },
  { protocol: 'SCTP', port: 9003, name: 'signal' },
  { protocol: 'SCTP', port: 9005, name: 'signal-alt' },
];

export type Tree = 'alder' | 'birch' | 'cedar' | 'dogwood';
const TREES: readonly Tree[] = ['alder', 'birch', 'cedar', 'dogwood'];
const FIRST_NUMBER = 64;

/** Namespace and pods have the label `tree`, each pod also `member: <its name>`. */
export const GROVE: Cluster = {
  namespaces: TREES.map((tree) => namespace(tree, { tree })),
  pods: TREES.flatMap((tree, index) =>
    [0, 1].map((ordinal) => {
      const member = `${tree}-${ordinal}`;
      return pod(tree, member, { tree, member }, { number: FIRST_NUMBER + 2 * index + ordinal }, PORTS);
    }),
  ),
  ports: PORTS,
};

export function inTree(tree: Tree): { readonly namespaces: LabelSelector } {
  return { namespaces: labelled({ 'kubernetes.io/metadata.name': tree }) };
}

/** Selects the same pods as inTree, by labels of both. */
export function podsOfTree(tree: Tree): {
  readonly pods: { namespaceSelector: LabelSelector; podSelector: LabelSelector };
} {
  return { pods: { namespaceSelector: labelled({ tree }), podSelector: labelled({ tree }) } };
}
