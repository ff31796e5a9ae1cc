// One file of the store of flows, attached to the database: made, opened, looked through.
import { FIRST_IDS, type NextIds } from '../../observe/flow-store/encode.ts';
import {
  createTables,
  ENDS,
  FLOWS,
  ID_COLUMN,
  isReadable,
  SCHEMA_VERSION,
  SEQUENCE_COLUMN,
  type StoredFile,
  TABLE_NAMES,
  TRAITS,
} from '../../observe/flow-store/schema.ts';
import type { Database, Row } from './duckdb.ts';
import type { SegmentFiles } from './segment-files.ts';

export interface Segment extends StoredFile {
  readonly number: number;
  records: number;
  oldest: number | undefined;
  newest: number | undefined;
  lastSequence: number;
  /** Of its dictionaries. */
  next: NextIds;
  readonly begunAt: number;
}

/** A file of another version of Tortie, which is whole. */
export class OtherLayout extends Error {
  override readonly name = 'OtherLayout';
}

/** after = the sequence number that it goes on from. */
export function newSegment(number: number, begunAt: number, after = 0): Segment {
  return {
    number,
    alias: `flows_${number}`,
    version: SCHEMA_VERSION,
    records: 0,
    oldest: undefined,
    newest: undefined,
    lastSequence: after,
    next: FIRST_IDS,
    begunAt,
  };
}

/** Behind those that are there, to be written to. It remembers the sequence number before its own, as those before it may go. */
export async function createSegment(database: Database, files: SegmentFiles, now: number, after = 0): Promise<Segment> {
  const number = Math.max(0, ...files.list()) + 1;
  const segment = newSegment(number, now, after);
  await database.attach(files.path(number), segment.alias, false);
  files.protect(number);
  await database.run(
    `CREATE TABLE ${segment.alias}.meta AS SELECT ${SCHEMA_VERSION} AS version, CAST(${after} AS BIGINT) AS after`,
  );
  for (const statement of createTables(segment.alias)) await database.run(statement);
  files.protect(number);
  return segment;
}

/** One that is there. Throws OtherLayout, and what the database throws for one that is broken. */
export async function attachSegment(
  database: Database,
  files: SegmentFiles,
  number: number,
  { isReadOnly, now }: { readonly isReadOnly: boolean; readonly now: number },
): Promise<Segment> {
  const segment = newSegment(number, now);
  const { alias } = segment;
  const path = files.path(number);
  // A log that an earlier process left is only taken in by who may write.
  if (isReadOnly && files.hasLog(number)) {
    await database.attach(path, alias, false);
    await database.run(`CHECKPOINT ${alias}`);
    await database.detach(alias);
  }
  await database.attach(path, alias, isReadOnly);
  // Files that were made before it was kept say nothing of what was before them.
  const [version, after] = await firstRow(database, `SELECT * FROM ${alias}.meta`);
  if (!isReadable(Number(version))) throw new OtherLayout(`layout ${version}, this version has ${SCHEMA_VERSION}`);
  const [records, oldest, newest, lastSequence] = await firstRow(
    database,
    `SELECT count(*), min(start_time), max(end_time), max(${SEQUENCE_COLUMN}) FROM ${alias}.${FLOWS}`,
  );
  return {
    number,
    alias,
    version: Number(version),
    records: Number(records ?? 0),
    oldest: wholeOf(oldest),
    newest: wholeOf(newest),
    lastSequence: wholeOf(lastSequence) ?? wholeOf(after) ?? 0,
    next: await nextIdsOf(database, alias),
    begunAt: wholeOf(oldest) ?? now,
  };
}

/** Whether a flow in it ended then. */
export async function hasEnded(
  database: Database,
  { alias, oldest, newest }: Segment,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<boolean> {
  if (oldest === undefined || newest === undefined || oldest > until || newest < from) return false;
  const text = `SELECT 1 FROM ${alias}.${FLOWS} WHERE end_time BETWEEN ? AND ? LIMIT 1`;
  return (await database.ask({ text, values: [from, until] })).length > 0;
}

async function nextIdsOf(database: Database, alias: string): Promise<NextIds> {
  const lastOf = async (table: string): Promise<number> =>
    Number((await firstRow(database, `SELECT max(${ID_COLUMN}) FROM ${alias}.${table}`))[0] ?? 0);
  return { ends: FIRST_IDS.ends + (await lastOf(ENDS)), traits: FIRST_IDS.traits + (await lastOf(TRAITS)) };
}

/** Reads all of it. Throws what the database throws for one that is broken. */
export async function readThrough(database: Database, { alias }: Segment): Promise<void> {
  for (const table of TABLE_NAMES) await firstRow(database, `SELECT bit_xor(hash(t)) FROM ${alias}.${table} t`);
}

async function firstRow(database: Database, text: string): Promise<Row> {
  return (await database.ask({ text, values: [] }))[0] ?? [];
}

function wholeOf(value: unknown): number | undefined {
  return typeof value === 'bigint' ? Number(value) : undefined;
}
