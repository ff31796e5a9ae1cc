// One exporter: what it is given waits in memory, is encoded in batches and sent one after the other. While the receiver takes
// none, batches wait on disk, and what no longer fits is dropped and counted. Whoever gives never waits.
import type { Logger } from '../../base/log.ts';
import { BackOff } from './back-off.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { type EncodedBatch, type Sink, SinkError } from './sink.ts';
import type { Spool } from './spool.ts';
import type { ExportTarget } from './target.ts';

/** Why something was not delivered and will not be. */
export type DropReason =
  | 'queue-full'
  | 'spool-full'
  | 'spool-broken'
  | 'refused'
  | 'not-expressible'
  | 'too-many-keys'
  | 'stopped';

/** emitted = delivered + dropped + waiting. */
export interface ExportCounters {
  readonly exporter: string;
  readonly kind: string;
  /** Given to the exporter, by an earlier agent too where it left something on disk. */
  readonly emitted: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** In memory and on disk. */
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly spooledBytes: number;
  /** Sends that ended in an error. */
  readonly failures: number;
  /** Why the receiver takes nothing now; undefined = it does. */
  readonly error?: string;
}

export interface ExporterParts<T> {
  readonly target: Pick<ExportTarget, 'name' | 'kind' | 'batchRecords' | 'flushMs' | 'queueBytes'>;
  readonly sink: Sink<T>;
  readonly sizeOf: (item: T) => number;
  /** undefined = nothing is kept on disk. */
  readonly spool: Spool | undefined;
  readonly log: Logger;
  readonly backOff?: BackOff;
}

const CLOSE_MS = 2000;
/** From here on batches go to disk, so that the queue has room for what comes meanwhile. */
const RELIEF_FILL = 0.5;
const RELIEF_WRITES = 8;
const SPOOL_RETRY_MS = 10_000;
/** Of the queue's bytes: so much may be on its way to the disk when more comes at once than the queue holds. */
const SPILL_FACTOR = 4;

export class Exporter<T> {
  readonly #parts: ExporterParts<T>;
  readonly #queue: BoundedQueue<T>;
  readonly #backOff: BackOff;
  readonly #droppedBy: Record<DropReason, number> = {
    'queue-full': 0,
    'spool-full': 0,
    'spool-broken': 0,
    refused: 0,
    'not-expressible': 0,
    'too-many-keys': 0,
    stopped: 0,
  };
  #emitted: number;
  #delivered = 0;
  #failures = 0;
  #error: string | undefined;
  /** The reason that the log has already. */
  #told: string | undefined;
  /** Neither in the queue nor on disk. */
  #inHand: EncodedBatch | undefined;
  #sending = 0;
  /** On their way to the disk, and their bytes. */
  readonly #spills = new Set<Promise<void>>();
  #spilling = 0;
  #oldestAt = 0;
  #retryAt = 0;
  #spoolRetryAt = 0;
  #state: 'open' | 'draining' | 'ended' = 'open';
  #wake: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(parts: ExporterParts<T>) {
    this.#parts = parts;
    this.#queue = new BoundedQueue(parts.target.queueBytes, parts.sizeOf);
    this.#backOff = parts.backOff ?? new BackOff();
    this.#emitted = parts.spool?.records ?? 0;
    this.#running = this.#run();
  }

  /** Takes what there is room for, in memory or on disk, and counts the rest. */
  accept(items: readonly T[]): void {
    if (this.#state !== 'open' || items.length === 0) return;
    if (this.#queue.length === 0) this.#oldestAt = performance.now();
    this.#emitted += items.length;
    for (const item of items) {
      if (this.#queue.push(item)) continue;
      this.#spill();
      if (!this.#queue.push(item)) this.#droppedBy['queue-full'] += 1;
    }
    this.#wake();
  }

  /** Meant for it, and given up before it could be given: there were more keys at a time than are put together. */
  leaveOut(records: number): void {
    this.#emitted += records;
    this.#droppedBy['too-many-keys'] += records;
  }

  counters(): ExportCounters {
    const { target, spool } = this.#parts;
    const dropped = Object.values(this.#droppedBy).reduce((sum, count) => sum + count, 0);
    return {
      exporter: target.name,
      kind: target.kind,
      emitted: this.#emitted,
      delivered: this.#delivered,
      dropped,
      droppedBy: { ...this.#droppedBy },
      waiting: this.#emitted - this.#delivered - dropped,
      waitingBytes: this.#queue.bytes + (this.#inHand?.bytes.length ?? 0) + this.#sending,
      spooledBytes: spool?.bytes ?? 0,
      failures: this.#failures,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** Sends what waits while the receiver takes it, for two seconds at most; the rest stays on disk or is dropped. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return this.#running;
    this.#state = 'draining';
    this.#wake();
    const patience = setTimeout(() => {
      this.#state = 'ended';
      this.#wake();
      void this.#parts.sink.close();
    }, CLOSE_MS);
    await this.#running;
    clearTimeout(patience);
    this.#state = 'ended';
    await this.#parts.sink.close();
    await this.#keepRest();
    await Promise.all(this.#spills);
  }

  async #run(): Promise<void> {
    while (this.#state !== 'ended') {
      await this.#relieve();
      const waitMs = this.#waitMs();
      if (waitMs === 0) await this.#sendNext();
      else if (this.#state === 'open') await this.#sleep(waitMs);
      else return;
    }
  }

  /** Until there is something to do; 0 = there is. */
  #waitMs(): number {
    const now = performance.now();
    const { target, spool } = this.#parts;
    if (this.#retryAt > now) return this.#retryAt - now;
    if (this.#inHand !== undefined || (spool?.batches ?? 0) > 0) return 0;
    if (this.#queue.length === 0) return Number.POSITIVE_INFINITY;
    if (this.#queue.length >= target.batchRecords || this.#state === 'draining') return 0;
    return Math.max(0, this.#oldestAt + target.flushMs - now);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.ceil(ms)) : undefined;
      timer?.unref();
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }

  /** While the receiver does not keep up: a few at a time, because a disk is slow at one by one. */
  async #relieve(): Promise<void> {
    const { spool } = this.#parts;
    while (spool !== undefined && this.#queue.fill >= RELIEF_FILL && performance.now() >= this.#spoolRetryAt) {
      if (this.#error === undefined && spool.batches === 0) return;
      const writes: Promise<void>[] = [];
      while (writes.length < RELIEF_WRITES && this.#queue.fill >= RELIEF_FILL) {
        const batch = this.#encodeNext();
        if (batch !== undefined) writes.push(this.#keepOrDrop(spool, batch, 'spool-broken'));
      }
      await Promise.all(writes);
    }
  }

  async #sendNext(): Promise<void> {
    const { spool } = this.#parts;
    const isSpooled = this.#inHand === undefined && spool !== undefined && spool.batches > 0;
    const batch = this.#inHand ?? (isSpooled ? await this.#readSpool(spool) : this.#encodeNext());
    if (batch === undefined) return;
    this.#inHand = undefined;
    this.#sending = batch.bytes.length;
    const isKept = await this.#send(batch);
    this.#sending = 0;
    if (isSpooled && !isKept) await spool.removeFirst();
    if (isSpooled) spool.release();
    if (!isKept || isSpooled) return;
    // What has been spilled meanwhile is younger.
    if (spool === undefined || spool.batches > 0 || !(await this.#keep(spool, batch))) this.#inHand = batch;
  }

  /** More has come at once than the queue holds: its oldest go to the disk. Nobody waits for it. */
  #spill(): void {
    const { spool, target } = this.#parts;
    if (spool === undefined || performance.now() < this.#spoolRetryAt) return;
    if (this.#spilling > SPILL_FACTOR * target.queueBytes) return;
    const batch = this.#encodeNext();
    if (batch === undefined) return;
    const { length } = batch.bytes;
    this.#spilling += length;
    const spill = this.#keepOrDrop(spool, batch, 'spool-broken').finally(() => {
      this.#spilling -= length;
      this.#spills.delete(spill);
    });
    this.#spills.add(spill);
  }

  /** True = to be sent again. */
  async #send(batch: EncodedBatch): Promise<boolean> {
    const { sink, target, log } = this.#parts;
    try {
      const refused = Math.min(batch.records, await sink.send(batch));
      this.#delivered += batch.records - refused;
      this.#droppedBy.refused += refused;
      if (this.#error !== undefined) {
        log.info('exporter delivers again', { exporter: target.name });
        this.#told = undefined;
      }
      this.#error = undefined;
      this.#backOff.succeeded();
      return false;
    } catch (error) {
      return this.#fail(batch, error);
    }
  }

  #fail(batch: EncodedBatch, error: unknown): boolean {
    const { target, log } = this.#parts;
    const reason = error instanceof Error ? error.message : String(error);
    const { isPermanent = false, retryAfterMs = 0 } = error instanceof SinkError ? error : {};
    this.#failures += 1;
    if (this.#told !== reason) log.warn('exporter does not deliver', { exporter: target.name, reason, isPermanent });
    this.#told = reason;
    if (isPermanent) {
      this.#droppedBy.refused += batch.records;
      return false;
    }
    this.#error = reason;
    this.#retryAt = performance.now() + Math.max(this.#backOff.failed(), retryAfterMs);
    return true;
  }

  /** undefined = nothing of it can be said in the format. */
  #encodeNext(): EncodedBatch | undefined {
    const items = this.#queue.take(this.#parts.target.batchRecords);
    this.#oldestAt = performance.now();
    try {
      const batch = this.#parts.sink.encode(items);
      this.#droppedBy['not-expressible'] += items.length - batch.records;
      return batch.records > 0 ? batch : undefined;
    } catch (error) {
      const { target, log } = this.#parts;
      log.error('exporter cannot encode flow logs', { exporter: target.name, error: String(error) });
      this.#droppedBy['not-expressible'] += items.length;
      return undefined;
    }
  }

  async #readSpool(spool: Spool): Promise<EncodedBatch | undefined> {
    const batch = await spool.readFirst();
    if (batch !== undefined) return batch;
    const lost = await spool.removeFirst();
    this.#droppedBy['spool-broken'] += lost;
    return undefined;
  }

  /** False = it could not be written. */
  async #keep(spool: Spool, batch: EncodedBatch): Promise<boolean> {
    if (performance.now() < this.#spoolRetryAt) return false;
    try {
      // Not added to what was before the wait: others may be under way.
      const lost = await spool.append(batch);
      this.#droppedBy['spool-full'] += lost;
      return true;
    } catch (error) {
      this.#spoolRetryAt = performance.now() + SPOOL_RETRY_MS;
      const { target, log } = this.#parts;
      log.warn('exporter cannot keep flow logs on disk', { exporter: target.name, error: String(error) });
      return false;
    }
  }

  async #keepOrDrop(spool: Spool, batch: EncodedBatch, reason: DropReason): Promise<void> {
    if (!(await this.#keep(spool, batch))) this.#droppedBy[reason] += batch.records;
  }

  /** For the next agent. */
  async #keepRest(): Promise<void> {
    const { spool } = this.#parts;
    this.#spoolRetryAt = 0;
    while (this.#inHand !== undefined || this.#queue.length > 0) {
      const batch = this.#inHand ?? this.#encodeNext();
      this.#inHand = undefined;
      if (batch === undefined) continue;
      if (spool === undefined) this.#droppedBy.stopped += batch.records;
      else await this.#keepOrDrop(spool, batch, 'stopped');
    }
  }
}
