// Connections of a listener from their first moment on. HTTP knows those that have sent something, TLS those that have shown a
// certificate; whoever does neither still holds one of the few that there are.
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

export class Connections {
  readonly #server: Server | TlsServer;
  readonly #all = new Set<Socket>();
  /** Without a certificate yet, by the client's place, the oldest first. */
  readonly #strangers = new Map<string, Socket>();

  /** Of `maximum` connections at most half are strangers': a newer one takes the place of the oldest. */
  constructor(server: Server | TlsServer, maximum: number) {
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#add(socket));
    if (server instanceof TlsServer) this.#limitStrangers(server, Math.max(1, Math.floor(maximum / 2)));
  }

  /** Cuts all of them. Resolves when the last one is gone. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#all) socket.destroy();
    await closed;
  }

  #add(socket: Socket): void {
    this.#all.add(socket);
    socket.once('close', () => this.#all.delete(socket));
  }

  /** Whoever has a certificate comes in however many there are without one, since showing it takes some milliseconds. */
  #limitStrangers(server: TlsServer, maximum: number): void {
    server.on('connection', (socket: Socket) => {
      const place = placeOf(socket);
      this.#strangers.set(place, socket);
      socket.once('close', () => {
        if (this.#strangers.get(place) === socket) this.#strangers.delete(place);
      });
      const [oldest] = this.#strangers.values();
      if (this.#strangers.size > maximum) oldest?.destroy();
    });
    server.on('secureConnection', (socket) => this.#strangers.delete(placeOf(socket)));
  }
}

/** The TLS socket of a connection is another object than the one that the listener gave. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
