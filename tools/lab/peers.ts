// A peer in every namespace of a lab, each listening where it should. What is asked of them is not known here.
import { HOST, type Lab } from './namespaces.ts';
import { Peer, type ServedTransport } from './peer.ts';

export interface Listener {
  readonly transport: ServedTransport;
  readonly port: number;
}

/** A peer for the host, each workload and each outsider, by name; `listenersOf` says where it is to listen. Throws KERNEL. */
export async function startPeers(
  lab: Lab,
  listenersOf: (name: string) => readonly Listener[],
): Promise<Map<string, Peer>> {
  const guests = [...lab.spec.workloads, ...(lab.spec.outsiders ?? [])].map((guest) => guest.name);
  const start = async (name: string): Promise<[string, Peer]> => {
    const peer = await Peer.start(lab, name);
    for (const { transport, port } of listenersOf(name)) await peer.listen(transport, [port]);
    return [name, peer];
  };
  return new Map(await Promise.all([HOST, ...guests].map(start)));
}
