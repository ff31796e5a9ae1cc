// A connection that is made when something is to be sent, and made anew after it broke. Bytes count as sent once the kernel has them.
import type { Socket } from 'node:net';
import { SinkError } from '../sink.ts';

/** To connect, and for the kernel to take what is written: a collector that reads nothing is as good as dead. */
const PATIENCE_MS = 10_000;

export class StreamConnection {
  readonly #connect: () => Socket;
  readonly #target: string;
  #socket: Socket | undefined;
  #isReady = false;
  #error: Error | undefined;

  constructor(target: string, connect: () => Socket) {
    this.#target = target;
    this.#connect = connect;
  }

  /** True = it was made just now: the other end knows nothing yet. */
  async open(): Promise<boolean> {
    if (this.#socket !== undefined && this.#isReady && !this.#socket.destroyed) return false;
    this.close();
    const socket = this.#connect();
    this.#socket = socket;
    this.#error = undefined;
    socket.on('error', (error) => {
      this.#error = error;
    });
    // Nothing is expected from there; an end means that nobody reads any more.
    socket.on('end', () => socket.destroy());
    socket.resume();
    await this.#patiently((resolve) => socket.once('encrypted' in socket ? 'secureConnect' : 'connect', resolve));
    this.#isReady = true;
    return true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#patiently((resolve) => this.#socket?.write(bytes, (error) => error ?? resolve()));
  }

  close(): void {
    this.#isReady = false;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #patiently(begin: (resolve: () => void) => void): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        done();
        socket?.destroy();
        reject(new SinkError(`${this.#target}: ${this.#error?.message ?? why}`, { cause: this.#error }));
      };
      const onClose = () => fail('the connection was closed');
      const timer = setTimeout(() => fail(`no progress in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
      timer.unref();
      const done = () => {
        clearTimeout(timer);
        socket?.off('close', onClose);
      };
      if (socket === undefined || socket.destroyed) {
        fail('the connection was closed');
        return;
      }
      socket.once('close', onClose);
      begin(() => {
        done();
        resolve();
      });
    });
  }
}
