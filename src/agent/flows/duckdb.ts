// DuckDB as the store uses it: one database in memory that files are attached to, bounded in memory, threads and time.
import {
  BIGINT,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import { DataplaneError } from '../../base/errors.ts';
import { variableName } from '../../observe/flow-query/sql.ts';
import { type EncodedLogs, rowCount, typesOf } from '../../observe/flow-store/encode.ts';
import type { Statement } from '../../observe/flow-store/question.ts';
import { type ColumnValue, TABLE_NAMES, type TableName } from '../../observe/flow-store/schema.ts';

/** Rows of one chunk: DuckDB's vectors hold no more. */
const CHUNK = 2048;
const TYPES = { BIGINT, INTEGER, VARCHAR } as const;
const MIB = 1024 * 1024;
const INTERRUPT_MS = 20;

export interface DatabaseLimits {
  readonly memoryBytes: number;
  /** What a question may put on the disk for want of memory. */
  readonly spillBytes: number;
  readonly threads: number;
  readonly timeoutMs: number;
}

export type Row = readonly ColumnValue[];

/** What one question may take. */
export interface QuestionLimits {
  /** Beside the time that any question has. */
  readonly withinMs?: number;
  /** Characters of all its texts, and numbers as if they were some. */
  readonly characters?: number;
}

/** Of a number in a row. */
const NUMBER_CHARACTERS = 8;

export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #timeoutMs: number;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, timeoutMs: number) {
    this.#instance = instance;
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  static async open(limits: DatabaseLimits, spill: string): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.floor(limits.memoryBytes / MIB)}MiB`,
      threads: String(limits.threads),
      temp_directory: spill,
      max_temp_directory_size: `${Math.floor(limits.spillBytes / MIB)}MiB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      checkpoint_threshold: '4MiB',
      // Answers are sorted by what was asked; otherwise the order would cost memory.
      preserve_insertion_order: 'false',
    });
    return new Database(instance, await instance.connect(), limits.timeoutMs);
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  /** A statement of the store's own, without anybody's data. */
  async run(text: string): Promise<void> {
    await this.#connection.run(text);
  }

  async attach(path: string, alias: string, isReadOnly: boolean): Promise<void> {
    await this.run(
      `ATTACH '${path.replaceAll("'", "''")}' AS ${alias} (TYPE duckdb${isReadOnly ? ', READ_ONLY' : ''})`,
    );
  }

  async detach(alias: string): Promise<void> {
    await this.run(`DETACH ${alias}`);
  }

  /** All rows; interrupted when it takes too long. Throws QUERY_TOO_COSTLY for what is too much to answer. */
  async ask({ text, values }: Statement, limits: QuestionLimits = {}): Promise<Row[]> {
    const { withinMs = Number.POSITIVE_INFINITY, characters = Number.POSITIVE_INFINITY } = limits;
    // Again and again: one that comes while the statement is only prepared does nothing.
    let again: NodeJS.Timeout | undefined;
    const timer = setTimeout(
      () => {
        again = setInterval(() => this.#connection.interrupt(), INTERRUPT_MS);
        this.#connection.interrupt();
      },
      Math.min(withinMs, this.#timeoutMs),
    );
    try {
      for (const [index, value] of values.entries()) {
        const set = `SET VARIABLE ${variableName(index + 1)} = $1`;
        await this.#connection.run(set, [typeof value === 'string' ? value : BigInt(value)]);
      }
      return await this.#read(text, characters);
    } finally {
      clearTimeout(timer);
      clearInterval(again);
    }
  }

  /** Part by part, so that what is too much is never in memory. */
  async #read(text: string, limit: number): Promise<Row[]> {
    const result = await this.#connection.stream(text);
    const rows: Row[] = [];
    let characters = 0;
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      for (const row of chunk.getRows() as Row[]) {
        for (const value of row) characters += typeof value === 'string' ? value.length : NUMBER_CHARACTERS;
        if (characters > limit) {
          // The connection gives the rest up with its next statement.
          await this.run('SELECT 1');
          throw tooCostly(`has an answer of more than ${limit / MIB} MiB`);
        }
        rows.push(row);
      }
    }
    return rows;
  }

  /** All of them or none. */
  async append(alias: string, logs: EncodedLogs): Promise<void> {
    await this.run('BEGIN');
    try {
      for (const table of TABLE_NAMES) await this.#appendTo(alias, table, logs[table]);
      await this.run('COMMIT');
    } catch (error) {
      await this.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** Values by column. */
  async #appendTo(alias: string, table: TableName, columns: readonly (readonly ColumnValue[])[]): Promise<void> {
    const rows = rowCount(columns);
    if (rows === 0) return;
    const types = typesOf(table).map((type) => TYPES[type]);
    const appender = await this.#connection.createAppender(table, 'main', alias);
    for (let from = 0; from < rows; from += CHUNK) {
      const count = Math.min(CHUNK, rows - from);
      const chunk = DuckDBDataChunk.create(types, count);
      chunk.setColumns(columns.map((column) => column.slice(from, from + count) as DuckDBValue[]));
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
  }
}

function tooCostly(what: string): DataplaneError {
  return new DataplaneError('QUERY_TOO_COSTLY', what, {
    operation: 'ask',
    target: 'stored flows',
    hint: 'ask for fewer flows, by a limit or a filter',
  });
}
