// Ends of a probe: names of workload endpoints or addresses -> an address of one family each, and where their namespaces are.
import { readLiveManifests } from '../../agent/live-manifests.ts';
import type { AgentStatus } from '../../agent/status.ts';
import { DataplaneError } from '../../base/errors.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { buildWorld } from '../../model/build-world.ts';
import { askAgent } from '../agent-client.ts';
import { findNamespace, namespacePath, peerMacOf } from './namespaces.ts';

/** One end, with every address that it has. */
export interface NamedEnd {
  readonly name: string;
  /** What policy calls it, where that is another name. */
  readonly key?: string;
  readonly addresses: readonly IpAddress[];
  /** Of this machine, that leads to it; undefined = not known. */
  readonly interface?: string;
}

export interface ProbeEnd {
  readonly name: string;
  readonly address: IpAddress;
  readonly interface?: string;
  /** Where it is, as an operator has said. */
  readonly netns?: string;
}

const SHOWN = 8;

/** Of the agent: its endpoints with their addresses, and the interface of each that is ready. */
export async function readEndpoints(socket: string): Promise<readonly NamedEnd[]> {
  const { objects } = readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests'));
  const { endpoints } = await askAgent<Pick<AgentStatus, 'endpoints'>>(socket, 'GET', '/v1/status');
  const interfaces = new Map(endpoints.map((each) => [each.endpoint, each]));
  return [...buildWorld(objects.values()).world.workloadEndpoints.values()].map((endpoint) => {
    const status = interfaces.get(endpoint.displayName) ?? interfaces.get(endpoint.key);
    return {
      name: endpoint.displayName,
      key: endpoint.key,
      addresses: endpoint.addresses,
      ...(status?.state === 'ready' && { interface: status.interface }),
    };
  });
}

/** An address, or an endpoint of the agent. Throws NOT_FOUND. */
export async function readEnd(name: string, socket: string): Promise<NamedEnd> {
  const address = parseAddress(name);
  if (address !== undefined) return { name, addresses: [address] };
  const endpoints = await readEndpoints(socket);
  const found = endpoints.find((end) => end.name === name || end.key === name);
  if (found !== undefined) return found;
  const known = endpoints.map((end) => end.name).sort();
  throw new DataplaneError('NOT_FOUND', 'no such workload endpoint', {
    operation: 'probe',
    target: name,
    expected: `an address or one of: ${known.slice(0, SHOWN).join(', ')}${known.length > SHOWN ? ', ...' : ''}`,
  });
}

/** Addresses of one family that both have, IPv4 first; undefined = none. `from` undefined = any will do. */
export function inCommon(
  from: NamedEnd | undefined,
  to: NamedEnd,
  family?: '4' | '6',
): { from: ProbeEnd | undefined; to: ProbeEnd } | undefined {
  for (const each of [4, 6]) {
    if (family !== undefined && family !== String(each)) continue;
    const [there, here] = [atFamily(to, each), from && atFamily(from, each)];
    if (there !== undefined && (from === undefined || here !== undefined)) return { from: here, to: there };
  }
  return undefined;
}

/** Throws NOT_FOUND unless exactly one namespace of this machine can be meant; undefined = none has the address. */
export function namespaceOf({ name, address, netns, interface: link }: ProbeEnd): string | undefined {
  if (netns !== undefined) return namespacePath(netns);
  const mac = link === undefined ? undefined : peerMacOf(link);
  return findNamespace({ name, address, ...(mac !== undefined && { mac }) });
}

/** Throws NOT_FOUND. */
export function requireNamespace(end: ProbeEnd): string {
  const path = namespaceOf(end);
  if (path !== undefined) return path;
  throw new DataplaneError('NOT_FOUND', 'no network namespace of this machine has its address', {
    operation: 'probe',
    target: end.name,
    found: formatAddress(end.address),
    hint: 'run the probe on the machine of that endpoint, as root',
  });
}

function atFamily({ name, addresses, interface: link }: NamedEnd, family: number): ProbeEnd | undefined {
  const address = addresses.find((each) => each.family === family);
  return address && { name, address, ...(link !== undefined && { interface: link }) };
}
