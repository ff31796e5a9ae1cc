// Workload endpoints by the names and addresses that people, tests and flow logs give them. Read-only view of a world.
import { formatAddress, type IpAddress } from '../model/address.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { World } from '../model/world.ts';
import { nearestName } from '../resources/nearest.ts';

export class EndpointNames {
  /** A pod with several interfaces is several endpoints of one name. */
  readonly #byName = new Map<string, WorkloadEndpoint[]>();
  readonly #byAddress = new Map<string, WorkloadEndpoint>();
  readonly #byNamespace = new Map<string, WorkloadEndpoint[]>();

  constructor(world: World) {
    const endpoints = [...world.workloadEndpoints.values()].sort(byDisplayName);
    for (const endpoint of endpoints) {
      for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), endpoint);
      addTo(this.#byNamespace, endpoint.namespace, endpoint);
      addTo(this.#byName, endpoint.displayName, endpoint);
    }
    // What people call an endpoint goes before what Calico calls another.
    for (const endpoint of endpoints) if (!this.#byName.has(endpoint.key)) this.#byName.set(endpoint.key, [endpoint]);
  }

  at(address: IpAddress): WorkloadEndpoint | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  /** In order of display name. */
  inNamespace(namespace: string): readonly WorkloadEndpoint[] {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /**
   * `<namespace>/<pod or workload>`, the endpoint's key, or `<namespace>/<beginning>*`: every endpoint it stands for, in
   * order of display name.
   */
  matching(pattern: string): readonly WorkloadEndpoint[] {
    if (!pattern.endsWith('*')) return this.#byName.get(pattern) ?? [];
    const prefix = pattern.slice(0, -1);
    const slash = prefix.indexOf('/');
    if (slash < 0) return [];
    return this.inNamespace(prefix.slice(0, slash)).filter(({ displayName }) => displayName.startsWith(prefix));
  }

  /** The known display name that was probably meant. */
  nearest(name: string): string | undefined {
    return nearestName(name, new Set([...this.#byName.values()].flat().map(({ displayName }) => displayName)));
  }
}

/** `<namespace>/<workload>`: pods that one controller made share it; everything else has its own display name. */
export function workloadName({ namespace, displayName, labels }: WorkloadEndpoint): string {
  const pod = displayName.slice(namespace.length + 1);
  return `${namespace}/${controllerName(pod, labels) ?? pod}`;
}

/** From the labels that Kubernetes controllers put on pods, and the way they make up names from them. */
function controllerName(pod: string, labels: Readonly<Record<string, string>>): string | undefined {
  const job = labels['batch.kubernetes.io/job-name'] ?? labels['job-name'];
  if (job !== undefined && pod.startsWith(`${job}-`)) return job;
  const hash = labels['pod-template-hash'];
  const at = hash === undefined ? -1 : pod.lastIndexOf(`-${hash}-`);
  if (at > 0) return pod.slice(0, at);
  if (labels['statefulset.kubernetes.io/pod-name'] === pod) return withoutTail(pod, /-\d+$/);
  return labels['controller-revision-hash'] === undefined ? undefined : withoutTail(pod, /-[a-z0-9]{5}$/);
}

function withoutTail(name: string, tail: RegExp): string | undefined {
  const stem = name.replace(tail, '');
  return stem === name || stem === '' ? undefined : stem;
}

function addTo(map: Map<string, WorkloadEndpoint[]>, key: string, endpoint: WorkloadEndpoint): void {
  const others = map.get(key);
  if (others === undefined) map.set(key, [endpoint]);
  else others.push(endpoint);
}

function byDisplayName(a: WorkloadEndpoint, b: WorkloadEndpoint): number {
  return a.displayName < b.displayName ? -1 : a.displayName > b.displayName ? 1 : 0;
}
