// What can be asked of stored flows, and the SQL of it, file by file: a question takes the memory of one of them, however many there
// are. Values of whoever asks are parameters; names of columns are this file's.
import type { FlowFilter } from '../flow-query/filter.ts';
import { askedName, type DictionaryAlias, FLOW, SqlParameters, type SqlValue, sqlOf } from '../flow-query/sql.ts';
import { logColumns } from './decode.ts';
import {
  allColumns,
  type DictionaryName,
  ENDS,
  FLOWS,
  ID_COLUMN,
  PAIRED_COLUMN,
  SEQUENCE_COLUMN,
  type StoredFile,
  TRAITS,
} from './schema.ts';

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
  /** Only those that come before it, in the order of time that is asked for. */
  readonly before?: PagePlace;
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

/** A table of sums is filled from one file after the other, and read. */
export interface SumStatements {
  /** Rows of that table. */
  readonly each: (file: StoredFile) => Statement;
  /** Reads the table of that name. */
  readonly all: (table: string) => Statement;
}

const MAX_PAGE = 10_000;

/** What stands for an end: `namespace/name`, or the name alone. In the dictionary, for each end once. */
const NODE = "CASE WHEN namespace = '' THEN aggregated ELSE namespace || '/' || aggregated END";
const NAMESPACE_NODE = "CASE WHEN namespace = '' THEN aggregated ELSE namespace END";
const NAMED_ENDS = `type, ${NODE} AS node, ${NAMESPACE_NODE} AS namespace_node`;

/** What a group of the statistics is named by. A reason and a rule are of the end that spoke, a pair and a port of both. */
const KEYS: Readonly<Record<TopKey, Readonly<Record<string, string>>>> = {
  pair: { source: 's.node', destination: 'd.node' },
  port: { protocol: 't.protocol', port: 'g.dst_port' },
  policy: { policy: 't.decided_by' },
  reason: { reason: "coalesce(t.reason, '')" },
  namespace: { source: 's.namespace_node', destination: 'd.namespace_node' },
};

const MEASURES: Readonly<Record<TopMeasure, string>> = {
  bytes: 'bytes',
  packets: 'packets',
  flows: 'flows',
  denied: 'denied',
};

const DICTIONARIES: Readonly<Record<DictionaryAlias, { readonly table: DictionaryName; readonly id: string }>> = {
  s: { table: ENDS, id: 'source' },
  d: { table: ENDS, id: 'destination' },
  t: { table: TRAITS, id: 'trait' },
};
const ALIASES = Object.keys(DICTIONARIES) as DictionaryAlias[];

/** Of one file: what its flows are sorted by, and their sequence numbers. */
export function placeStatement(question: FlowListQuestion, file: StoredFile): Statement {
  const parameters = new SqlParameters();
  const found = foundIn(file, question, parameters);
  const by = `${SORTED_BY[question.sort]} AS sorted_by, ${FLOW}.${SEQUENCE_COLUMN}`;
  const order = question.sort === 'time' ? 'sorted_by, sequence' : 'sorted_by DESC, sequence DESC';
  return {
    text: `SELECT ${by} FROM ${found} ORDER BY ${order} LIMIT ${rowLimit(question)}`,
    values: parameters.values,
  };
}

/** Of one file, for logOfRow. */
export function listStatement(question: FlowListQuestion, file: StoredFile): Statement {
  const parameters = new SqlParameters();
  const found = foundIn(file, question, parameters);
  const order = ORDERS[question.sort];
  const text = `SELECT ${logColumns('g', 's', 'd', 't')} FROM (
SELECT ${FLOW}.* FROM ${found} ORDER BY ${order} LIMIT ${rowLimit(question)}) g ${lookUps(file, '*')} ORDER BY ${order}`;
  return { text, values: parameters.values };
}

function foundIn(file: StoredFile, question: FlowListQuestion, parameters: SqlParameters): string {
  const { sort, after, before } = question;
  const place = `(${FLOW}.start_time, ${FLOW}.${SEQUENCE_COLUMN})`;
  const boundOf = ({ time, sequence }: PagePlace): string => `(${parameters.add(time)}, ${parameters.add(sequence)})`;
  const [later, earlier] = sort === 'time' ? ['>', '<'] : ['<', '>'];
  const more = [
    ...(after === undefined ? [] : [`${place} ${later} ${boundOf(after)}`]),
    ...(before === undefined ? [] : [`${place} ${earlier} ${boundOf(before)}`]),
  ];
  return chosenFrom(file, question, question.filter, parameters, more);
}

const SORTED_BY: Readonly<Record<FlowSort, string>> = {
  time: `${FLOW}.start_time`,
  '-time': `${FLOW}.start_time`,
  '-bytes': `${FLOW}.bytes_in + ${FLOW}.bytes_out`,
  '-packets': `${FLOW}.packets_in + ${FLOW}.packets_out`,
};

const ORDERS: Readonly<Record<FlowSort, string>> = {
  time: `start_time, ${SEQUENCE_COLUMN}`,
  '-time': `start_time DESC, ${SEQUENCE_COLUMN} DESC`,
  '-bytes': `bytes_in + bytes_out DESC, ${SEQUENCE_COLUMN} DESC`,
  '-packets': `packets_in + packets_out DESC, ${SEQUENCE_COLUMN} DESC`,
};

/** Sums by key. What both ends report is counted once. */
export function topStatements(question: TopQuestion): SumStatements {
  const { by, measure } = question;
  const keys = KEYS[by];
  // Which records are of the same packets is a question of the pair.
  const isPair = by === 'pair' || by === 'namespace';
  const columns = isPair ? keys : { ...keys, pair_source: 's.node', pair_destination: 'd.node' };
  const names = Object.keys(keys).join(', ');
  return {
    each: (file) => sumStatement(question, file, columns, by === 'reason' ? DENIED : []),
    all: (table) => ({
      text: `SELECT ${names}, ${SUMS_OF_PAIRS} FROM (${sumsOfFiles(table, columns)})
GROUP BY ${names} ORDER BY ${MEASURES[measure]} DESC, ${names} LIMIT ${rowLimit(question)}`,
      values: [],
    }),
  };
}

/** Edges with what went over them, the busiest first. */
export function graphStatements(question: GraphQuestion): SumStatements {
  const node = question.nodes === 'name' ? 'node' : 'namespace_node';
  const columns = {
    source: `s.${node}`,
    source_type: 's.type',
    destination: `d.${node}`,
    destination_type: 'd.type',
    protocol: 't.protocol',
    port: 'g.dst_port',
  };
  const names = Object.keys(columns).join(', ');
  return {
    each: (file) => sumStatement(question, file, columns, []),
    all: (table) => ({
      text: `SELECT ${names}, ${SUMS_OF_PAIRS} FROM (${sumsOfFiles(table, columns)})
GROUP BY ${names} ORDER BY bytes DESC, source, destination, protocol, port LIMIT ${rowLimit(question)}`,
      values: [],
    }),
  };
}

const DENIED: readonly FlowFilter[] = [{ kind: 'not', operand: { kind: 'text', field: 'reason', pattern: '' } }];

type NamedExpressions = Readonly<Record<string, string>>;

/** Of one file: sums by numbers of the dictionaries, which are few; then what those stand for. */
function sumStatement(
  question: TopQuestion | GraphQuestion,
  file: StoredFile,
  columns: NamedExpressions,
  conditions: readonly FlowFilter[],
): Statement {
  const parameters = new SqlParameters();
  const filter: FlowFilter = { kind: 'and', operands: [question.filter, ...conditions] };
  const hasPort = Object.values(columns).includes('g.dst_port');
  const keys = [...ALIASES.map((one) => DICTIONARIES[one].id), ...(hasPort ? ['dst_port'] : [])]
    .map((name) => `${FLOW}.${name}`)
    .join(', ');
  const groups = `SELECT ${keys}, sum(bytes_in + bytes_out) AS bytes, sum(packets_in + packets_out) AS packets,
sum(flows_started) AS flows FROM ${chosenFrom(file, question, filter, parameters, [])} GROUP BY ${keys}`;
  const named = Object.entries({ ...columns, ...SPOKEN }).map(([name, expression]) => `${expression} AS ${name}`);
  const positions = named.map((_, index) => index + 1).join(', ');
  const sums = SUMMED.map((name) => `sum(g.${name})::BIGINT AS ${name}`).join(', ');
  const ends = lookUps(file, `${ID_COLUMN}, ${NAMED_ENDS}`);
  return {
    text: `SELECT ${named.join(', ')}, ${sums} FROM (${groups}) g ${ends} GROUP BY ${positions}`,
    values: parameters.values,
  };
}

function sumsOfFiles(table: string, columns: NamedExpressions): string {
  const names = Object.keys(columns).join(', ');
  return `SELECT ${names}, ${PAIR_SUMS} FROM ${table} GROUP BY ${names}`;
}

/** The flows of a file that the question is about: tables, with what is asked of dictionaries, and conditions. */
function chosenFrom(
  { alias: file }: StoredFile,
  { since, until }: TimeWindow,
  filter: FlowFilter,
  parameters: SqlParameters,
  more: readonly string[],
): string {
  const { where, asked } = sqlOf(filter, parameters);
  const joins = ALIASES.filter((alias) => asked[alias].length > 0).map((alias) => {
    const { table, id } = DICTIONARIES[alias];
    const answers = asked[alias].map((expression, place) => `${expression} AS ${askedName(place)}`).join(', ');
    const rows = `SELECT ${ID_COLUMN}, ${answers} FROM ${file}.${table}`;
    return ` JOIN (${rows}) ${alias} ON ${alias}.${ID_COLUMN} = ${FLOW}.${id}`;
  });
  const conditions = [
    ...(since === undefined ? [] : [`${FLOW}.end_time >= ${parameters.add(since)}`]),
    ...(until === undefined ? [] : [`${FLOW}.start_time < ${parameters.add(until)}`]),
    ...more,
    where,
  ];
  return `${file}.${FLOWS} ${FLOW}${joins.join('')} WHERE ${conditions.join(' AND ')}`;
}

/** What the numbers of rows `g` stand for; of ends so much. */
function lookUps(file: StoredFile, ofEnds: string): string {
  return ALIASES.map((alias) => {
    const { table, id } = DICTIONARIES[alias];
    const columns = table === ENDS ? ofEnds : allColumns(table, file);
    const rows = `SELECT ${columns} FROM ${file.alias}.${table}`;
    return `JOIN (${rows}) ${alias} ON ${alias}.${ID_COLUMN} = g.${id}`;
  }).join(' ');
}

/** Who spoke, how, and whether the other end's record tells of it too: columns of the table of sums. */
const SPOKEN = { reporter: 't.reporter', action: 't.action', paired: `t.${PAIRED_COLUMN}` } as const;
const SUMMED = ['bytes', 'packets', 'flows'] as const;

/** Columns of sums over pairs, by what their names begin with. */
const PARTS = {
  // All that is told by one record.
  single: 'paired = 0',
  paired_src: "paired = 1 AND reporter = 'src'",
  paired_dst: "paired = 1 AND reporter = 'dst'",
  // Of files that do not tell.
  unknown_src: "paired IS NULL AND reporter = 'src' AND action = 'allow'",
  unknown_dst: "paired IS NULL AND reporter = 'dst'",
  unknown_src_denied: "paired IS NULL AND reporter = 'src' AND action = 'deny'",
  denied: "action = 'deny'",
} as const;

const PAIR_SUMS = Object.entries(PARTS)
  .flatMap(([part, holds]) =>
    SUMMED.map((name) => `coalesce(sum(${name}) FILTER (WHERE ${holds}), 0) AS ${part}_${name}`),
  )
  .join(',\n');

const SUMS_OF_PAIRS = `${SUMMED.map(measured).join(', ')}, sum(denied_packets)::BIGINT AS denied`;

/**
 * Of two records of the same packets one counts; the filter may have let only one of them through, and a group have only one. Where
 * nobody knows, the source's count if the destination told nothing, besides what the source denied itself.
 */
function measured(name: string): string {
  const paired = `greatest(paired_src_${name}, paired_dst_${name})`;
  const allowed = `CASE WHEN unknown_dst_packets > 0 THEN 0 ELSE unknown_src_${name} END`;
  const unknown = `${allowed} + unknown_dst_${name} + unknown_src_denied_${name}`;
  return `sum(single_${name} + ${paired} + ${unknown})::BIGINT AS ${name}`;
}

/** A number of ours, whoever has asked. */
export function rowLimit({ limit }: { readonly limit: number }): number {
  return Math.min(Math.max(Math.trunc(limit) || 1, 1), MAX_PAGE);
}
