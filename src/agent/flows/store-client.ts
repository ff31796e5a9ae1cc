// The agent's end of the store of flows: starts its process when there is something to store or to ask, and again when it has ended.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DataplaneError, ERROR_CODES, type ErrorCode } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { FlowListQuestion, GraphQuestion, TopQuestion } from '../../observe/flow-store/question.ts';
import type { RetentionLimits } from '../../observe/flow-store/retention.ts';
import type { StoredLog } from '../../observe/flow-store/schema.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import type { StoreStatus } from './flow-database.ts';
import type { StoreCall, StoreCalls, StoreReply, StoreRequest } from './store-messages.ts';
import type { server } from './store-process-main.ts';

/** What the service needs of a store. */
export interface FlowStore {
  append(logs: readonly FlowLog[]): Promise<StoreStatus>;
  list(question: FlowListQuestion): Promise<StoredLog[]>;
  top(question: TopQuestion): Promise<unknown[][]>;
  graph(question: GraphQuestion): Promise<unknown[][]>;
  status(): Promise<StoreStatus>;
  setRetention(retention: RetentionLimits): Promise<void>;
  close(): Promise<void>;
}

export interface StoreClientOptions {
  readonly directory: string;
  readonly retention: RetentionLimits;
  readonly log: Logger;
  /** How the process is started. */
  readonly start?: () => ChildProcess;
}

/** Who answers: loaded by its own process alone, because it serves from that moment. */
export type StoreServer = typeof server;

interface Waiting {
  readonly call: StoreCall;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Whoever asks while so many wait is turned away: answers are given one by one. */
const MAX_WAITING = 64;
const CLOSE_MS = 5000;
/** Between two starts of a process that ends at once. */
const RESTART_MS = 5000;
const HEAP_MIB = 256;

export class StoreClient implements FlowStore {
  readonly #options: StoreClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #retention: RetentionLimits;
  #child: ChildProcess | undefined;
  #opened: Promise<unknown> | undefined;
  #lastId = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: StoreClientOptions) {
    this.#options = options;
    this.#retention = options.retention;
  }

  append(logs: readonly FlowLog[]): Promise<StoreStatus> {
    return this.#ask('append', { logs });
  }

  list(question: FlowListQuestion): Promise<StoredLog[]> {
    return this.#ask('list', question);
  }

  top(question: TopQuestion): Promise<unknown[][]> {
    return this.#ask('top', question);
  }

  graph(question: GraphQuestion): Promise<unknown[][]> {
    return this.#ask('graph', question);
  }

  status(): Promise<StoreStatus> {
    return this.#ask('status', {});
  }

  async setRetention(retention: RetentionLimits): Promise<void> {
    this.#retention = retention;
    if (this.#child !== undefined) await this.#ask('retain', { retention });
  }

  /** Of the process; undefined = there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What was handed over is written first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.ref();
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }

  async #ask<T>(call: Exclude<StoreCall, 'open'>, what: StoreCalls[StoreCall]): Promise<T> {
    if (this.#waiting.size >= MAX_WAITING) throw refused('too much is asked of it at once', 'ask again later');
    await this.#open();
    return this.#send<T>(call, what);
  }

  async #open(): Promise<void> {
    if (this.#isClosed) throw refused('is closed');
    if (this.#child === undefined) {
      if (performance.now() - this.#startedAt < RESTART_MS)
        throw refused('its process has ended', 'see the log of the agent');
      this.#startedAt = performance.now();
      this.#begin();
      const { directory } = this.#options;
      const opened = this.#send('open', { directory, retention: this.#retention });
      this.#opened = opened;
      // Started anew by whoever asks next.
      opened.catch(() => this.#child?.disconnect());
    }
    await this.#opened;
  }

  #begin(): void {
    const child = (this.#options.start ?? startProcess)();
    this.#child = child;
    // The agent ends when it wants to, whatever this one does.
    child.unref();
    child.channel?.unref();
    child.on('message', (reply) => this.#take(reply as StoreReply));
    child.on('error', (error) => this.#gone(child, String(error)));
    child.on('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`));
  }

  #send<T>(call: StoreCall, what: StoreCalls[StoreCall]): Promise<T> {
    const child = this.#child;
    if (child?.connected !== true) return Promise.reject(refused('its process has ended', 'see the log of the agent'));
    this.#lastId += 1;
    const id = this.#lastId;
    child.channel?.ref();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { call, resolve: resolve as (answer: unknown) => void, reject });
      child.send({ id, call, what } as StoreRequest, (error) => {
        if (error !== null) this.#settle(id)?.reject(refused(String(error)));
      });
    });
  }

  #take(reply: StoreReply): void {
    if ('log' in reply) {
      const { level, message, fields } = reply.log;
      this.#options.log[level](message, fields);
      return;
    }
    const waiting = this.#settle(reply.id);
    if ('error' in reply) waiting?.reject(restoreError(reply.error));
    else waiting?.resolve(reply.answer);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#child?.channel?.unref();
    return waiting;
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (!this.#isClosed) this.#options.log.warn('the process that keeps flows has ended', { how });
    for (const { reject } of this.#waiting.values()) reject(refused('its process has ended', 'ask again later'));
    this.#waiting.clear();
  }
}

function startProcess(): ChildProcess {
  const main = fileURLToPath(new URL('./store-process-main.js', import.meta.url));
  return fork(main, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Nothing of what the agent was started with is its business.
    env: { PATH: process.env.PATH },
  });
}

function refused(what: string, hint?: string): DataplaneError {
  return new DataplaneError('STORE_FAILED', what, { operation: 'ask', target: 'the store of flows', hint });
}

/** As it was thrown over there: the message has all of it. */
function restoreError(fields: Readonly<Record<string, unknown>>): DataplaneError {
  const code = String(fields.code);
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'STORE_FAILED';
  const [operation, target] = [String(fields.operation ?? ''), String(fields.target ?? '')];
  const hint = typeof fields.hint === 'string' ? fields.hint : undefined;
  const start = `${operation} ${target}: `;
  const end = hint === undefined ? '' : ` (${hint})`;
  const message = String(fields.message ?? '');
  return new DataplaneError(known, message.slice(start.length, message.length - end.length), {
    operation,
    target,
    hint,
  });
}
