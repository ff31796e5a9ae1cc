// Records on their way to the store: they wait in memory, within bounds, and each batch is handed over until the store says that it
// has it. What there is no room for is counted and let go, so that a store that is down costs flows of the past and nothing else.
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { BoundedQueue } from '../export/bounded-queue.ts';
import { sizeOfFlow } from '../export/size-of-flow.ts';
import type { StoreStatus } from './flow-database.ts';
import type { FlowStore } from './store-client.ts';

/** Memory for records that wait, and how many: more are let go. */
export const MAX_WAITING = { bytes: 128 * 1024 * 1024, records: 200_000 } as const;
/** One message to the store: it is read between two other things. */
const BATCH = { records: 2000, bytes: 2 * 1024 * 1024 } as const;
/** Of a batch, by a store that was there just before: one that ends the store each time must not keep all others from it. */
const MAX_ATTEMPTS = 5;

interface Batch {
  readonly logs: readonly FlowLog[];
  /** Last sequence number of the store when the batch was made: the store tells by it whether it has the batch. */
  readonly after: number;
  failures: number;
}

export interface HandOverCounts {
  /** Records that the store has taken. */
  readonly handedOver: number;
  /** That there was no room for, that it did not take, or that were left at the end. */
  readonly lost: number;
  readonly waiting: number;
  readonly waitingBytes: number;
}

type Store = Pick<FlowStore, 'append' | 'status'>;

export class StoreHandOver {
  readonly #queue = new BoundedQueue<FlowLog>(MAX_WAITING.bytes, sizeOfFlow, MAX_WAITING.records);
  /** The store may have it or not. */
  #batch: Batch | undefined;
  #writing: Promise<void> | undefined;
  #handedOver = 0;
  #lost = 0;

  /** Puts them behind those that wait. */
  add(logs: readonly FlowLog[]): void {
    for (const log of logs) if (!this.#queue.push(log)) this.#lost += 1;
  }

  get counts(): HandOverCounts {
    return {
      handedOver: this.#handedOver,
      lost: this.#lost,
      waiting: this.#queue.length + (this.#batch?.logs.length ?? 0),
      waitingBytes: this.#queue.bytes,
    };
  }

  /** Hands over what waits, batch by batch: the store says when it has room for more. Throws what the store does; then the rest waits on. */
  write(store: Store, tell: (status: StoreStatus) => void): Promise<void> {
    this.#writing ??= this.#writeAll(store, tell).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Nobody waits for the rest any more. Returns how many there were. */
  giveUp(): number {
    const { waiting } = this.counts;
    this.#queue.take(Number.POSITIVE_INFINITY);
    this.#batch = undefined;
    this.#lost += waiting;
    return waiting;
  }

  async #writeAll(store: Store, tell: (status: StoreStatus) => void): Promise<void> {
    if (this.counts.waiting === 0) return;
    // Of one that is not there no batch is to blame.
    let { lastSequence } = await store.status();
    for (let batch = this.#next(lastSequence); batch !== undefined; batch = this.#next(lastSequence)) {
      const status = await this.#append(store, batch);
      lastSequence = status.lastSequence;
      tell(status);
    }
  }

  #next(after: number): Batch | undefined {
    if (this.#batch !== undefined) return this.#batch;
    const logs = this.#queue.take(BATCH.records, BATCH.bytes);
    this.#batch = logs.length === 0 ? undefined : { logs, after, failures: 0 };
    return this.#batch;
  }

  async #append(store: Store, batch: Batch): Promise<StoreStatus> {
    try {
      const status = await store.append(batch.logs, batch.after);
      // Given up meanwhile: it is counted as lost already.
      if (this.#batch === batch) {
        this.#handedOver += batch.logs.length;
        this.#batch = undefined;
      }
      return status;
    } catch (error) {
      batch.failures += 1;
      if (batch.failures >= MAX_ATTEMPTS && this.#batch === batch) {
        this.#lost += batch.logs.length;
        this.#batch = undefined;
      }
      throw error;
    }
  }
}
