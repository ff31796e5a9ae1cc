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
import { variableName } from '../../observe/flow-query/sql.ts';
import type { Statement } from '../../observe/flow-store/question.ts';
import { COLUMN_TYPES, type ColumnValue, TABLE } from '../../observe/flow-store/schema.ts';

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

  /** All rows; interrupted when it takes too long. */
  async ask({ text, values }: Statement): Promise<Row[]> {
    // Again and again: one that comes while the statement is only prepared does nothing.
    let again: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      again = setInterval(() => this.#connection.interrupt(), INTERRUPT_MS);
      this.#connection.interrupt();
    }, this.#timeoutMs);
    try {
      for (const [index, value] of values.entries()) {
        const set = `SET VARIABLE ${variableName(index + 1)} = $1`;
        await this.#connection.run(set, [typeof value === 'string' ? value : BigInt(value)]);
      }
      return (await this.#connection.runAndReadAll(text)).getRows() as Row[];
    } finally {
      clearTimeout(timer);
      clearInterval(again);
    }
  }

  /** Values by column, all of them or none. */
  async append(alias: string, columns: readonly (readonly ColumnValue[])[]): Promise<void> {
    const rows = columns[0]?.length ?? 0;
    await this.run('BEGIN');
    try {
      const appender = await this.#connection.createAppender(TABLE, 'main', alias);
      for (let from = 0; from < rows; from += CHUNK) {
        const count = Math.min(CHUNK, rows - from);
        const chunk = DuckDBDataChunk.create(
          COLUMN_TYPES.map((type) => TYPES[type]),
          count,
        );
        chunk.setColumns(columns.map((column) => column.slice(from, from + count) as DuckDBValue[]));
        appender.appendDataChunk(chunk);
      }
      appender.closeSync();
      await this.run('COMMIT');
    } catch (error) {
      await this.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}
