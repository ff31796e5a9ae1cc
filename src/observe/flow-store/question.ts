// What can be asked of stored flows, and the SQL of it. Values of whoever asks are parameters; names of columns are this file's.
import type { FlowFilter } from '../flow-query/filter.ts';
import { SqlParameters, type SqlValue, sqlOf } from '../flow-query/sql.ts';
import { COLUMN_LIST, SEQUENCE_COLUMN, TABLE } from './schema.ts';

/** A time from which and one before which, in milliseconds since 1970; undefined = no bound. */
export interface TimeWindow {
  readonly since?: number;
  readonly until?: number;
}

export type FlowSort = 'time' | '-time' | '-bytes' | '-packets';
export const FLOW_SORTS: readonly FlowSort[] = ['-time', 'time', '-bytes', '-packets'];

/** Where a page in the order of time ended. */
export interface PagePlace {
  readonly time: number;
  readonly sequence: number;
}

export interface FlowListQuestion extends TimeWindow {
  readonly filter: FlowFilter;
  readonly sort: FlowSort;
  readonly limit: number;
  readonly after?: PagePlace;
}

export type TopKey = 'pair' | 'port' | 'policy' | 'reason' | 'namespace';
export const TOP_KEYS: readonly TopKey[] = ['pair', 'port', 'policy', 'reason', 'namespace'];
export type TopMeasure = 'bytes' | 'packets' | 'flows' | 'denied';
export const TOP_MEASURES: readonly TopMeasure[] = ['bytes', 'packets', 'flows', 'denied'];

export interface TopQuestion extends TimeWindow {
  readonly filter: FlowFilter;
  readonly by: TopKey;
  readonly measure: TopMeasure;
  readonly limit: number;
}

export interface GraphQuestion extends TimeWindow {
  readonly filter: FlowFilter;
  /** What one node stands for. */
  readonly nodes: 'name' | 'namespace';
  /** Edges. */
  readonly limit: number;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** A table to ask; names of files come from files.ts. */
export type Tables = readonly string[];

const MAX_PAGE = 10_000;

/** What stands for an end: `namespace/name`, or the name alone. */
const NODE = (prefix: string): string =>
  `CASE WHEN ${prefix}_namespace = '' THEN ${prefix}_aggregated ELSE ${prefix}_namespace || '/' || ${prefix}_aggregated END`;

const NAMESPACE_NODE = (prefix: string): string =>
  `CASE WHEN ${prefix}_namespace = '' THEN ${prefix}_aggregated ELSE ${prefix}_namespace END`;

/** What a group of the statistics is named by. A reason and a rule are of the end that spoke, a pair and a port of both. */
const KEYS: Readonly<Record<TopKey, Readonly<Record<string, string>>>> = {
  pair: { source: NODE('src'), destination: NODE('dst') },
  port: { protocol: 'protocol', port: 'dst_port' },
  policy: { policy: 'decided_by' },
  reason: { reason: "coalesce(reason, '')" },
  namespace: { source: NAMESPACE_NODE('src'), destination: NAMESPACE_NODE('dst') },
};

const MEASURES: Readonly<Record<TopMeasure, string>> = {
  bytes: 'bytes',
  packets: 'packets',
  flows: 'flows',
  denied: 'denied',
};

export function listStatement(question: FlowListQuestion, tables: Tables): Statement {
  const parameters = new SqlParameters();
  const { sort, after } = question;
  const conditions = [...windowConditions(question, parameters), sqlOf(question.filter, parameters)];
  if (after !== undefined) {
    const [time, sequence] = [parameters.add(after.time), parameters.add(after.sequence)];
    const mark = sort === 'time' ? '>' : '<';
    conditions.push(`(start_time, ${SEQUENCE_COLUMN}) ${mark} (${time}, ${sequence})`);
  }
  const text = `SELECT ${COLUMN_LIST} FROM (${unionOf(tables, COLUMN_LIST)})
WHERE ${conditions.join(' AND ')}
ORDER BY ${ORDERS[sort]} LIMIT ${limitOf(question)}`;
  return { text, values: parameters.values };
}

const ORDERS: Readonly<Record<FlowSort, string>> = {
  time: `start_time, ${SEQUENCE_COLUMN}`,
  '-time': `start_time DESC, ${SEQUENCE_COLUMN} DESC`,
  '-bytes': `bytes_in + bytes_out DESC, ${SEQUENCE_COLUMN} DESC`,
  '-packets': `packets_in + packets_out DESC, ${SEQUENCE_COLUMN} DESC`,
};

/**
 * Sums by key. What both ends report is counted once: where the destination's policy judged, its records say what came of
 * packets; the source's count for what it denied itself, and where nobody else reports.
 */
export function topStatement(question: TopQuestion, tables: Tables): Statement {
  const parameters = new SqlParameters();
  const keys = Object.entries(KEYS[question.by]);
  const names = keys.map(([name]) => name);
  const conditions = [...windowConditions(question, parameters), sqlOf(question.filter, parameters)];
  if (question.by === 'reason') conditions.push("reason IS NOT NULL AND reason <> ''");
  const columns = keys.map(([name, expression]) => `${expression} AS ${name}`).join(', ');
  const text = `SELECT ${names.join(', ')}, ${SUMS_OF_PAIRS} FROM (
SELECT ${columns}, ${PAIR_SUMS} FROM (${unionOf(tables, COLUMN_LIST)})
WHERE ${conditions.join(' AND ')} GROUP BY ${groupOf(keys.length, question.by)})
GROUP BY ${names.join(', ')} ORDER BY ${MEASURES[question.measure]} DESC, ${names.join(', ')}
LIMIT ${limitOf(question)}`;
  return { text, values: parameters.values };
}

/** Edges with what went over them, the busiest first. */
export function graphStatement(question: GraphQuestion, tables: Tables): Statement {
  const parameters = new SqlParameters();
  const node = question.nodes === 'name' ? NODE : NAMESPACE_NODE;
  const conditions = [...windowConditions(question, parameters), sqlOf(question.filter, parameters)];
  const text = `SELECT source, source_type, destination, destination_type, protocol, port, ${SUMS_OF_PAIRS} FROM (
SELECT ${node('src')} AS source, src_type AS source_type, ${node('dst')} AS destination, dst_type AS destination_type,
protocol, dst_port AS port, ${PAIR_SUMS} FROM (${unionOf(tables, COLUMN_LIST)})
WHERE ${conditions.join(' AND ')} GROUP BY 1, 2, 3, 4, 5, 6)
GROUP BY ALL ORDER BY bytes DESC, source, destination, protocol, port LIMIT ${limitOf(question)}`;
  return { text, values: parameters.values };
}

const PAIR_SUMS = ['dst', 'src']
  .flatMap((reporter) =>
    ['allow', 'deny'].map(
      (action) =>
        `${sum('bytes_in + bytes_out', reporter, action)} AS ${reporter}_${action}_bytes,
${sum('packets_in + packets_out', reporter, action)} AS ${reporter}_${action}_packets,
${sum('flows_started', reporter, action)} AS ${reporter}_${action}_flows`,
    ),
  )
  .join(',\n');

const SUMS_OF_PAIRS = `${measured('bytes')}, ${measured('packets')}, ${measured('flows')}, sum(dst_deny_packets + src_deny_packets)::BIGINT AS denied`;

function sum(expression: string, reporter: string, action: string): string {
  return `coalesce(sum(${expression}) FILTER (WHERE reporter = '${reporter}' AND action = '${action}'), 0)`;
}

function measured(name: string): string {
  const byDestination = `dst_allow_packets + dst_deny_packets > 0`;
  const allowed = `CASE WHEN ${byDestination} THEN dst_allow_${name} ELSE src_allow_${name} END`;
  return `sum(${allowed} + dst_deny_${name} + src_deny_${name})::BIGINT AS ${name}`;
}

/** By key and pair, because which of two reporters counts is a question of the pair. */
function groupOf(keys: number, by: TopKey): string {
  const positions = Array.from({ length: keys }, (_, index) => String(index + 1));
  const isPair = by === 'pair' || by === 'namespace';
  return [...positions, ...(isPair ? [] : ['src_namespace', 'src_aggregated', 'dst_namespace', 'dst_aggregated'])].join(
    ', ',
  );
}

/** A number of ours, whoever has asked. */
function limitOf({ limit }: { readonly limit: number }): number {
  return Math.min(Math.max(Math.trunc(limit) || 1, 1), MAX_PAGE);
}

function windowConditions({ since, until }: TimeWindow, parameters: SqlParameters): string[] {
  return [
    ...(since === undefined ? [] : [`end_time >= ${parameters.add(since)}`]),
    ...(until === undefined ? [] : [`start_time < ${parameters.add(until)}`]),
  ];
}

function unionOf(tables: Tables, columns: string): string {
  return tables.map((alias) => `SELECT ${columns} FROM ${alias}.${TABLE}`).join(' UNION ALL ');
}
