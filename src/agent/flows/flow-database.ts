// The store of flows: numbered files of a columnar database, of which the latest is written to. What retention, a full disk or a
// broken file take away is whole files, the oldest first; flows go on being stored in any case.
import { DataplaneError } from '../../base/errors.ts';
import {
  type FlowListQuestion,
  type GraphQuestion,
  graphStatement,
  listStatement,
  type Statement,
  type Tables,
  type TimeWindow,
  type TopQuestion,
  topStatement,
} from '../../observe/flow-store/question.ts';
import {
  ClockGuard,
  countExpired,
  type DiskSpace,
  limitsOnDisk,
  type RetentionLimits,
  segmentBytes,
  segmentMs,
} from '../../observe/flow-store/retention.ts';
import {
  columnsOf,
  createTable,
  logOfRow,
  SCHEMA_VERSION,
  type StoredLog,
  TABLE,
} from '../../observe/flow-store/schema.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';
import { Database, type DatabaseLimits, type Row } from './duckdb.ts';
import { SegmentFiles } from './segment-files.ts';
import { failureKind, firstLine, questionFailed } from './store-failure.ts';

export const DEFAULT_DATABASE_LIMITS: DatabaseLimits = Object.freeze({
  memoryBytes: 128 * 1024 * 1024,
  spillBytes: 512 * 1024 * 1024,
  threads: 2,
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
  /** Records that could not be written, since the store was opened. */
  readonly lost: number;
  /** Files that retention took away, that a full disk cost, and that were broken. */
  readonly expired: number;
  readonly givenUp: number;
  readonly movedAside: number;
}

/** One file that is attached. */
interface Segment {
  readonly number: number;
  readonly alias: string;
  records: number;
  oldest: number | undefined;
  newest: number | undefined;
  lastSequence: number;
  readonly begunAt: number;
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

  /** All of them or none. What cannot be written is counted, and never the caller's trouble. */
  async append(logs: readonly FlowLog[]): Promise<void> {
    if (logs.length === 0) return;
    for (let attempt = 0; ; attempt += 1) {
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

  async list(question: FlowListQuestion): Promise<StoredLog[]> {
    const rows = await this.#ask(question, (tables) => listStatement(question, tables));
    return rows.map(logOfRow);
  }

  /** Rows of the keys, then bytes, packets, flows, denied packets. */
  top(question: TopQuestion): Promise<Row[]> {
    return this.#ask(question, (tables) => topStatement(question, tables));
  }

  /** Rows as graphStatement has them. */
  graph(question: GraphQuestion): Promise<Row[]> {
    return this.#ask(question, (tables) => graphStatement(question, tables));
  }

  /** Takes away what is too old or too much. */
  async retain(): Promise<void> {
    const isSteady = this.#clock.isSteady(this.#now(), (this.#options.steadyNow ?? (() => performance.now()))());
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
      lost: this.#lost,
      expired: this.#expired,
      givenUp: this.#givenUp,
      movedAside: this.#movedAside,
    };
  }

  async #write(logs: readonly FlowLog[]): Promise<void> {
    const current = this.#segments.at(-1) ?? (await this.#begin());
    const first = Math.max(0, ...this.#segments.map(({ lastSequence }) => lastSequence)) + 1;
    await this.#database.append(current.alias, columnsOf(logs, first));
    for (const { startTime, endTime } of logs) {
      current.oldest = Math.min(current.oldest ?? startTime, startTime);
      current.newest = Math.max(current.newest ?? endTime, endTime);
    }
    current.records += logs.length;
    current.lastSequence = first + logs.length - 1;
    this.#files.protect(current.number);
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
    const number = Math.max(0, ...this.#files.list()) + 1;
    const segment = newSegment(number, this.#now());
    await this.#database.attach(this.#files.path(number), segment.alias, false);
    this.#files.protect(number);
    await this.#database.run(`CREATE TABLE ${segment.alias}.meta AS SELECT ${SCHEMA_VERSION} AS version`);
    await this.#database.run(createTable(segment.alias));
    this.#files.protect(number);
    this.#segments.push(segment);
    return segment;
  }

  async #attachAll(): Promise<void> {
    const numbers = this.#files.list();
    for (const number of numbers) {
      try {
        this.#segments.push(await this.#attach(number, number === numbers.at(-1)));
      } catch (error) {
        if (failureKind(error) !== 'corrupt') throw error;
        await this.#moveAside(newSegment(number, 0), error);
      }
    }
    const latest = this.#segments.at(-1);
    if (latest === undefined || latest.number !== numbers.at(-1)) await this.#begin();
  }

  async #attach(number: number, isLatest: boolean): Promise<Segment> {
    const { alias } = newSegment(number, 0);
    const path = this.#files.path(number);
    // A log that an earlier process left is only taken in by who may write.
    if (!isLatest && this.#files.hasLog(number)) {
      await this.#database.attach(path, alias, false);
      await this.#database.run(`CHECKPOINT ${alias}`);
      await this.#database.detach(alias);
    }
    await this.#database.attach(path, alias, !isLatest);
    const [version] = await this.#database.ask({ text: `SELECT version FROM ${alias}.meta`, values: [] });
    if (Number(version?.[0]) !== SCHEMA_VERSION) throw new Error(`storage version ${version?.[0]} of flows`);
    const [row] = await this.#database.ask({
      text: `SELECT count(*), min(start_time), max(end_time), max(sequence) FROM ${alias}.${TABLE}`,
      values: [],
    });
    const [records, oldest, newest, lastSequence] = row ?? [];
    const timeOf = (value: unknown): number | undefined => (typeof value === 'bigint' ? Number(value) : undefined);
    return {
      number,
      alias,
      records: Number(records ?? 0),
      oldest: timeOf(oldest),
      newest: timeOf(newest),
      lastSequence: timeOf(lastSequence) ?? 0,
      begunAt: timeOf(oldest) ?? this.#now(),
    };
  }

  /** After a failure nothing that was attached is to be trusted. */
  async #reopen(): Promise<void> {
    this.#database.close();
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
    const to = this.#files.moveAside(number, new Date(this.#now()));
    this.#movedAside += 1;
    const fields = { file: this.#files.path(number), movedTo: to, error: firstLine(error) };
    this.#log('error', 'a file of flows cannot be read and was moved aside', fields);
  }

  async #ask(window: TimeWindow, statementOf: (tables: Tables) => Statement): Promise<Row[]> {
    try {
      return await this.#askOnce(window, statementOf);
    } catch (error) {
      if (failureKind(error) !== 'corrupt' || !(await this.#moveCorruptAside())) throw this.#failed(error);
    }
    try {
      return await this.#askOnce(window, statementOf);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #askOnce({ since, until }: TimeWindow, statementOf: (tables: Tables) => Statement): Promise<Row[]> {
    const tables = this.#segments.filter(
      ({ oldest, newest }) =>
        oldest !== undefined &&
        newest !== undefined &&
        (since === undefined || newest >= since) &&
        (until === undefined || oldest < until),
    );
    if (tables.length === 0) return [];
    return this.#database.ask(statementOf(tables.map(({ alias }) => alias)));
  }

  #failed(error: unknown): DataplaneError {
    return questionFailed(error, this.#options.directory, this.#limits.timeoutMs);
  }

  /** Reads every file; false = all can be read. */
  async #moveCorruptAside(): Promise<boolean> {
    let isAny = false;
    for (const segment of [...this.#segments]) {
      try {
        const text = `SELECT bit_xor(hash(${TABLE})) FROM ${segment.alias}.${TABLE}`;
        await this.#database.ask({ text, values: [] });
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

  #log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log(level, message, fields);
  }
}

function newSegment(number: number, begunAt: number): Segment {
  return {
    number,
    alias: `flows_${number}`,
    records: 0,
    oldest: undefined,
    newest: undefined,
    lastSequence: 0,
    begunAt,
  };
}
