// Datagrams to one collector. Nobody says that one has arrived; that nobody is there the kernel may come to know.
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SinkError } from '../sink.ts';

/** For the word that nobody listens to come back from near by. */
const PROBE_MS = 30;
/** A collector's buffer holds about so many, unless somebody has made it larger. */
const BURST = 32;
const PAUSE_MS = 2;

type LookUp = (host: string) => Promise<{ readonly address: string; readonly family: number }>;

export class DatagramSender {
  readonly #host: string;
  readonly #port: number;
  readonly #lookup: LookUp;
  #socket: Socket | undefined;
  #error: Error | undefined;
  #isProven = false;
  /** Of what is under way until it is closed, or broke. */
  #ending = new AbortController();

  constructor(host: string, port: number, lookUp: LookUp = lookup) {
    this.#host = host;
    this.#port = port;
    this.#lookup = lookUp;
  }

  /** True = the first one since nobody was there. */
  get isFresh(): boolean {
    return this.#socket === undefined;
  }

  async send(messages: readonly Uint8Array[]): Promise<void> {
    const { signal } = this.#ending;
    try {
      const socket = this.#socket ?? (await this.#open());
      for (let at = 0; at < messages.length; at += BURST) {
        await Promise.all(messages.slice(at, at + BURST).map((message) => sendOne(socket, message)));
        await sleep(this.#isProven ? PAUSE_MS : PROBE_MS, undefined, { signal });
        if (this.#error !== undefined) throw this.#error;
        this.#isProven = true;
      }
    } catch (error) {
      if (!signal.aborted) this.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new SinkError(`${this.#host}:${this.#port}: ${reason}`, { cause: error });
    }
  }

  /** What is under way ends at once: nothing is opened for it any more. */
  close(): void {
    this.#ending.abort(new Error('closed'));
    this.#ending = new AbortController();
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
    const { signal } = this.#ending;
    const known = isIP(this.#host);
    const { address, family } =
      known === 0 ? await untilEnd(this.#lookup(this.#host), signal) : { address: this.#host, family: known };
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    this.#error = undefined;
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.unref();
    const connected = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(this.#port, address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    await untilEnd(connected, signal);
    return socket;
  }
}

/** What comes after the end comes to nobody: a name that is looked up cannot be given up. */
async function untilEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onEnd = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    onEnd = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onEnd, { once: true });
    if (signal.aborted) onEnd();
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', onEnd);
  }
}

function sendOne(socket: Socket, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error === null ? resolve() : reject(error)));
  });
}
