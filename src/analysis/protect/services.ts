// Listening sockets and flows -> what the machine offers, and to whom: everybody, those who were seen, or nobody.
import { compareAddresses, formatAddress, type IpAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import { type HostObservation, isAnyAddress, isLoopback, type Listener } from './observation.ts';
import {
  DHCP_CLIENT,
  DHCP_CLIENTS,
  DHCP_SERVERS,
  isPublicService,
  isTunnel,
  SSH_PORT,
  serviceName,
} from './well-known.ts';

/** `closed`: nobody was seen to use it. */
export type Audience =
  | { readonly kind: 'anybody'; readonly why: string }
  | { readonly kind: 'clients'; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'closed' };

export interface Service {
  readonly name: string;
  readonly protocol: number;
  readonly port: number;
  /** Where it listens; empty = on every address. */
  readonly addresses: readonly IpAddress[];
  /** Command names, in order. */
  readonly processes: readonly string[];
  readonly audience: Audience;
}

/** With more clients than that a list of them says nothing. */
export const MAX_CLIENTS = 256;
/** Holds ports that the machine forwards to containers: their packets do not come to its own sockets. */
const PORT_PROXY = 'docker-proxy';

/** In order of protocol and port, without SSH. Loopback, DHCP clients and sockets of outgoing traffic offer nothing. */
export function servicesOf(observation: HostObservation): Service[] {
  const byPort = new Map<string, Listener[]>();
  const sshPorts = sshPortsOf(observation);
  for (const listener of observation.listeners) {
    if (!isOffered(listener, observation) || isSsh(listener, sshPorts)) continue;
    const key = `${listener.protocol} ${listener.port}`;
    byPort.set(key, [...(byPort.get(key) ?? []), listener]);
  }
  return [...byPort.values()].map((listeners) => serviceOf(listeners, observation)).sort(compareServices);
}

/** Ports on which the machine is administered: 22 if it listens there, what sshd holds, and where sessions arrive. */
export function sshPortsOf({ listeners, sessions }: HostObservation): number[] {
  const held = listeners.filter(
    ({ protocol, port, process }) =>
      protocol === PROTOCOL.TCP && (port === SSH_PORT || process?.startsWith('sshd') === true),
  );
  const public_ = held.filter(({ address }) => !isLoopback(address));
  return [...new Set([...public_.map(({ port }) => port), ...sessions.map(({ serverPort }) => serverPort)])].sort(
    (a, b) => a - b,
  );
}

/** Ports of containers, which are not this machine's own. */
export function publishedPorts({ listeners }: HostObservation): Listener[] {
  return listeners.filter(({ process }) => process === PORT_PROXY);
}

/** The machine is given its address of IPv4, as a socket shows. That of IPv6 needs no rule. */
export function isDhcpClient({ listeners }: HostObservation): boolean {
  return listeners.some(({ protocol, port }) => protocol === PROTOCOL.UDP && port === DHCP_CLIENT);
}

function isOffered({ protocol, port, address, process }: Listener, observation: HostObservation): boolean {
  if (isLoopback(address) || process === PORT_PROXY) return false;
  if (protocol === PROTOCOL.TCP) return true;
  if (DHCP_CLIENTS.has(port)) return false;
  const [first, last] = observation.ephemeralPorts;
  return port < first || port > last || isTunnel(protocol, port);
}

function serviceOf(listeners: readonly Listener[], observation: HostObservation): Service {
  const { protocol, port } = listeners[0] as Listener;
  const isEverywhere = listeners.some(({ address }) => isAnyAddress(address));
  const addresses = isEverywhere ? [] : distinct(listeners.map(({ address }) => address));
  const processes = [...new Set(listeners.flatMap(({ process }) => process ?? []))].sort();
  const name = serviceName(protocol, port);
  return { name, protocol, port, addresses, processes, audience: audienceOf(protocol, port, observation) };
}

function isSsh({ protocol, port }: Listener, sshPorts: readonly number[]): boolean {
  return protocol === PROTOCOL.TCP && sshPorts.includes(port);
}

function audienceOf(protocol: number, port: number, observation: HostObservation): Audience {
  if (isPublicService(protocol, port)) return { kind: 'anybody', why: 'it is there for everybody' };
  if (protocol === PROTOCOL.UDP && DHCP_SERVERS.has(port)) {
    return { kind: 'anybody', why: 'whoever asks for an address has none yet' };
  }
  const clients = distinct(
    observation.flows
      .filter((flow) => flow.direction === 'in' && flow.protocol === protocol && flow.localPort === port)
      .map(({ remote }) => remote)
      .filter((address) => !isLoopback(address)),
  );
  if (clients.length === 0) return { kind: 'closed' };
  if (clients.length <= MAX_CLIENTS) return { kind: 'clients', addresses: clients };
  return { kind: 'anybody', why: `${clients.length} different addresses were seen to use it` };
}

export function distinct(addresses: readonly IpAddress[]): IpAddress[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()].sort(compareAddresses);
}

function compareServices(a: Service, b: Service): number {
  return a.protocol - b.protocol || a.port - b.port;
}
