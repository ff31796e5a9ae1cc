// Pods and namespaces as manifests: the clusters that the cases play in. Which policy they are under is not known here.
import type { Cluster, Manifest, ServedPort } from './case.ts';

export const NODE = 'node1';

/** Last part of a pod's addresses, and whether they are in the second prefix of each family. */
export interface Place {
  readonly number: number;
  readonly isFar?: boolean;
}

type Labels = Readonly<Record<string, string>>;

/** IPv4 first. Near pods are in 10.66.0.0/24 and fd00:66::/120, far ones in 10.66.1.0/24 and fd00:66:0:1::/120. */
export function addressesAt({ number, isFar }: Place): readonly [string, string] {
  const hex = number.toString(16);
  return isFar === true ? [`10.66.1.${number}`, `fd00:66:0:1::${hex}`] : [`10.66.0.${number}`, `fd00:66::${hex}`];
}

export function namespace(name: string, labels: Labels): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** A running dual-stack pod, which serves the ports. */
export function pod(
  namespace: string,
  name: string,
  labels: Labels,
  place: Place,
  ports: readonly ServedPort[],
): Manifest {
  const [podIP, other] = addressesAt(place);
  const containers = ports.map((one) => ({
    name: one.name,
    ports: [{ name: one.name, containerPort: one.port, protocol: one.protocol }],
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { nodeName: NODE, containers },
    status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }, { ip: other }] },
  };
}

/** The same object with these labels instead of its own. */
export function relabelled(manifest: Manifest, labels: Labels): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, labels } };
}

/** Throws an ordinary Error: it is the case that misspells the name. */
export function podOf(cluster: Cluster, name: string): Manifest {
  const found = cluster.pods.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found;
}

/** Throws an ordinary Error. */
export function namespaceOf(cluster: Cluster, name: string): Manifest {
  const found = cluster.namespaces.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no namespace ${name}`);
  return found;
}
