// TCP connections through an arena, between two guests with namespaces of their own or into the router, both ends on the CPU of the
// traffic.
import { DataplaneError } from '../base/errors.ts';
import { loadNative, type TcpLoadJob, type TcpLoadOutcome } from '../kernel/native.ts';
import type { Arena } from './arena.ts';
import { ROUTER } from './arena-spec.ts';
import { planCpus } from './cpus.ts';

export type ConnectionLoad = TcpLoadJob['kind'];

export interface ConnectionOptions {
  readonly kind: ConnectionLoad;
  /** A guest by name. */
  readonly from: string;
  /** A guest too, or ROUTER with an address of its own. */
  readonly to: string;
  /** The guest's first where it is absent. */
  readonly address?: string;
  readonly port: number;
  readonly forMs: number;
}

/** Ports that a client comes from in turn: more connections are made in a minute than a system's own range has. */
const CLIENT_SETTINGS: readonly (readonly [string, string])[] = [
  ['ipv4/ip_local_port_range', '1024 65535'],
  // A port whose last connection ended more than a second ago may be taken again.
  ['ipv4/tcp_tw_reuse', '1'],
];

/** Lets a guest open connections one after the other for as long as a measurement takes. Throws NOT_FOUND or KERNEL. */
export async function prepareClient(arena: Arena, name: string): Promise<void> {
  const { namespace } = arena.guest(name);
  for (const [path, value] of CLIENT_SETTINGS) await arena.exec(namespace, ['tee', `/proc/sys/net/${path}`], value);
}

/** Throws NOT_FOUND for an unknown guest, KERNEL when the path does not let the connection through. */
export function runConnections(arena: Arena, options: ConnectionOptions): Promise<TcpLoadOutcome> {
  const { kind, from, to, port, forMs } = options;
  const isLocal = to === ROUTER;
  const address = options.address ?? (isLocal ? undefined : arena.guest(to).addresses[0]);
  if (address === undefined) {
    throw new DataplaneError('NOT_FOUND', 'has no address', { operation: 'connect to', target: to });
  }
  return loadNative().tcpLoad({
    kind,
    clientNamespace: arena.namespacePath(arena.guest(from).namespace),
    serverNamespace: arena.namespacePath(isLocal ? ROUTER : arena.guest(to).namespace),
    cpu: planCpus().traffic,
    address,
    port,
    forMs,
  });
}
