// Which interfaces each local host endpoint is responsible for, or why for none: what `tortie endpoint` and `tortie status` say of
// it. Pure.
import { formatAddress } from '../model/address.ts';
import type { HostEndpoint } from '../model/endpoint.ts';
import {
  ANY_INTERFACE,
  type HostInterface,
  type Overlap,
  type ResolvedInterfaces,
  resolveInterfaces,
} from '../model/host-interfaces.ts';

export interface HostEndpointStatus {
  /** Of the object. */
  readonly hostEndpoint: string;
  /** That it is responsible for, in the order of their names. */
  readonly interfaces: readonly string[];
  /** That they have. */
  readonly addresses: readonly string[];
  /** waiting = enforced as soon as an interface is there that it claims; error = see reason. */
  readonly state: 'ready' | 'waiting' | 'error';
  readonly reason: string;
}

/** In the order of their names. problem = why none of them is enforced; undefined = they are. */
export function describeHostEndpoints(
  endpoints: Iterable<HostEndpoint>,
  interfaces: readonly HostInterface[],
  problem: string | undefined,
): HostEndpointStatus[] {
  const all = [...endpoints].sort((a, b) => (a.name < b.name ? -1 : 1));
  const resolved = resolveInterfaces(all, interfaces);
  return all.map((endpoint) => {
    const own = interfacesOf(endpoint, interfaces, resolved);
    const names = own.map(({ name }) => name);
    const addresses = own.flatMap((each) => each.addresses.map(formatAddress));
    const said = describe(endpoint, names, interfaces, resolved.overlaps);
    const state = problem === undefined ? said : ({ state: 'error', reason: problem } as const);
    return { hostEndpoint: endpoint.name, interfaces: names, addresses, ...state };
  });
}

function interfacesOf(
  endpoint: HostEndpoint,
  interfaces: readonly HostInterface[],
  { own, any }: ResolvedInterfaces,
): HostInterface[] {
  const isResponsible = ({ name, kind }: HostInterface): boolean =>
    kind === 'host' && (own.get(name) ?? any) === endpoint;
  return interfaces.filter(isResponsible).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function describe(
  endpoint: HostEndpoint,
  names: readonly string[],
  interfaces: readonly HostInterface[],
  overlaps: readonly Overlap[],
): Pick<HostEndpointStatus, 'state' | 'reason'> {
  const lost = overlaps.filter(({ shadowed }) => shadowed.includes(endpoint));
  const taken = lost.map(({ interfaceName, chosen }) =>
    interfaceName === ANY_INTERFACE
      ? `all interfaces belong to ${chosen.name}`
      : `interface ${interfaceName} belongs to ${chosen.name}`,
  );
  const isForAll = endpoint.interfaceName === ANY_INTERFACE;
  if (taken.length > 0) return { state: names.length > 0 ? 'ready' : 'error', reason: taken.join('; ') };
  if (names.length > 0 || isForAll) return { state: 'ready', reason: bareReason(endpoint, interfaces) };
  return whyNone(endpoint, interfaces);
}

/** An interface without an address takes nothing and sends little: it may be the wrong one. */
function bareReason({ interfaceName }: HostEndpoint, interfaces: readonly HostInterface[]): string {
  const named = interfaces.find(({ name }) => name === interfaceName);
  return named !== undefined && named.addresses.length === 0 ? `interface ${interfaceName} has no address` : '';
}

function whyNone(
  { interfaceName, addresses }: HostEndpoint,
  interfaces: readonly HostInterface[],
): Pick<HostEndpointStatus, 'state' | 'reason'> {
  if (interfaceName === '') {
    const texts = addresses.map(formatAddress).join(', ');
    return { state: 'waiting', reason: `no interface of this host has ${texts}` };
  }
  const kind = interfaces.find(({ name }) => name === interfaceName)?.kind;
  if (kind === undefined) return { state: 'waiting', reason: `interface ${interfaceName} does not exist yet` };
  const what = kind === 'loopback' ? 'the loopback, which policy leaves alone' : "a workload's";
  return { state: 'error', reason: `interface ${interfaceName} is ${what}` };
}
