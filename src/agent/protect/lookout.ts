// What no change of policy may cut on this machine, as it is now: the sessions that it is administered through, and what its
// addresses and routes come from. Whether a change does is src/analysis/protect/lifelines.ts.
import { type HeldSession, type Lifeline, type LifelineFacts, lifelinesOf } from '../../analysis/protect/lifelines.ts';
import { isAnyAddress, isLoopback, type SshSession } from '../../analysis/protect/observation.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import type { World } from '../../model/world.ts';
import { type PeersOf, peersByKernel } from '../block/lifelines.ts';
import { machineInterfaces } from '../machine-interfaces.ts';
import { isLocalNode } from '../options.ts';
import { type ReadFile, readIfThere } from '../ssh-connection.ts';
import type { Connection } from '../store/actor.ts';
import { sessionOf } from './observe.ts';
import { parseSockets } from './proc-sockets.ts';
import { Routes } from './routes.ts';

/** Whoever asks for a change, as far as it can be cut off. */
export interface Asker {
  readonly connection?: Connection;
  /** SSH_CONNECTION; undefined = it comes through none. */
  readonly session?: string;
}

export interface Lookout {
  readonly lifelines: readonly Lifeline[];
  readonly interfaces: readonly HostInterface[];
  readonly isLocal: (endpoint: { readonly node: string }) => boolean;
}

/** How the machine is looked at. */
export interface LookoutSources {
  readonly read: ReadFile;
  readonly peersOf: PeersOf;
  readonly interfaces: (isWorkload: (name: string) => boolean) => HostInterface[];
}

const THIS_MACHINE: LookoutSources = { read: readIfThere, peersOf: peersByKernel, interfaces: machineInterfaces };
const SSH_PORT = 22;
/** For a session whose port nobody tells. */
const SOME_PORT = 50_000;
const DHCP_PORT = 68;

/** interfacePrefix as in the settings: names of workloads' interfaces begin so. */
export function lookOut(
  world: World,
  { node, interfacePrefix }: { readonly node: string; readonly interfacePrefix: string },
  asker: Asker,
  sources: LookoutSources = THIS_MACHINE,
): Lookout {
  const isLocal = isLocalNode(node);
  const named = new Set([...world.workloadEndpoints.values()].map(({ interfaceName }) => interfaceName));
  const prefixes = interfacePrefix === '' ? [] : interfacePrefix.split(',');
  const isWorkload = (name: string): boolean => named.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  const interfaces = sources.interfaces(isWorkload);
  return { lifelines: lifelinesOf(factsOf(interfaces, asker, sources)), interfaces, isLocal };
}

function factsOf(interfaces: readonly HostInterface[], asker: Asker, { read, peersOf }: LookoutSources): LifelineFacts {
  const routes = new Routes(read);
  const hosts = interfaces.filter(({ kind }) => kind === 'host').map(({ name }) => name);
  const uplinks = routes.uplinks.filter((name) => hosts.includes(name));
  const sockets = parseSockets(read('/proc/net/udp') ?? '');
  const boundTo = (port: number): string[] => {
    const bound = sockets.filter(({ localPort }) => localPort === port).map(({ local }) => local);
    const exact = bound.flatMap((address) => holdersOf(address, interfaces));
    return [...new Set(bound.some(isAnyAddress) ? [...exact, ...uplinks] : exact)];
  };
  return {
    interfaces,
    sessions: sessionsOf(interfaces, routes, asker, peersOf),
    dhcp: boundTo(DHCP_PORT).map((interfaceName) => ({ interfaceName })),
    interfaceTo: (address) => routes.interfaceTo(address),
  };
}

/** That of whoever asks first; of the other sessions only their other end is known. */
function sessionsOf(
  interfaces: readonly HostInterface[],
  routes: Routes,
  { connection, session }: Asker,
  peersOf: PeersOf,
): HeldSession[] {
  const own = session === undefined ? undefined : sessionOf(session);
  const held: HeldSession[] = [];
  if (own !== undefined) held.push({ what: 'the SSH session that it was sent from', ...own });
  const sent = connection === undefined ? undefined : heldConnection(connection);
  if (sent !== undefined) held.push({ what: 'the connection that it was sent through', ...sent });
  for (const serverPort of new Set([SSH_PORT, own?.serverPort ?? SSH_PORT])) {
    for (const client of peersOf(serverPort)) {
      const server = addressTowards(client, interfaces, routes);
      if (server === undefined) continue;
      held.push({ what: 'an SSH session with this machine', client, clientPort: SOME_PORT, server, serverPort });
    }
  }
  const known = new Set<string>();
  return held.filter(({ client, server, serverPort }) => {
    const key = `${formatAddress(client)} ${serverPort}`;
    const isNew = !known.has(key) && !isLoopback(client) && formatAddress(client) !== formatAddress(server);
    known.add(key);
    return isNew;
  });
}

function heldConnection({ clientAddress, clientPort, serverAddress, serverPort }: Connection): SshSession | undefined {
  const plain = (text: string): IpAddress | undefined =>
    parseAddress(text.replace(/%.*$/, '').replace(/^::ffff:(?=.*\.)/, ''));
  const [client, server] = [plain(clientAddress), plain(serverAddress)];
  return client === undefined || server === undefined ? undefined : { client, clientPort, server, serverPort };
}

function addressTowards(
  client: IpAddress,
  interfaces: readonly HostInterface[],
  routes: Routes,
): IpAddress | undefined {
  const name = routes.interfaceTo(client);
  return interfaces.find((each) => each.name === name)?.addresses.find(({ family }) => family === client.family);
}

function holdersOf(address: IpAddress, interfaces: readonly HostInterface[]): string[] {
  const text = formatAddress(address);
  return interfaces
    .filter(({ kind, addresses }) => kind === 'host' && addresses.some((each) => formatAddress(each) === text))
    .map(({ name }) => name);
}
