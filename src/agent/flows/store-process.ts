// The process that keeps flows: what a database takes in memory, threads and time is not the agent's, and what goes wrong in it
// ends this process alone. It ends when the agent does.
import { DataplaneError } from '../../base/errors.ts';
import { FlowDatabase } from './flow-database.ts';
import { QUESTIONS, type StoreReply, type StoreRequest } from './store-messages.ts';

/** Of an answer's items that go over the channel at once: the agent reads one such part between two other things. */
const PART_ITEMS = 250;

interface Waiting {
  readonly request: StoreRequest;
  readonly endsAt: number;
}

/**
 * Answers one after the other: whoever asks for much makes the next one wait, and takes no more memory for it. What is to be
 * written goes before what is asked.
 */
export class StoreProcess {
  readonly #send: (reply: StoreReply) => void;
  #database: FlowDatabase | undefined;
  #writes: Waiting[] = [];
  #questions: Waiting[] = [];
  #work: Promise<void> = Promise.resolve();
  #isBusy = false;

  constructor(send: (reply: StoreReply) => void) {
    this.#send = send;
  }

  take(request: StoreRequest): void {
    const endsAt = performance.now() + (request.withinMs ?? Number.POSITIVE_INFINITY);
    (QUESTIONS.has(request.call) ? this.#questions : this.#writes).push({ request, endsAt });
    if (!this.#isBusy) this.#work = this.#answerAll();
  }

  /** What was to be written is. */
  async close(): Promise<void> {
    this.#questions = [];
    await this.#work;
    this.#database?.close();
    this.#database = undefined;
  }

  async #answerAll(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#answer(next);
    // At once: what comes from here on begins anew.
    this.#isBusy = false;
  }

  #next(): Waiting | undefined {
    return this.#writes.shift() ?? this.#questions.shift();
  }

  async #answer({ request, endsAt }: Waiting): Promise<void> {
    const { id } = request;
    try {
      const withinMs = endsAt - performance.now();
      if (withinMs <= 0) throw new DataplaneError('QUERY_TOO_COSTLY', 'others have asked too much before', TOO_LATE);
      this.#reply(id, (await this.#do(request, withinMs)) ?? null);
    } catch (error) {
      const known =
        error instanceof DataplaneError
          ? error
          : new DataplaneError('STORE_FAILED', String(error), { operation: request.call, target: 'stored flows' });
      this.#send({ id, error: known.toJSON() });
    }
  }

  #reply(id: number, answer: unknown): void {
    if (!Array.isArray(answer)) {
      this.#send({ id, answer });
      return;
    }
    const last = Math.max(0, Math.ceil(answer.length / PART_ITEMS) - 1) * PART_ITEMS;
    for (let from = 0; from < last; from += PART_ITEMS) {
      this.#send({ id, part: answer.slice(from, from + PART_ITEMS) });
    }
    this.#send({ id, answer: answer.slice(last) });
  }

  async #do(request: StoreRequest, withinMs: number): Promise<unknown> {
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
        await database.append(request.what.logs, request.what.after);
        return database.status();
      case 'retain':
        database.setRetention(request.what.retention);
        await database.retain();
        return database.status();
      case 'list':
        return database.list(request.what, withinMs);
      case 'top':
        return numbersIn(await database.top(request.what, withinMs));
      case 'graph':
        return numbersIn(await database.graph(request.what, withinMs));
      case 'status':
        return database.status();
    }
  }
}

const TOO_LATE = { operation: 'ask', target: 'stored flows', hint: 'ask again later' } as const;

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
