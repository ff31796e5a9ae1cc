// The process that keeps flows, in this one: what goes between the two is what would, as text.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { StoreRequest } from '../../../src/agent/flows/store-messages.ts';
import { StoreProcess } from '../../../src/agent/flows/store-process.ts';

export function startStoreHere(): ChildProcess {
  return new ProcessHere() as unknown as ChildProcess;
}

class ProcessHere extends EventEmitter {
  connected = true;
  readonly channel = { ref: () => undefined, unref: () => undefined };
  readonly #server = new StoreProcess((reply) => {
    if (this.connected) this.emit('message', JSON.parse(JSON.stringify(reply)));
  });

  send(request: StoreRequest, done: (error: null) => void): boolean {
    this.#server.take(JSON.parse(JSON.stringify(request)) as StoreRequest);
    done(null);
    return true;
  }

  disconnect(): void {
    this.connected = false;
    void this.#server.close().finally(() => this.emit('exit', 0, null));
  }

  /** As if the process had died. */
  kill(): boolean {
    this.connected = false;
    void this.#server.close();
    this.emit('exit', null, 'SIGKILL');
    return true;
  }

  ref(): void {}
  unref(): void {}
}
