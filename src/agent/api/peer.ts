// Who is at the other end of a connection: the kernel's word for a unix socket, the certificate for TCP.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DataplaneError } from '../../base/errors.ts';
import { loadNative } from '../../kernel/native.ts';
import type { Actor, Who } from '../store/actor.ts';

/** Without the user agent, which is told with each request. Throws FORBIDDEN. */
export type Identify = (socket: Socket) => Actor;

/** The peer of the unix socket at that path: root, or whoever runs the agent. */
export function identifyLocal(path: string): Identify {
  return (socket) => {
    const { uid, gid, pid } = loadNative().peerCredentials(descriptorOf(socket));
    if (uid === 0 || uid === process.getuid?.())
      return { who: { kind: 'local', uid, gid, pid }, from: { socket: path } };
    throw new DataplaneError('FORBIDDEN', 'may not use the API', {
      operation: 'connect to',
      target: path,
      found: `user id ${uid}`,
      expected: 'root, or the user that the agent runs as',
    });
  };
}

/** The subject of a certificate that TLS has verified. */
export function identifyCertificate(socket: Socket): Actor {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  const isComplete = remoteAddress !== undefined && localAddress !== undefined;
  if (subject === undefined || !isComplete || remotePort === undefined || localPort === undefined) {
    throw new DataplaneError('FORBIDDEN', 'has no certificate', { operation: 'connect to', target: 'API' });
  }
  const connection = {
    clientAddress: remoteAddress,
    clientPort: remotePort,
    serverAddress: localAddress,
    serverPort: localPort,
  };
  return { who: whoOf(subject), from: { address: `${remoteAddress} port ${remotePort}` }, connection };
}

function whoOf({ CN, O }: { readonly CN?: unknown; readonly O?: unknown }): Who {
  const text = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value ?? ''));
  return { kind: 'certificate', commonName: text(CN), ...(O === undefined ? {} : { organization: text(O) }) };
}

/** Node has no public way to it. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd;
  if (fd !== undefined && fd >= 0) return fd;
  throw new DataplaneError('FORBIDDEN', 'is gone', { operation: 'identify', target: 'peer' });
}
