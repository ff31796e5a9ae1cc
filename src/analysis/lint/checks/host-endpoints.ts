// Host endpoints that are in each other's way, that belong nowhere, or that speak of another host's addresses.
import { formatAddress, parseAddress } from '../../../model/address.ts';
import type { HostEndpoint } from '../../../model/endpoint.ts';
import { ANY_INTERFACE, type Overlap, resolveInterfaces } from '../../../model/host-interfaces.ts';
import type { Resource } from '../../../resources/resource.ts';
import { findingAbout, type LintContext, type LintMachine } from '../context.ts';
import type { Finding } from '../finding.ts';
import { listSome } from '../wording.ts';

const INTERFACE = ['spec', 'interfaceName'];
const ADDRESSES = ['spec', 'expectedIPs'];

export function checkHostEndpoints(context: LintContext): Finding[] {
  const endpoints = [...context.world.hostEndpoints.values()];
  return [
    ...checkForeign(context, endpoints),
    ...(context.machine === undefined
      ? checkOverlaps(context, claimsByText(endpoints))
      : checkMachine(context, context.machine, endpoints)),
  ];
}

/** Claims that meet whatever interfaces there are. */
function claimsByText(endpoints: readonly HostEndpoint[]): Overlap[] {
  const claims = new Map<string, { interfaceName: string; claimants: HostEndpoint[] }>();
  const claim = (endpoint: HostEndpoint, interfaceName: string): void => {
    const key = `${endpoint.node} ${interfaceName}`;
    const known = claims.get(key) ?? { interfaceName, claimants: [] };
    claims.set(key, known);
    known.claimants.push(endpoint);
  };
  for (const endpoint of endpoints) {
    if (endpoint.interfaceName !== '') claim(endpoint, endpoint.interfaceName);
    else for (const address of new Set(endpoint.addresses.map(formatAddress))) claim(endpoint, `with ${address}`);
  }
  return [...claims.values()].flatMap(({ interfaceName, claimants }) => {
    const [chosen, ...shadowed] = claimants.sort((a, b) => (a.name < b.name ? -1 : 1));
    return chosen === undefined || shadowed.length === 0 ? [] : [{ interfaceName, chosen, shadowed }];
  });
}

/** One finding for each endpoint that has to give way, at its first interface. */
function checkOverlaps(context: LintContext, overlaps: readonly Overlap[]): Finding[] {
  const found = new Map<HostEndpoint, Finding>();
  for (const { interfaceName, chosen, shadowed } of overlaps) {
    for (const endpoint of shadowed) {
      const resource = resourceOf(context, endpoint);
      if (resource === undefined || found.has(endpoint)) continue;
      const where = interfaceName === ANY_INTERFACE ? 'every interface' : `the interface ${interfaceName}`;
      const message = `claims ${where}, which belongs to hostendpoint/${chosen.name}: nothing of this one applies there`;
      const related = [{ message: `hostendpoint/${chosen.name}`, location: chosen.location }];
      const path = endpoint.interfaceName === '' ? ADDRESSES : INTERFACE;
      found.set(endpoint, findingAbout(resource, 'host-endpoints-overlap', message, { path, related }));
    }
  }
  return [...found.values()];
}

function checkMachine(
  context: LintContext,
  { node, interfaces }: LintMachine,
  all: readonly HostEndpoint[],
): Finding[] {
  const endpoints = all.filter((endpoint) => node === '*' || endpoint.node === node);
  const { own, overlaps, unbound } = resolveInterfaces(endpoints, interfaces);
  const shadowed = new Set(overlaps.flatMap((overlap) => overlap.shadowed));
  const names = interfaces.filter(({ kind }) => kind === 'host').map(({ name }) => name);
  const hint = names.length === 0 ? 'the host has no such interfaces' : `the host has ${listSome(names)}`;
  const lost = unbound
    .filter((endpoint) => !shadowed.has(endpoint))
    .flatMap((endpoint) => {
      const resource = resourceOf(context, endpoint);
      if (resource === undefined) return [];
      const isNamed = endpoint.interfaceName !== '';
      const message = isNamed
        ? `names interface ${endpoint.interfaceName}, which is no interface of the host`
        : `expects ${listSome(endpoint.addresses.map(formatAddress))}, which no interface of the host has`;
      return [
        findingAbout(resource, 'host-endpoint-unbound', message, { path: isNamed ? INTERFACE : ADDRESSES, hint }),
      ];
    });
  const bare = interfaces.flatMap(({ name, addresses }) => {
    const endpoint = own.get(name);
    const resource = endpoint === undefined ? undefined : resourceOf(context, endpoint);
    if (resource === undefined || addresses.length > 0) return [];
    const message = `names interface ${name}, which has no address`;
    return [findingAbout(resource, 'host-interface-without-address', message, { path: INTERFACE })];
  });
  return [...checkOverlaps(context, overlaps), ...lost, ...bare];
}

/** Addresses that a Node of another name has, or a host endpoint of another node expects as well. */
function checkForeign(context: LintContext, endpoints: readonly HostEndpoint[]): Finding[] {
  const owners = new Map<string, { name: string; node: string; location: Resource['location'] }[]>();
  const own = (address: string, name: string, node: string, location: Resource['location']): void => {
    const known = owners.get(address) ?? [];
    owners.set(address, known);
    known.push({ name, node, location });
  };
  for (const resource of context.resources) {
    if (resource.type !== 'Node') continue;
    for (const { address } of resource.spec.status.addresses ?? []) {
      const known = parseAddress(address);
      if (known !== undefined) own(formatAddress(known), `node/${resource.name}`, resource.name, resource.location);
    }
  }
  for (const { name, node, addresses, location } of endpoints) {
    for (const address of addresses) own(formatAddress(address), `hostendpoint/${name}`, node, location);
  }
  return endpoints.flatMap((endpoint) => {
    const resource = resourceOf(context, endpoint);
    if (resource === undefined) return [];
    return endpoint.addresses.flatMap((address, index) => {
      const text = formatAddress(address);
      const other = owners.get(text)?.find(({ node }) => node !== endpoint.node);
      if (other === undefined) return [];
      const message = `expects ${text}, which ${other.name} of node ${other.node} has`;
      const related = [{ message: other.name, location: other.location }];
      return [findingAbout(resource, 'expected-address-elsewhere', message, { path: [...ADDRESSES, index], related })];
    });
  });
}

function resourceOf({ resources }: LintContext, { location }: HostEndpoint): Resource | undefined {
  return resources.find((resource) => resource.location === location);
}
