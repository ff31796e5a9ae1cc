// An answer of JSON lines that goes on: until the client goes, the server closes, or the client has let too much pile up.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stream } from './route.ts';

/** What may wait for a client that reads slowly. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class LineStream implements Stream {
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response;
    // It may well be silent for long.
    request.socket.setTimeout(0);
    response.setHeader('content-type', 'application/x-ndjson');
    response.flushHeaders();
  }

  onEnd(end: () => void): void {
    this.#response.once('close', end);
  }

  writeLine(value: unknown): boolean {
    if (this.#response.destroyed || this.#response.writableEnded) return false;
    this.#response.write(`${JSON.stringify(value)}\n`);
    if (this.#response.writableLength <= MAX_WAITING_BYTES) return true;
    this.#response.destroy();
    return false;
  }
}
