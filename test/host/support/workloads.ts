// Workloads of a host test, told once: the lab's namespaces and the WorkloadEndpoint manifests both come from here.
import type { WorkloadSpec } from '../../../tools/lab/topology.ts';

export const NODE = 'node1';

export interface NamedPort {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
}

export interface Workload {
  readonly namespace: string;
  /** Also the name of its network namespace in the lab. */
  readonly pod: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly hostInterface: string;
  readonly ports?: readonly NamedPort[];
  /** See WorkloadSpec. */
  readonly isUnplugged?: boolean;
}

/** A dual-stack workload whose last address part, both families, is `number`. */
export function workload(
  namespace: string,
  pod: string,
  number: number,
  more: Partial<Pick<Workload, 'labels' | 'ports' | 'isUnplugged'>> = {},
): Workload {
  const addresses = [`10.66.0.${number}`, `fd00:66::${number.toString(16)}`];
  return { namespace, pod, labels: { app: pod }, addresses, hostInterface: `cali${pod.replaceAll('-', '')}`, ...more };
}

export function workloadSpec({ pod, hostInterface, addresses, isUnplugged }: Workload): WorkloadSpec {
  return { name: pod, hostInterface, addresses, isUnplugged };
}

function namespaceManifest(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: name } } };
}

function endpointManifest({ namespace, pod, labels, addresses, hostInterface, ports }: Workload): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    // A dash inside a part of the name is doubled.
    metadata: { name: `${NODE}-k8s-${pod.replaceAll('-', '--')}-eth0`, namespace, labels },
    spec: {
      node: NODE,
      orchestrator: 'k8s',
      pod,
      endpoint: 'eth0',
      interfaceName: hostInterface,
      ipNetworks: addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      profiles: [`kns.${namespace}`],
      ports,
    },
  };
}

/** WorkloadEndpoints and the Namespaces they are in, each labelled `team: <its name>`. */
export function workloadManifests(workloads: readonly Workload[]): object[] {
  const namespaces = [...new Set(workloads.map((one) => one.namespace))];
  return [...namespaces.map(namespaceManifest), ...workloads.map(endpointManifest)];
}
