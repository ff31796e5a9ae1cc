// Datagrams to one collector. Nobody says that one has arrived; that nobody is there the kernel may come to know.
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SinkError } from '../sink.ts';

/** For the word that nobody listens to come back from near by. */
const PROBE_MS = 30;
/** A collector's buffer holds about so many, unless somebody has made it larger. */
const BURST = 32;
const PAUSE_MS = 2;

export class DatagramSender {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #error: Error | undefined;
  #isProven = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** True = the first one since nobody was there. */
  get isFresh(): boolean {
    return this.#socket === undefined;
  }

  async send(messages: readonly Uint8Array[]): Promise<void> {
    try {
      const socket = this.#socket ?? (await this.#open());
      for (let at = 0; at < messages.length; at += BURST) {
        await Promise.all(messages.slice(at, at + BURST).map((message) => sendOne(socket, message)));
        await sleep(this.#isProven ? PAUSE_MS : PROBE_MS);
        if (this.#error !== undefined) throw this.#error;
        this.#isProven = true;
      }
    } catch (error) {
      this.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new SinkError(`${this.#host}:${this.#port}: ${reason}`, { cause: error });
    }
  }

  close(): void {
    this.#isProven = false;
    const socket = this.#socket;
    this.#socket = undefined;
    try {
      socket?.close();
    } catch {
      // It is closed.
    }
  }

  async #open(): Promise<Socket> {
    const { address, family } = await lookup(this.#host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    this.#error = undefined;
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.unref();
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(this.#port, address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return socket;
  }
}

function sendOne(socket: Socket, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error === null ? resolve() : reject(error)));
  });
}
