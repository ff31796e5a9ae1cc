// An answer of JSON lines that goes on: until the client goes, the server closes, or the client has let too much pile up, or
// takes nothing for too long.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stream } from './route.ts';

/** What may wait for a client that reads slowly. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class LineStream implements Stream {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #patienceMs: number;

  /** `patienceMs` = how long writeLines waits for a client that takes no byte. */
  constructor(request: IncomingMessage, response: ServerResponse, patienceMs: number) {
    this.#request = request;
    this.#response = response;
    this.#patienceMs = patienceMs;
    // It may well be silent for long.
    request.socket.setTimeout(0);
    response.setHeader('content-type', 'application/x-ndjson');
    response.flushHeaders();
  }

  onEnd(end: () => void): void {
    if (this.#response.destroyed) end();
    else this.#response.once('close', end);
  }

  writeLine(value: unknown): boolean {
    if (!this.#isOpen) return false;
    this.#response.write(lineOf(value));
    if (this.#response.writableLength <= MAX_WAITING_BYTES) return true;
    this.#response.destroy();
    return false;
  }

  async writeLines(values: Iterable<unknown>): Promise<boolean> {
    for (const value of values) {
      if (!this.#isOpen) return false;
      if (!this.#response.write(lineOf(value))) await this.#drained();
    }
    return this.#isOpen;
  }

  cut(): void {
    this.#response.destroy();
  }

  get #isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  /** Until all is taken or the client is gone. The socket's clock begins anew with every byte that is taken. */
  #drained(): Promise<void> {
    const { socket } = this.#request;
    return new Promise((resolve) => {
      const cut = () => this.cut();
      const end = () => {
        socket.setTimeout(0, cut);
        this.#response.off('drain', end).off('close', end);
        resolve();
      };
      this.#response.on('drain', end).on('close', end);
      socket.setTimeout(this.#patienceMs, cut);
    });
  }
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
