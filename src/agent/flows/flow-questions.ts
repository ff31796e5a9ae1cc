// Asks the files of the store one after the other, and puts their answers together: what a question takes in memory does not grow
// with their number. Files that can have nothing of the answer are left out.
import { DataplaneError } from '../../base/errors.ts';
import { logOfRow, type StoredLog } from '../../observe/flow-store/decode.ts';
import {
  type FlowListQuestion,
  type FlowSort,
  listStatement,
  placeStatement,
  rowLimit,
  type Statement,
  type SumStatements,
  type TimeWindow,
} from '../../observe/flow-store/question.ts';
import type { Database, Row } from './duckdb.ts';
import type { Segment } from './segment.ts';

/** Characters of one answer. */
const MAX_ANSWER = 32 * 1024 * 1024;
const SUMS = 'sums';

export class FlowQuestions {
  readonly #database: Database;
  readonly #segments: readonly Segment[];
  readonly #endsAt: number;

  /** For one question, which may take so long. */
  constructor(database: Database, segments: readonly Segment[], withinMs: number) {
    this.#database = database;
    this.#segments = segments;
    this.#endsAt = performance.now() + withinMs;
  }

  /** Throws QUERY_TOO_COSTLY for an answer that is too large, and what the database throws. */
  async list(question: FlowListQuestion): Promise<StoredLog[]> {
    const places = await this.#placesOf(question);
    const found: StoredLog[] = [];
    let characters = MAX_ANSWER;
    for (const segment of this.#of(question)) {
      const limit = places.filter((place) => place.segment === segment).length;
      if (limit === 0) continue;
      const rows = await this.#ask(listStatement({ ...question, limit }, segment), characters);
      characters -= charactersOf(rows);
      for (const row of rows) found.push(logOfRow(row));
    }
    return found.sort(COMPARE[question.sort]);
  }

  /** Of the whole answer, by numbers alone. */
  async #placesOf(question: FlowListQuestion): Promise<Place[]> {
    const { sort } = question;
    const limit = rowLimit(question);
    const compare = sort === 'time' ? isEarlier : isLater;
    let places: Place[] = [];
    for (const segment of inOrderOf(sort, this.#of(question))) {
      const last = places.length < limit ? undefined : (places.at(-1) as Place);
      if (last !== undefined && !mayPrecede(segment, last, sort)) continue;
      const before =
        last === undefined || !isByTime(sort) ? {} : { before: { time: last.by, sequence: last.sequence } };
      const rows = await this.#ask(placeStatement({ ...question, ...before }, segment));
      const more = rows.map(([by, sequence]): Place => ({ segment, by: Number(by), sequence: Number(sequence) }));
      if (more.length > 0) places = [...places, ...more].sort(compare).slice(0, limit);
    }
    return places;
  }

  /** Throws what list does. */
  async sum(window: TimeWindow, { each, all }: SumStatements): Promise<Row[]> {
    const segments = this.#of(window);
    if (segments.length === 0) return [];
    try {
      for (const [index, segment] of segments.entries()) {
        const { text, values } = each(segment);
        const into = index === 0 ? `CREATE OR REPLACE TEMP TABLE ${SUMS} AS` : `INSERT INTO ${SUMS}`;
        await this.#ask({ text: `${into} ${text}`, values });
      }
      return await this.#ask(all(SUMS));
    } finally {
      await this.#database.run(`DROP TABLE IF EXISTS ${SUMS}`).catch(() => undefined);
    }
  }

  #of({ since, until }: TimeWindow): Segment[] {
    return this.#segments.filter(
      ({ oldest, newest }) =>
        oldest !== undefined &&
        newest !== undefined &&
        (since === undefined || newest >= since) &&
        (until === undefined || oldest < until),
    );
  }

  #ask(statement: Statement, characters = MAX_ANSWER): Promise<Row[]> {
    const withinMs = this.#endsAt - performance.now();
    if (withinMs > 0) return this.#database.ask(statement, { withinMs, characters });
    throw new DataplaneError('QUERY_TOO_COSTLY', 'takes too long', {
      operation: 'ask',
      target: 'stored flows',
      hint: 'ask for less time, or for fewer flows by a filter',
    });
  }
}

/** Where a flow is, and what it is sorted by. */
interface Place {
  readonly segment: Segment;
  readonly by: number;
  readonly sequence: number;
}

function isEarlier(a: Place, b: Place): number {
  return a.by - b.by || a.sequence - b.sequence;
}

function isLater(a: Place, b: Place): number {
  return isEarlier(b, a);
}

const COMPARE: Readonly<Record<FlowSort, (a: StoredLog, b: StoredLog) => number>> = {
  time: (a, b) => a.log.startTime - b.log.startTime || a.sequence - b.sequence,
  '-time': (a, b) => b.log.startTime - a.log.startTime || b.sequence - a.sequence,
  '-bytes': (a, b) => bytesOf(b) - bytesOf(a) || b.sequence - a.sequence,
  '-packets': (a, b) => packetsOf(b) - packetsOf(a) || b.sequence - a.sequence,
};

function bytesOf({ log }: StoredLog): number {
  return log.bytesIn + log.bytesOut;
}

function packetsOf({ log }: StoredLog): number {
  return log.packetsIn + log.packetsOut;
}

function isByTime(sort: FlowSort): boolean {
  return sort === 'time' || sort === '-time';
}

/** Files that have the first of the answer come first. */
function inOrderOf(sort: FlowSort, segments: readonly Segment[]): Segment[] {
  return sort === 'time' ? [...segments] : segments.toReversed();
}

/** Whether the file may have something that comes before this one. */
function mayPrecede({ oldest = 0, newest = 0 }: Segment, { by }: Place, sort: FlowSort): boolean {
  if (sort === 'time') return oldest <= by;
  return sort === '-time' ? newest >= by : true;
}

function charactersOf(rows: readonly Row[]): number {
  let characters = 0;
  for (const row of rows) for (const value of row) if (typeof value === 'string') characters += value.length;
  return characters;
}
