// The agent's end of the store of flows: starts its process when there is something to store or to ask, and again when it has ended.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DataplaneError, ERROR_CODES, type ErrorCode } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { StoredLog } from '../../observe/flow-store/decode.ts';
import type { FlowListQuestion, GraphQuestion, TopQuestion } from '../../observe/flow-store/question.ts';
import type { RetentionLimits } from '../../observe/flow-store/retention.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { BackOff } from '../export/back-off.ts';
import type { StoreStatus } from './flow-database.ts';
import { QUESTIONS, type StoreCall, type StoreCalls, type StoreReply, type StoreRequest } from './store-messages.ts';
import type { server } from './store-process-main.ts';

/** What the service needs of a store. */
export interface FlowStore {
  /** after = lastSequence of the answer before: what may have been written already is, handed over again with it, written once. */
  append(logs: readonly FlowLog[], after?: number): Promise<StoreStatus>;
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
  /** 0 to 1. */
  readonly random?: () => number;
}

/** Who answers: loaded by its own process alone, because it serves from that moment. */
export type StoreServer = typeof server;

interface Waiting {
  readonly call: StoreCall;
  readonly timer: NodeJS.Timeout;
  /** What has come of its answer. */
  readonly parts: unknown[];
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Whoever asks while so many wait is turned away: answers are given one by one. */
const MAX_WAITING = 64;
const CLOSE_MS = 5000;
const KILL_MS = 1000;
/** A question waits behind others and takes its time; after this nobody wants the answer any more. */
const QUESTION_MS = 20_000;
/** A process that has not answered after so long hangs: on a disk that does, perhaps. */
const ANSWER_MS = 60_000;
/** Between two starts of a process that ends at once: at first, and at most. */
const RESTART_MS = { first: 2000, longest: 300_000 } as const;
/** One that has lived so long has not ended at once. */
const STEADY_MS = 120_000;
const HEAP_MIB = 256;

export class StoreClient implements FlowStore {
  readonly #options: StoreClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #retention: RetentionLimits;
  #child: ChildProcess | undefined;
  #opened: Promise<unknown> | undefined;
  #lastId = 0;
  readonly #backOff: BackOff;
  #startedAt = Number.NEGATIVE_INFINITY;
  #restartAt = Number.NEGATIVE_INFINITY;
  /** There is no process now. */
  #why = 'its process has ended';
  #isClosed = false;
  /** Records that processes before and the one there is now could not write. */
  #lostBefore = 0;
  #lostNow = 0;

  constructor(options: StoreClientOptions) {
    this.#options = options;
    this.#retention = options.retention;
    this.#backOff = new BackOff(options.random, RESTART_MS.first, RESTART_MS.longest);
  }

  async append(logs: readonly FlowLog[], after?: number): Promise<StoreStatus> {
    return this.#counted(await this.#ask<StoreStatus>('append', { logs, after }));
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

  async status(): Promise<StoreStatus> {
    return this.#counted(await this.#ask<StoreStatus>('status', {}));
  }

  /** Each process counts from nought. */
  #counted(status: StoreStatus): StoreStatus {
    this.#lostNow = status.lost;
    return { ...status, lost: this.#lostBefore + status.lost };
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
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        child.kill('SIGKILL');
        // One that a hanging disk holds ends when the disk lets it.
        timer = setTimeout(resolve, KILL_MS);
      }, CLOSE_MS);
    });
    await Promise.race([ended, patience]);
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
      // The same words each time: they are logged once.
      if (performance.now() < this.#restartAt) throw refused(this.#why);
      this.#begin();
      const { directory } = this.#options;
      const opened = this.#send('open', { directory, retention: this.#retention });
      this.#opened = opened;
      const child = this.#child;
      // Started anew by whoever asks later. Not at once: why it could not be started comes with an event.
      opened.catch(() => setImmediate(() => this.#end(child, 'it cannot open the store')));
    }
    await this.#opened;
  }

  /** Throws STORE_FAILED: there may be no descriptors, processes or memory left for it. */
  #begin(): void {
    this.#startedAt = performance.now();
    let child: ChildProcess;
    try {
      child = (this.#options.start ?? startProcess)();
    } catch (error) {
      this.#wait(`its process cannot be started: ${String(error)}`);
      throw refused(this.#why);
    }
    this.#child = child;
    child.on('message', (reply) => this.#take(reply as StoreReply));
    child.on('error', (error) => this.#gone(child, String(error)));
    child.on('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`));
    // The agent ends when it wants to, whatever this one does.
    child.unref();
    child.channel?.unref();
  }

  /** Of one that ended, or was not there at all; with this one there is nothing to be had any more. */
  #end(child: ChildProcess | undefined, why: string): void {
    if (child === undefined) return;
    this.#gone(child, why);
    // A process that could not be started has none of this.
    if (child.connected === true) child.disconnect?.();
    const timer = setTimeout(() => child.kill?.('SIGKILL'), CLOSE_MS);
    timer.unref();
    child.once('exit', () => clearTimeout(timer));
  }

  #wait(why: string): void {
    this.#why = why;
    if (performance.now() - this.#startedAt >= STEADY_MS) this.#backOff.succeeded();
    this.#restartAt = performance.now() + this.#backOff.failed();
  }

  #send<T>(call: StoreCall, what: StoreCalls[StoreCall]): Promise<T> {
    const child = this.#child;
    if (child?.connected !== true) return Promise.reject(refused('its process does not take anything'));
    this.#lastId += 1;
    const id = this.#lastId;
    child.channel?.ref();
    const withinMs = QUESTIONS.has(call) ? QUESTION_MS : undefined;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#end(child, `no answer in ${ANSWER_MS / 1000} s`), ANSWER_MS).unref();
      this.#waiting.set(id, { call, timer, parts: [], resolve: resolve as (answer: unknown) => void, reject });
      child.send({ id, call, what, withinMs } as StoreRequest, (error) => {
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
    if ('part' in reply) {
      const parts = this.#waiting.get(reply.id)?.parts;
      for (const item of reply.part) parts?.push(item);
      return;
    }
    const waiting = this.#settle(reply.id);
    if (waiting === undefined) return;
    if ('error' in reply) waiting.reject(restoreError(reply.error));
    else waiting.resolve(Array.isArray(reply.answer) ? [...waiting.parts, ...reply.answer] : reply.answer);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    if (this.#waiting.size === 0) this.#child?.channel?.unref();
    return waiting;
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#lostBefore += this.#lostNow;
    this.#lostNow = 0;
    this.#wait(`its process has ended: ${how}`);
    if (!this.#isClosed) this.#options.log.warn('the process that keeps flows has ended', { how });
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(refused(this.#why));
    }
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
