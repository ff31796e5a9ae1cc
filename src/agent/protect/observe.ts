// Looks at this machine: interfaces, sockets with their holders, flows, SSH sessions, name servers. What follows from them is
// src/analysis/protect.
import { hostname } from 'node:os';
import type { HostObservation, Listener, SeenFlow, SshSession } from '../../analysis/protect/observation.ts';
import { isAnyAddress, isLoopback } from '../../analysis/protect/observation.ts';
import { distinct } from '../../analysis/protect/services.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import { nameServers } from '../block/network-files.ts';
import { type ReadFile, readIfThere } from '../ssh-connection.ts';
import { parseConntrack } from './conntrack.ts';
import { type ProcSocket, parseSockets, TCP_ESTABLISHED, TCP_LISTEN, TCP_SYN_SENT } from './proc-sockets.ts';
import { socketOwners } from './socket-owners.ts';

export interface Look {
  readonly read: ReadFile;
  /** Command name of who holds a socket. */
  readonly owners: ReadonlyMap<number, string>;
  readonly interfaces: readonly HostInterface[];
  readonly node: string;
}

/** Port ranges, RFC 6056 and ip-sysctl. */
const DEFAULT_PORTS = [32_768, 60_999] as const;
const RESOLV_CONFS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** This machine now. `interfaces` as far as kinds are known; `session` is SSH_CONNECTION, where somebody has it. */
export function observeHost(interfaces: readonly HostInterface[], session = ''): HostObservation {
  const look = { read: readIfThere, owners: socketOwners(), node: nodeName(), interfaces };
  return observe(look, session);
}

/** What the look comes to. */
export function observe({ read, owners, interfaces, node }: Look, session: string): HostObservation {
  const sockets = [
    ...socketsOf(PROTOCOL.TCP, ['tcp', 'tcp6'], read),
    ...socketsOf(PROTOCOL.UDP, ['udp', 'udp6'], read),
  ];
  const ephemeralPorts = portRange(read('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  const listeners = sockets.filter(isListening).map((socket) => listenerOf(socket, owners));
  const own = new Set(interfaces.flatMap(({ addresses }) => addresses.map(formatAddress)));
  const flows = [
    ...sockets.flatMap((socket) => flowOf(socket, listeners, owners)),
    ...parseConntrack(read('/proc/net/nf_conntrack') ?? '', own),
  ].filter(({ remote }) => !isLoopback(remote) && !own.has(formatAddress(remote)));
  const seen = sessionOf(session);
  return {
    node,
    interfaces,
    listeners,
    flows: distinctFlows(flows),
    sessions: distinctSessions([...(seen === undefined ? [] : [seen]), ...sshSessions(sockets, owners)]),
    nameServers: distinct(
      RESOLV_CONFS.flatMap((path) => nameServers(read(path) ?? '')).filter((each) => !isLoopback(each)),
    ),
    ephemeralPorts,
    isForwarding: ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].some(
      (name) => read(`/proc/sys/net/${name}`)?.trim() === '1',
    ),
  };
}

/** SSH_CONNECTION: `client port server port`. undefined = it is no such text. */
export function sessionOf(text: string): SshSession | undefined {
  const [client, clientPort, server, serverPort] = text.trim().split(/\s+/);
  const [from, to] = [client, server].map((each = '') =>
    parseAddress(each.replace(/%.*$/, '').replace(/^::ffff:(?=.*\.)/, '')),
  );
  if (from === undefined || to === undefined || !/^\d+$/.test(clientPort ?? '') || !/^\d+$/.test(serverPort ?? '')) {
    return undefined;
  }
  return { client: from, clientPort: Number(clientPort), server: to, serverPort: Number(serverPort) };
}

/** Flows of several looks at one machine, each once. */
export function distinctFlows(flows: Iterable<SeenFlow>): SeenFlow[] {
  const byKey = new Map<string, SeenFlow>();
  for (const flow of flows) {
    const { direction, protocol, local, localPort, remote, remotePort } = flow;
    const service = direction === 'in' ? localPort : remotePort;
    const key = [direction, protocol, formatAddress(local), service, formatAddress(remote)].join(' ');
    // Somebody who is known says more than nobody.
    if (byKey.get(key)?.process === undefined) byKey.set(key, flow);
  }
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, flow]) => flow);
}

type Socket = ProcSocket & { readonly protocol: number };

function socketsOf(protocol: number, files: readonly string[], read: ReadFile): Socket[] {
  return files
    .flatMap((file) => parseSockets(read(`/proc/net/${file}`) ?? ''))
    .map((socket) => ({ protocol, ...socket }));
}

function isListening({ protocol, state, remotePort, localPort }: Socket): boolean {
  return protocol === PROTOCOL.TCP ? state === TCP_LISTEN : remotePort === 0 && localPort !== 0;
}

function listenerOf({ protocol, local, localPort, inode }: Socket, owners: Look['owners']): Listener {
  return { protocol, address: local, port: localPort, process: owners.get(inode) };
}

/** Began from outside if somebody listens where it arrives. */
function flowOf(socket: Socket, listeners: readonly Listener[], owners: Look['owners']): SeenFlow[] {
  const { protocol, local, localPort, remote, remotePort, state, inode } = socket;
  if (isListening(socket) || remotePort === 0 || isAnyAddress(remote)) return [];
  const isIn = state !== TCP_SYN_SENT && listeners.some((each) => isAt(each, protocol, local, localPort));
  const direction = isIn ? 'in' : 'out';
  return [{ direction, protocol, local, localPort, remote, remotePort, process: owners.get(inode) }];
}

/** A socket of all addresses of IPv6 takes IPv4 as well, as a rule. */
function isAt(listener: Listener, protocol: number, address: IpAddress, port: number): boolean {
  if (listener.protocol !== protocol || listener.port !== port) return false;
  return isAnyAddress(listener.address) || formatAddress(listener.address) === formatAddress(address);
}

function sshSessions(sockets: readonly Socket[], owners: Look['owners']): SshSession[] {
  return sockets
    .filter(({ protocol, state }) => protocol === PROTOCOL.TCP && state === TCP_ESTABLISHED)
    .filter(({ inode, remote }) => !isLoopback(remote) && (owners.get(inode) ?? '').startsWith('sshd'))
    .map(({ local, localPort, remote, remotePort }) => ({
      client: remote,
      clientPort: remotePort,
      server: local,
      serverPort: localPort,
    }));
}

function distinctSessions(sessions: readonly SshSession[]): SshSession[] {
  const named = sessions.map((session): [string, SshSession] => {
    const { client, clientPort, server, serverPort } = session;
    return [[formatAddress(client), clientPort, formatAddress(server), serverPort].join(' '), session];
  });
  return [...new Map(named).values()];
}

function portRange(text: string): readonly [number, number] {
  const [first, last] = text.trim().split(/\s+/).map(Number);
  return first !== undefined && last !== undefined && first < last ? [first, last] : DEFAULT_PORTS;
}

/** Fit to be the name of a node. */
function nodeName(): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  return name === '' ? 'localhost' : name;
}
