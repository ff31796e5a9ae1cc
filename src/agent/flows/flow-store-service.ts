// Keeps flows: takes what the hub tells, puts flows of one key together as the setting says, and hands them to the store.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { FlowAggregator } from '../../observe/flows/aggregator.ts';
import type { FlowHub } from '../../observe/flows/flow-hub.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import type { AgentOptions } from '../options.ts';
import type { StoreStatus } from './flow-database.ts';
import { type FlowStore, StoreClient } from './store-client.ts';
import { StoreHandOver } from './store-hand-over.ts';

/** off, aggregated by key and 15 seconds, or every record. */
export type FlowStoreMode = AgentOptions['flowStore'];
export type FlowStoreOptions = Pick<AgentOptions, 'flowStore' | 'flowStoreDays' | 'flowStoreBytes'>;

export interface FlowStoreServiceParts {
  readonly hub: Pick<FlowHub, 'listen'>;
  readonly stateDirectory: string;
  readonly log: Logger;
  readonly options: FlowStoreOptions;
  readonly now?: () => number;
  readonly openStore?: (directory: string, options: FlowStoreOptions) => FlowStore;
}

export interface FlowStoreStatus {
  readonly mode: FlowStoreMode;
  /** Since the agent began: records handed to the store, and those that it did not get or could not write. */
  readonly handedOver: number;
  readonly lost: number;
  /** Of those lost, records that were handed over and could not be written, and those of more keys at a time than are put together. */
  readonly notWritten: number;
  readonly overflowed: number;
  /** For the store, in memory. */
  readonly waiting: number;
  /** As the store said last; null = it was not needed yet. */
  readonly store: StoreStatus | null;
  readonly error: string | null;
}

const TICK_MS = 1000;
/** For what is on the way when the agent ends, and how often a store that is down is tried again meanwhile. */
const LAST_WRITE_MS = 5000;
const LAST_RETRY_MS = 250;
/** Each write costs the disk a wait and the machine a change of process. */
const WRITE_MS = 2000;
const RETENTION_MS = 60_000;
/** Records of one reading of the kernel come together; those of a flood are not held for a whole second. */
const FLUSH_AT = 10_000;

/** Listens from the moment that it is made. */
export class FlowStoreService {
  readonly #parts: FlowStoreServiceParts;
  readonly #log: Logger;
  #options: FlowStoreOptions;
  #aggregation: FlowAggregator | undefined;
  #store: FlowStore | undefined;
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #handOver = new StoreHandOver();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #retainedAt = 0;
  /** By stores and aggregators that were closed. */
  #lostBefore = 0;
  #overflowedBefore = 0;
  #status: StoreStatus | undefined;
  #error: string | undefined;
  #failedAt = 0;
  #startedAt = 0;
  #isAsked = false;

  constructor(parts: FlowStoreServiceParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#options = parts.options;
    this.#start();
  }

  /** Nothing is opened before there is something to store or to ask. */
  #start(): void {
    if (this.#options.flowStore === 'off' || this.#store !== undefined) return;
    this.#store = (this.#parts.openStore ?? ((directory, options) => this.#open(directory, options)))(
      this.#directory,
      this.#options,
    );
    this.#aggregation =
      this.#options.flowStore === 'aggregated' ? new FlowAggregator({ splitsPaired: true }) : undefined;
    this.#stopListening = this.#parts.hub.listen((logs) => this.#take(logs));
    this.#startedAt = this.#now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** What is on the way is stored. */
  async stop(): Promise<void> {
    this.#stopListening?.();
    clearInterval(this.#timer);
    this.#handOver.add(this.#aggregation?.takeAll() ?? []);
    this.#overflowedBefore = this.#overflowed;
    this.#aggregation = undefined;
    await this.#writeRest();
    await this.#store?.close();
    this.#store = undefined;
    this.#lostBefore += this.#status?.lost ?? 0;
    this.#status = undefined;
    this.#isAsked = false;
  }

  async configure(options: FlowStoreOptions): Promise<void> {
    const { flowStore } = this.#options;
    this.#options = options;
    if (flowStore !== options.flowStore) {
      await this.stop();
      this.#start();
    } else await this.#store?.setRetention(retentionOf(options)).catch((error: unknown) => this.#failed(error));
  }

  /** For questions. Throws NOT_FOUND when nothing is stored. */
  get store(): FlowStore {
    if (this.#store !== undefined) return this.#store;
    throw new DataplaneError('NOT_FOUND', 'flows are not stored', {
      operation: 'ask',
      target: 'stored flows',
      hint: 'set flowStore, or follow flows as they come',
    });
  }

  status(): FlowStoreStatus {
    const { handedOver, lost, waiting } = this.#handOver.counts;
    const overflowed = this.#overflowed;
    const notWritten = this.#lostBefore + (this.#status?.lost ?? 0);
    return {
      mode: this.#options.flowStore,
      handedOver,
      lost: lost + overflowed + notWritten,
      notWritten,
      overflowed,
      waiting,
      store: this.#status ?? null,
      error: this.#error ?? null,
    };
  }

  #open(directory: string, options: FlowStoreOptions): FlowStore {
    return new StoreClient({ directory, retention: retentionOf(options), log: this.#log });
  }

  #take(logs: readonly FlowLog[]): void {
    if (this.#aggregation !== undefined) this.#aggregation.add(logs);
    else {
      this.#handOver.add(logs);
      if (this.#handOver.counts.waiting >= FLUSH_AT) void this.#write();
    }
  }

  #tick(): void {
    const now = this.#now();
    this.#handOver.add(this.#aggregation?.take(now) ?? []);
    if (Math.abs(now - this.#writtenAt) >= WRITE_MS) {
      this.#writtenAt = now;
      void this.#write();
    }
    if (this.#status === undefined) this.#lookAtOld(now);
    else if (Math.abs(now - this.#retainedAt) >= RETENTION_MS) {
      this.#retainedAt = now;
      this.#store?.setRetention(retentionOf(this.#options)).catch((error: unknown) => this.#failed(error));
    }
    this.#askAgain(now);
  }

  /** A store that has failed and has nothing to write is asked until it answers: flows may not come for long. */
  #askAgain(now: number): void {
    const store = this.#store;
    if (store === undefined || this.#error === undefined || this.#handOver.counts.waiting > 0) return;
    if (Math.abs(now - this.#failedAt) < RETENTION_MS) return;
    this.#failedAt = now;
    const ask = async (): Promise<void> => {
      await store.setRetention(retentionOf(this.#options));
      // Retention alone asks nobody where there is no process.
      const status = await store.status();
      if (this.#store !== store) return;
      this.#status = status;
      this.#error = undefined;
    };
    ask().catch((error: unknown) => this.#failed(error));
  }

  /** Flows of an earlier agent grow old also while there are no new ones. */
  #lookAtOld(now: number): void {
    if (this.#isAsked || Math.abs(now - this.#startedAt) < RETENTION_MS || !existsSync(this.#directory)) return;
    this.#isAsked = true;
    this.#store?.status().then(
      (status) => {
        this.#status ??= status;
      },
      (error: unknown) => this.#failed(error),
    );
  }

  /** Records of more keys at a time than are put together. */
  get #overflowed(): number {
    return this.#overflowedBefore + (this.#aggregation?.overflow.records ?? 0);
  }

  get #directory(): string {
    return join(this.#parts.stateDirectory, 'flows');
  }

  #now(): number {
    return (this.#parts.now ?? Date.now)();
  }

  /** False = not all of it could be handed over. */
  async #write(): Promise<boolean> {
    const store = this.#store;
    if (store === undefined) return false;
    try {
      await this.#handOver.write(store, (status) => {
        this.#status = status;
        this.#error = undefined;
      });
      return true;
    } catch (error) {
      // What waits is handed over in a later turn: the store may be back by then.
      this.#failed(error);
      return false;
    }
  }

  /** A disk that does not answer must not keep the agent from ending. */
  async #writeRest(): Promise<void> {
    let isOver = false;
    const patience = new Promise<void>((resolve) => {
      setTimeout(() => {
        isOver = true;
        resolve();
      }, LAST_WRITE_MS).unref();
    });
    const write = async (): Promise<void> => {
      while (!isOver && this.#handOver.counts.waiting > 0 && !(await this.#write()))
        await new Promise((resolve) => setTimeout(resolve, LAST_RETRY_MS));
    };
    await Promise.race([write(), patience]);
    const records = this.#handOver.giveUp();
    if (records > 0) this.#log.warn('the last flows were not stored', { records });
  }

  /** Said once, until it works again. */
  #failed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (this.#error !== text) this.#log.warn('flows are not stored', { error: text });
    this.#error = text;
    this.#failedAt = this.#now();
  }
}

function retentionOf({ flowStoreDays, flowStoreBytes }: FlowStoreOptions): { days: number; bytes: number } {
  return { days: flowStoreDays, bytes: flowStoreBytes };
}
