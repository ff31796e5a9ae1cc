// Whether a change would lock somebody out: deny the very connection that it was sent through, or what else this machine is
// administered by and cannot do without. Failsafe ports, neighbour discovery and DHCPv6 are not asked about: no policy closes those.
// Manifest files pass by here: what they define is in force whoever is connected.
import { type Cut, cutLifelines, describeCut } from '../../analysis/protect/lifelines.ts';
import { DataplaneError } from '../../base/errors.ts';
import { parseAddress } from '../../model/address.ts';
import { type Flow, PROTOCOL } from '../../model/flow.ts';
import { ReferenceEvaluator } from '../../model/reference/evaluator.ts';
import type { World } from '../../model/world.ts';
import type { Asker, Lookout } from '../protect/lookout.ts';
import type { Connection } from './actor.ts';

/** What the guard asks of an agent. */
export interface GuardedHost {
  /** Of all that is in force. A live view. */
  readonly world: World;
  /** What no change may cut, as things are; undefined = nothing. */
  lookOut(asker: Asker): Lookout | undefined;
}

/** Judges the world as it would be. Throws CUTS_CONNECTION. */
export type CutCheck = (world: World) => void;

/**
 * The check of one change, made before it is tried: what is cut already is not the change's doing. A host without endpoints
 * of its own is not looked at.
 */
export function cutCheck(host: GuardedHost, asker: Asker): CutCheck {
  const before = new Set(cutsIn(host, host.world, asker).map(keyOf));
  return (world) => {
    if (asker.connection !== undefined) requireConnection(world, asker.connection);
    const cut = cutsIn(host, world, asker).find((each) => !before.has(keyOf(each)));
    if (cut !== undefined) throw cutsLifeline(cut);
  };
}

function cutsIn(host: GuardedHost, world: World, asker: Asker): Cut[] {
  if (world.hostEndpoints.size === 0) return [];
  const lookout = host.lookOut(asker);
  if (lookout === undefined) return [];
  return cutLifelines(world, lookout.lifelines, lookout.interfaces, lookout.isLocal);
}

function keyOf({ what, packet }: Cut): string {
  return JSON.stringify([what, packet]);
}

function cutsLifeline(cut: Cut): DataplaneError {
  return new DataplaneError('CUTS_CONNECTION', `would cut ${cut.what}`, {
    operation: 'apply',
    target: 'change',
    found: describeCut(cut),
    hint: 'allow it, or force the change, best with a confirmation that is due: --force --confirm 60s',
  });
}

/** Of a workload of this host, whose own policy may deny it. */
function requireConnection(world: World, connection: Connection): void {
  const flow = flowOf(connection);
  if (flow === undefined || new ReferenceEvaluator(world).evaluate(flow).verdict === 'allow') return;
  const { clientAddress, clientPort, serverAddress, serverPort } = connection;
  throw new DataplaneError('CUTS_CONNECTION', 'would deny the connection that it was sent through', {
    operation: 'apply',
    target: 'change',
    found: `TCP ${clientAddress}:${clientPort} to ${serverAddress}:${serverPort} denied`,
    hint: 'allow it, send the change another way, or force it',
  });
}

function flowOf({ clientAddress, clientPort, serverAddress, serverPort }: Connection): Flow | undefined {
  const source = parseAddress(plain(clientAddress));
  const destination = parseAddress(plain(serverAddress));
  if (source === undefined || destination === undefined || source.family !== destination.family) return undefined;
  const ports = { sourcePort: clientPort, destinationPort: serverPort };
  return { source, destination, protocol: PROTOCOL.TCP, ...ports, icmpType: 0, icmpCode: 0 };
}

/** IPv4 as a dual-stack listener names it. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
