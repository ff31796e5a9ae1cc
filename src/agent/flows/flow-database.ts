// The store of flows: numbered files of a columnar database, of which the latest is written to. What retention, a full disk or a
// broken file take away is whole files, the oldest first; flows go on being stored in any case.
import { availableParallelism } from 'node:os';
import { DataplaneError } from '../../base/errors.ts';
import type { StoredLog } from '../../observe/flow-store/decode.ts';
import { LogEncoder } from '../../observe/flow-store/encode.ts';
import {
  type FlowListQuestion,
  type GraphQuestion,
  graphStatements,
  type TopQuestion,
  topStatements,
} from '../../observe/flow-store/question.ts';
import {
  ClockGuard,
  countExpired,
  type DiskSpace,
  limitsOnDisk,
  provenBy,
  type RetentionLimits,
  segmentBytes,
  segmentMs,
} from '../../observe/flow-store/retention.ts';
import { SCHEMA_VERSION } from '../../observe/flow-store/schema.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { Database, type DatabaseLimits, type Row } from './duckdb.ts';
import { FlowQuestions } from './flow-questions.ts';
import {
  attachSegment,
  createSegment,
  hasEnded,
  newSegment,
  OtherLayout,
  readThrough,
  type Segment,
} from './segment.ts';
import { SegmentFiles } from './segment-files.ts';
import { failureKind, firstLine, questionFailed } from './store-failure.ts';

export const DEFAULT_DATABASE_LIMITS: DatabaseLimits = Object.freeze({
  memoryBytes: 128 * 1024 * 1024,
  spillBytes: 512 * 1024 * 1024,
  // Packets and policy come first: on a machine of one processor there is no second thread for questions.
  threads: Math.min(2, availableParallelism()),
  timeoutMs: 10_000,
});

export interface FlowDatabaseOptions {
  readonly directory: string;
  readonly retention: RetentionLimits;
  readonly limits?: DatabaseLimits;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** The wall's clock, and one that is never set. */
  readonly now?: () => number;
  readonly steadyNow?: () => number;
  /** Of the disk. */
  readonly space?: () => DiskSpace;
}

export interface StoreStatus {
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  /** Of the oldest and to the newest record, in milliseconds since 1970. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** Number of the newest record: greater with each that is written. */
  readonly lastSequence: number;
  /** Records that could not be written, since the store was opened. */
  readonly lost: number;
  /** Files that retention took away, that a full disk cost, and that were broken. */
  readonly expired: number;
  readonly givenUp: number;
  readonly movedAside: number;
}

/** On disks that stay full each batch costs one file, and then the batch. */
const MAX_GIVEN_UP = 1;

export class FlowDatabase {
  readonly #options: FlowDatabaseOptions;
  readonly #limits: DatabaseLimits;
  readonly #files: SegmentFiles;
  readonly #clock = new ClockGuard();
  #retention: RetentionLimits;
  #database: Database;
  #segments: Segment[] = [];
  /** The last sequence number of files that were let go of. */
  #sequence = 0;
  /** For the file that is written to. */
  #encoder = new LogEncoder();
  #lost = 0;
  #expired = 0;
  #givenUp = 0;
  #movedAside = 0;

  private constructor(options: FlowDatabaseOptions, files: SegmentFiles, database: Database) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_DATABASE_LIMITS;
    this.#retention = options.retention;
    this.#files = files;
    this.#database = database;
  }

  /** With a file to write to. Throws STORE_FAILED. */
  static async open(options: FlowDatabaseOptions): Promise<FlowDatabase> {
    try {
      const files = new SegmentFiles(options.directory);
      const database = await Database.open(options.limits ?? DEFAULT_DATABASE_LIMITS, files.spill);
      const store = new FlowDatabase(options, files, database);
      await store.#attachAll();
      if (!(await store.#isClockProven())) store.#clock.distrust(store.#steadyNow());
      return store;
    } catch (cause) {
      if (cause instanceof DataplaneError) throw cause;
      const details = { operation: 'open', target: options.directory, cause };
      throw new DataplaneError('STORE_FAILED', firstLine(cause), details);
    }
  }

  close(): void {
    this.#database.close();
  }

  setRetention(retention: RetentionLimits): void {
    this.#retention = retention;
  }

  /**
   * All of them or none. What cannot be written is counted, and never the caller's trouble. after = the last sequence number when
   * they were handed over for the first time: where it is greater now, they were written before anybody heard of it.
   */
  async append(logs: readonly FlowLog[], after = Number.POSITIVE_INFINITY): Promise<void> {
    if (logs.length === 0) return;
    for (let attempt = 0; this.#lastSequence <= after; attempt += 1) {
      try {
        await this.#write(logs);
        break;
      } catch (error) {
        const kind = failureKind(error);
        this.#log('warn', 'flows not stored', { error: firstLine(error), records: logs.length });
        await this.#reopen();
        if (kind === 'full' && attempt < MAX_GIVEN_UP && this.#giveUpOldest()) continue;
        if (kind === 'corrupt' && attempt === 0) continue;
        this.#lost += logs.length;
        return;
      }
    }
    await this.#rotate();
    await this.retain();
  }

  /** Throws QUERY_TOO_COSTLY and STORE_FAILED. */
  list(question: FlowListQuestion, withinMs?: number): Promise<StoredLog[]> {
    return this.#ask(withinMs, (questions) => questions.list(question));
  }

  /** Rows of the keys, then bytes, packets, flows, denied packets. */
  top(question: TopQuestion, withinMs?: number): Promise<Row[]> {
    return this.#ask(withinMs, (questions) => questions.sum(question, topStatements(question)));
  }

  /** Rows as graphStatements has them. */
  graph(question: GraphQuestion, withinMs?: number): Promise<Row[]> {
    return this.#ask(withinMs, (questions) => questions.sum(question, graphStatements(question)));
  }

  /** Takes away what is too old or too much. */
  async retain(): Promise<void> {
    const isSteady = this.#clock.isSteady(this.#now(), this.#steadyNow());
    const stored = this.#segments.map(({ number, newest }) => ({ bytes: this.#files.bytes(number), newest }));
    const count = countExpired(stored, this.#limitsNow(), isSteady ? this.#now() : undefined);
    for (const segment of this.#segments.splice(0, count)) {
      await this.#remove(segment);
      this.#expired += 1;
    }
  }

  status(): StoreStatus {
    const oldest = this.#segments.flatMap((segment) => segment.oldest ?? []);
    const newest = this.#segments.flatMap((segment) => segment.newest ?? []);
    return {
      files: this.#segments.length,
      bytes: this.#segments.reduce((sum, { number }) => sum + this.#files.bytes(number), 0),
      records: this.#segments.reduce((sum, { records }) => sum + records, 0),
      oldest: oldest.length === 0 ? null : Math.min(...oldest),
      newest: newest.length === 0 ? null : Math.max(...newest),
      lastSequence: this.#lastSequence,
      lost: this.#lost,
      expired: this.#expired,
      givenUp: this.#givenUp,
      movedAside: this.#movedAside,
    };
  }

  async #write(logs: readonly FlowLog[]): Promise<void> {
    const latest = this.#segments.at(-1);
    const current = latest?.version === SCHEMA_VERSION ? latest : await this.#begin();
    const first = this.#lastSequence + 1;
    await this.#database.append(current.alias, this.#encoder.encode(logs, first));
    for (const { startTime, endTime } of logs) {
      current.oldest = Math.min(current.oldest ?? startTime, startTime);
      current.newest = Math.max(current.newest ?? endTime, endTime);
    }
    current.records += logs.length;
    current.next = this.#encoder.next;
    current.lastSequence = first + logs.length - 1;
    this.#files.protect(current.number);
  }

  get #lastSequence(): number {
    return Math.max(this.#sequence, ...this.#segments.map(({ lastSequence }) => lastSequence));
  }

  /** A full file is only read from here on. */
  async #rotate(): Promise<void> {
    const current = this.#segments.at(-1);
    if (current === undefined) return;
    const isLarge = this.#files.bytes(current.number) >= segmentBytes(this.#limitsNow());
    if (!isLarge && Math.abs(this.#now() - current.begunAt) < segmentMs(this.#retention)) return;
    try {
      await this.#database.run(`CHECKPOINT ${current.alias}`);
      await this.#database.detach(current.alias);
      await this.#database.attach(this.#files.path(current.number), current.alias, true);
      await this.#begin();
    } catch (error) {
      this.#log('warn', 'no new file of flows begun', { error: firstLine(error) });
      await this.#reopen();
      if (failureKind(error) === 'full') this.#giveUpOldest();
    }
  }

  async #begin(): Promise<Segment> {
    const segment = await createSegment(this.#database, this.#files, this.#now(), this.#lastSequence);
    this.#encoder = new LogEncoder();
    this.#segments.push(segment);
    return segment;
  }

  async #attachAll(): Promise<void> {
    const numbers = this.#files.list();
    for (const number of numbers) {
      try {
        const place = { isReadOnly: number !== numbers.at(-1), now: this.#now() };
        this.#segments.push(await attachSegment(this.#database, this.#files, number, place));
      } catch (error) {
        if (!(error instanceof OtherLayout) && failureKind(error) !== 'corrupt') throw error;
        await this.#moveAside(newSegment(number, 0), error);
      }
    }
    const latest = this.#segments.at(-1);
    const isCurrent = latest?.number === numbers.at(-1) && latest?.version === SCHEMA_VERSION;
    if (latest === undefined || !isCurrent) await this.#begin();
    else this.#encoder = new LogEncoder(latest.next);
  }

  /** A clock that was set wrong before the store was opened is found out by what is stored, or it would cost all of that. */
  async #isClockProven(): Promise<boolean> {
    const when = provenBy(this.#now());
    for (const segment of this.#segments) {
      try {
        if (await hasEnded(this.#database, segment, when)) return true;
      } catch (error) {
        this.#log('warn', 'a file of flows does not tell the time', { error: firstLine(error) });
      }
    }
    return false;
  }

  /** After a failure nothing that was attached is to be trusted. */
  async #reopen(): Promise<void> {
    this.#database.close();
    this.#sequence = this.#lastSequence;
    this.#segments = [];
    this.#database = await Database.open(this.#limits, this.#files.spill);
    try {
      await this.#attachAll();
    } catch (error) {
      this.#log('warn', 'the files of flows are not all open', { error: firstLine(error) });
      if (failureKind(error) === 'full') this.#giveUpOldest();
    }
  }

  /** False = there is none but the one that is written to. */
  #giveUpOldest(): boolean {
    const numbers = this.#files.list();
    const [oldest] = numbers;
    if (oldest === undefined || numbers.length < 2) return false;
    const attached = this.#segments.findIndex(({ number }) => number === oldest);
    if (attached >= 0) void this.#database.detach((this.#segments.splice(attached, 1)[0] as Segment).alias);
    this.#files.remove(oldest);
    this.#givenUp += 1;
    this.#log('warn', 'the disk is full: the oldest flows are given up', { file: this.#files.path(oldest) });
    return true;
  }

  async #remove({ alias, number }: Segment): Promise<void> {
    await this.#database.detach(alias);
    this.#files.remove(number);
    this.#log('info', 'flows expired', { file: this.#files.path(number) });
  }

  async #moveAside({ alias, number }: Segment, error: unknown): Promise<void> {
    await this.#database.detach(alias).catch(() => undefined);
    const isOther = error instanceof OtherLayout;
    const to = this.#files.moveAside(number, isOther ? 'layout' : 'corrupt', new Date(this.#now()));
    this.#movedAside += 1;
    const fields = { file: this.#files.path(number), movedTo: to, error: firstLine(error) };
    if (isOther) this.#log('warn', 'a file of flows of another version was moved aside', fields);
    else this.#log('error', 'a file of flows cannot be read and was moved aside', fields);
  }

  async #ask<T>(withinMs: number | undefined, ask: (questions: FlowQuestions) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#limits;
    const once = () =>
      ask(new FlowQuestions(this.#database, this.#segments, Math.min(withinMs ?? timeoutMs, timeoutMs)));
    try {
      return await once();
    } catch (error) {
      if (failureKind(error) !== 'corrupt' || !(await this.#moveCorruptAside())) throw this.#failed(error);
    }
    try {
      return await once();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): DataplaneError {
    return questionFailed(error, this.#options.directory, this.#limits.timeoutMs);
  }

  /** Reads every file; false = all can be read. */
  async #moveCorruptAside(): Promise<boolean> {
    let isAny = false;
    for (const segment of [...this.#segments]) {
      try {
        await readThrough(this.#database, segment);
      } catch (error) {
        if (failureKind(error) !== 'corrupt') continue;
        isAny = true;
        await this.#moveAside(segment, error);
      }
    }
    if (isAny) await this.#reopen();
    return isAny;
  }

  #limitsNow(): RetentionLimits {
    const used = this.#segments.reduce((sum, { number }) => sum + this.#files.bytes(number), 0);
    return limitsOnDisk(this.#retention, used, (this.#options.space ?? (() => this.#files.space()))());
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #steadyNow(): number {
    return (this.#options.steadyNow ?? (() => performance.now()))();
  }

  #log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log(level, message, fields);
  }
}
