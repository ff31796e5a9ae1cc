// Which host endpoint is responsible for each interface of a machine. Pure: who lists the machine's interfaces is not
// known here.
import { formatAddress, type IpAddress } from './address.ts';
import type { HostEndpoint } from './endpoint.ts';

export type InterfaceKind = 'host' | 'workload' | 'loopback';

export interface HostInterface {
  readonly name: string;
  /** `workload`: the host's end of a workload's link. Policy leaves `loopback` alone. */
  readonly kind: InterfaceKind;
  readonly addresses: readonly IpAddress[];
}

/** Every interface of the host. */
export const ANY_INTERFACE = '*';

export interface Overlap {
  readonly interfaceName: string;
  readonly chosen: HostEndpoint;
  /** The others that claim the interface, in order. */
  readonly shadowed: readonly HostEndpoint[];
}

export interface ResolvedInterfaces {
  /** Endpoint of each host interface that has one of its own, by interface name. */
  readonly own: ReadonlyMap<string, HostEndpoint>;
  /** Responsible for host interfaces without one of their own, and for what passes workloads' interfaces. */
  readonly any: HostEndpoint | undefined;
  readonly overlaps: readonly Overlap[];
  /** Endpoints that no interface has, in order. */
  readonly unbound: readonly HostEndpoint[];
}

/**
 * Who is responsible for which interface, all endpoints being of one node. An endpoint claims the interface that it
 * names; one that names none claims each that has one of its addresses. Of several the first by name is responsible,
 * and alone: nothing of the others, nor of `*`, applies there.
 */
export function resolveInterfaces(
  endpoints: Iterable<HostEndpoint>,
  interfaces: Iterable<HostInterface>,
): ResolvedInterfaces {
  const sorted = [...endpoints].sort((a, b) => (a.name < b.name ? -1 : 1));
  const [any, ...otherAny] = sorted.filter(({ interfaceName }) => interfaceName === ANY_INTERFACE);
  const specific = sorted.filter(({ interfaceName }) => interfaceName !== ANY_INTERFACE);
  const own = new Map<string, HostEndpoint>();
  const overlaps: Overlap[] = [];
  if (any !== undefined && otherAny.length > 0) {
    overlaps.push({ interfaceName: ANY_INTERFACE, chosen: any, shadowed: otherAny });
  }
  for (const each of interfaces) {
    if (each.kind !== 'host') continue;
    const [chosen, ...shadowed] = specific.filter((endpoint) => claims(endpoint, each));
    if (chosen === undefined) continue;
    own.set(each.name, chosen);
    if (shadowed.length > 0) overlaps.push({ interfaceName: each.name, chosen, shadowed });
  }
  const bound = new Set([any, ...own.values()]);
  return { own, any, overlaps, unbound: sorted.filter((endpoint) => !bound.has(endpoint)) };
}

/** The endpoint whose lists apply to packets on a host interface, known or not; undefined = nothing is policed there. */
export function endpointOfInterface({ own, any }: ResolvedInterfaces, interfaceName: string): HostEndpoint | undefined {
  return own.get(interfaceName) ?? any;
}

function claims({ interfaceName, addresses }: HostEndpoint, { name, addresses: held }: HostInterface): boolean {
  if (interfaceName !== '') return interfaceName === name;
  const texts = new Set(held.map(formatAddress));
  return addresses.some((address) => texts.has(formatAddress(address)));
}
