// Host endpoints that are in each other's way, that belong nowhere, or that speak of another host's addresses; those too that
// come to be for a Node, which findings about them are about.
import { formatAddress, parseAddress } from '../../../model/address.ts';
import type { HostEndpoint } from '../../../model/endpoint.ts';
import { ANY_INTERFACE, type Overlap, resolveInterfaces } from '../../../model/host-interfaces.ts';
import type { Resource } from '../../../resources/resource.ts';
import type { RuleId } from '../catalogue.ts';
import { type FindingDetails, findingAbout, type LintContext, type LintMachine } from '../context.ts';
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
      if (found.has(endpoint)) continue;
      const where = interfaceName === ANY_INTERFACE ? 'every interface' : `the interface ${interfaceName}`;
      const message = `claims ${where}, which belongs to hostendpoint/${chosen.name}: nothing of this one applies there`;
      const related = [{ message: `hostendpoint/${chosen.name}`, location: chosen.location }];
      const path = endpoint.interfaceName === '' ? ADDRESSES : INTERFACE;
      const [finding] = about(context, endpoint, 'host-endpoints-overlap', message, { path, related });
      if (finding !== undefined) found.set(endpoint, finding);
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
      const isNamed = endpoint.interfaceName !== '';
      const message = isNamed
        ? `names interface ${endpoint.interfaceName}, which is no interface of the host`
        : `expects ${listSome(endpoint.addresses.map(formatAddress))}, which no interface of the host has`;
      return about(context, endpoint, 'host-endpoint-unbound', message, {
        path: isNamed ? INTERFACE : ADDRESSES,
        hint,
      });
    });
  const bare = interfaces.flatMap(({ name, addresses }) => {
    const endpoint = own.get(name);
    if (endpoint === undefined || addresses.length > 0) return [];
    const message = `names interface ${name}, which has no address`;
    return about(context, endpoint, 'host-interface-without-address', message, { path: INTERFACE });
  });
  return [...checkOverlaps(context, overlaps), ...lost, ...bare];
}

/** Addresses that a Node of another name has, or a host endpoint of another node expects as well. */
function checkForeign(context: LintContext, all: readonly HostEndpoint[]): Finding[] {
  // Endpoints that come to be for Nodes expect whatever is at their interfaces: bridges have the same address everywhere.
  const written = new Set(
    context.resources.filter(({ type }) => type === 'HostEndpoint').map(({ location }) => location),
  );
  const endpoints = all.filter(({ location }) => written.has(location));
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
    return endpoint.addresses.flatMap((address, index) => {
      const text = formatAddress(address);
      const other = owners.get(text)?.find(({ node }) => node !== endpoint.node);
      if (other === undefined) return [];
      const message = `expects ${text}, which ${other.name} of node ${other.node} has`;
      const related = [{ message: other.name, location: other.location }];
      return about(context, endpoint, 'expected-address-elsewhere', message, { path: [...ADDRESSES, index], related });
    });
  });
}

/** Empty if the endpoint is not written down. */
function about(
  context: LintContext,
  endpoint: HostEndpoint,
  rule: RuleId,
  message: string,
  details: FindingDetails,
): Finding[] {
  const resource = resourceOf(context, endpoint);
  if (resource === undefined) return [];
  if (resource.type === 'HostEndpoint') return [findingAbout(resource, rule, message, details)];
  return [findingAbout(resource, rule, `its hostendpoint/${endpoint.name} ${message}`, { ...details, path: [] })];
}

function resourceOf({ resources }: LintContext, { location }: HostEndpoint): Resource | undefined {
  return resources.find((resource) => resource.location === location);
}
