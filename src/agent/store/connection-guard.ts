// Whether a change would deny the very connection that it was sent through. It covers connections of the TCP listener
// whose client is a workload of this host: only they pass through policy here. The unix socket passes through none, and
// the host's own traffic is not judged: no change can cut those, nor the host's failsafe ports.
import { DataplaneError } from '../../base/errors.ts';
import { parseAddress } from '../../model/address.ts';
import { type Flow, PROTOCOL } from '../../model/flow.ts';
import { ReferenceEvaluator } from '../../model/reference/evaluator.ts';
import type { World } from '../../model/world.ts';
import type { Connection } from './actor.ts';

/** Throws CUTS_CONNECTION when the world denies the connection. */
export function requireConnection(world: World, connection: Connection): void {
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
