// Answers probes at a port: takes TCP connections, sends UDP datagrams back. For as long as it is open.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { answerTo } from './protocol.ts';

const MAX_CONNECTIONS = 256;
const IDLE_MS = 5000;

export class Responder {
  readonly #server: Server;
  readonly #sockets: UdpSocket[] = [];

  private constructor() {
    this.#server = createServer((socket) => {
      socket.setTimeout(IDLE_MS, () => socket.destroy());
      socket.on('error', () => socket.destroy());
      // Whoever connects also ends it; what is said meanwhile goes nowhere.
      socket.resume();
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** On every address of the network namespace, both families. Throws the errors of sockets, EADDRINUSE among them. */
  static async open(port: number): Promise<Responder> {
    const responder = new Responder();
    try {
      await responder.#open(port);
    } catch (error) {
      await responder.close();
      throw error;
    }
    return responder;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #open(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port }, resolve);
    });
    for (const type of ['udp4', 'udp6'] as const) await this.#bind(type);
  }

  async #bind(type: 'udp4' | 'udp6'): Promise<void> {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    const isBound = await new Promise<boolean>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EAFNOSUPPORT') reject(error);
        resolve(false);
      });
      socket.bind(this.port, () => resolve(true));
    });
    if (!isBound) {
      socket.close();
      return;
    }
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('message', (datagram, { address, port: to }) => {
      const answer = answerTo(datagram);
      if (answer !== undefined) socket.send(answer, to, address);
    });
  }
}
