// The process that keeps flows: what a database takes in memory, threads and time is not the agent's, and what goes wrong in it
// ends this process alone. It ends when the agent does.
import { DataplaneError } from '../../base/errors.ts';
import { FlowDatabase } from './flow-database.ts';
import type { StoreReply, StoreRequest } from './store-messages.ts';

/** Answers one after the other: whoever asks for much makes the next one wait, and takes no more memory for it. */
export class StoreProcess {
  readonly #send: (reply: StoreReply) => void;
  #database: FlowDatabase | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(send: (reply: StoreReply) => void) {
    this.#send = send;
  }

  take(request: StoreRequest): void {
    this.#work = this.#work.then(() => this.#answer(request));
  }

  async close(): Promise<void> {
    await this.#work;
    this.#database?.close();
    this.#database = undefined;
  }

  async #answer(request: StoreRequest): Promise<void> {
    const { id } = request;
    try {
      this.#send({ id, answer: (await this.#do(request)) ?? null });
    } catch (error) {
      const known =
        error instanceof DataplaneError
          ? error
          : new DataplaneError('STORE_FAILED', String(error), { operation: request.call, target: 'stored flows' });
      this.#send({ id, error: known.toJSON() });
    }
  }

  async #do(request: StoreRequest): Promise<unknown> {
    if (request.call === 'open') {
      const { directory, retention } = request.what;
      const log = (
        level: 'info' | 'warn' | 'error',
        message: string,
        fields: Readonly<Record<string, unknown>>,
      ): void => this.#send({ log: { level, message, fields } });
      this.#database ??= await FlowDatabase.open({ directory, retention, log });
      return this.#database.status();
    }
    const database = this.#database;
    if (database === undefined) throw new RangeError('the store is not open');
    switch (request.call) {
      case 'append':
        await database.append(request.what.logs);
        return database.status();
      case 'retain':
        database.setRetention(request.what.retention);
        await database.retain();
        return database.status();
      case 'list':
        return database.list(request.what);
      case 'top':
        return numbersIn(await database.top(request.what));
      case 'graph':
        return numbersIn(await database.graph(request.what));
      case 'status':
        return database.status();
    }
  }
}

/** Sums of the database are big integers, which the channel does not take. */
function numbersIn(rows: readonly (readonly unknown[])[]): unknown[][] {
  return rows.map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value)));
}

/** Serves the parent of this process until it is gone. */
export function serveParent(): StoreProcess {
  // Of every file that the database makes.
  process.umask(0o077);
  const server = new StoreProcess((reply) => process.send?.(reply, () => undefined));
  process.on('message', (request) => server.take(request as StoreRequest));
  // The agent says when; a signal to the whole group is not meant for this one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => {
    void server.close().finally(() => process.exit(0));
  });
  return server;
}
