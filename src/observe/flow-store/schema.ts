// A stored flow log: columns, and the way there and back. Names that many rows share stand in columns of their own, because the
// store keeps each once for thousands of rows; labels and traces are one text a row for the same reason.
import { addressKey, addressOfKey } from '../flow-query/address-key.ts';
import {
  decidedBy,
  joinItems,
  labelItems,
  pendingAction,
  policiesOf,
  serviceOf,
  splitItems,
  splitLabelItem,
} from '../flow-query/log-texts.ts';
import type { FlowEnd, FlowEndType, FlowLog, FlowPhase, FlowService } from '../flows/flow-log.ts';

export type ColumnType = 'BIGINT' | 'INTEGER' | 'VARCHAR';
/** As the database takes and gives it: BIGINT as bigint. */
export type ColumnValue = bigint | number | string | null;

interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly read: (log: FlowLog) => string | number | undefined;
}

export const TABLE = 'flows';
/** Of this file's columns; another one in a file means that it is not read. */
export const SCHEMA_VERSION = 1;
/** Counts every stored log, over all files: the order in which they came. */
export const SEQUENCE_COLUMN = 'sequence';

const text = (name: string, read: Column['read']): Column => ({ name, type: 'VARCHAR', read });
const small = (name: string, read: Column['read']): Column => ({ name, type: 'INTEGER', read });
const large = (name: string, read: Column['read']): Column => ({ name, type: 'BIGINT', read });

/** Behind the sequence number. */
const COLUMNS: readonly Column[] = [
  large('start_time', ({ startTime }) => startTime),
  large('end_time', ({ endTime }) => endTime),
  text('phase', ({ phase }) => phase),
  text('node', ({ node }) => node),
  text('reporter', ({ reporter }) => reporter),
  text('action', ({ action }) => action),
  ...columnsOfEnd('src', ({ source }) => source),
  ...columnsOfEnd('dst', ({ destination }) => destination),
  text('protocol', ({ protocol }) => protocol),
  small('icmp_type', ({ icmpType }) => icmpType),
  small('icmp_code', ({ icmpCode }) => icmpCode),
  text('service', serviceOf),
  text('service_port_name', ({ service }) => service?.portName),
  small('service_port', ({ service }) => service?.port),
  text('enforced', ({ enforced }) => joinItems(enforced)),
  text('pending', ({ pending }) => joinItems(pending)),
  text('policies', (log) => joinItems(policiesOf(log))),
  text('decided_by', decidedBy),
  text('pending_action', pendingAction),
  text('reason', ({ reason }) => reason),
  text('state', ({ state }) => state),
  small('tcp_flags', ({ tcpFlags }) => tcpFlags),
  large('packets_in', ({ packetsIn }) => packetsIn),
  large('packets_out', ({ packetsOut }) => packetsOut),
  large('bytes_in', ({ bytesIn }) => bytesIn),
  large('bytes_out', ({ bytesOut }) => bytesOut),
  large('flows_started', ({ flowsStarted }) => flowsStarted),
  large('flows_completed', ({ flowsCompleted }) => flowsCompleted),
  large('flows_live', ({ flowsLive }) => flowsLive),
];

function columnsOfEnd(prefix: string, end: (log: FlowLog) => FlowEnd): Column[] {
  return [
    text(`${prefix}_type`, (log) => end(log).type),
    text(`${prefix}_namespace`, (log) => end(log).namespace),
    text(`${prefix}_name`, (log) => end(log).name),
    text(`${prefix}_aggregated`, (log) => end(log).aggregatedName),
    text(`${prefix}_address`, (log) => addressKey(end(log).address)),
    small(`${prefix}_port`, (log) => end(log).port),
    text(`${prefix}_labels`, (log) => joinItems(labelItems(end(log)))),
  ];
}

/** Types of all columns in their order. */
export const COLUMN_TYPES: readonly ColumnType[] = ['BIGINT', ...COLUMNS.map(({ type }) => type)];
const NAMES: readonly string[] = [SEQUENCE_COLUMN, ...COLUMNS.map(({ name }) => name)];
/** Of a SELECT whose rows logOfRow takes. */
export const COLUMN_LIST = NAMES.join(', ');

/** The table is in the file of this alias. */
export function createTable(alias: string): string {
  const columns = NAMES.map((name, index) => `${name} ${COLUMN_TYPES[index]}`);
  return `CREATE TABLE ${alias}.${TABLE} (${columns.join(', ')})`;
}

/** Values by column, for logs of which the first gets this sequence number. */
export function columnsOf(logs: readonly FlowLog[], firstSequence: number): ColumnValue[][] {
  const sequence = logs.map((_, index) => BigInt(firstSequence + index));
  return [
    sequence,
    ...COLUMNS.map(({ type, read }) =>
      logs.map((log): ColumnValue => {
        const value = read(log);
        if (value === undefined) return null;
        return type === 'BIGINT' ? wholeOf(value) : typeof value === 'string' ? storableText(value) : value;
      }),
    ),
  ];
}

/** Counts are whole and not negative; what is no number at all must not cost the other rows. */
function wholeOf(value: string | number): bigint {
  const number = Math.trunc(Number(value));
  return Number.isSafeInteger(number) ? BigInt(number) : 0n;
}

/** NUL ends a text for some who read the files. Text has no lone surrogates in UTF-8. */
function storableText(value: string): string {
  return value.replaceAll(/\p{Surrogate}|\0/gu, '\ufffd');
}

export interface StoredLog {
  readonly sequence: number;
  readonly log: FlowLog;
}

export function logOfRow(values: readonly ColumnValue[]): StoredLog {
  const row = new Map(NAMES.map((name, index) => [name, values[index] ?? null]));
  const textAt = (name: string): string => String(row.get(name) ?? '');
  const numberAt = (name: string): number => Number(row.get(name) ?? 0);
  const optional = <T>(name: string, key: string, as: (value: ColumnValue) => T): Record<string, T> => {
    const value = row.get(name) ?? null;
    return value === null ? {} : { [key]: as(value) };
  };
  const log = {
    startTime: numberAt('start_time'),
    endTime: numberAt('end_time'),
    ...optional('phase', 'phase', (value) => value as FlowPhase),
    node: textAt('node'),
    reporter: textAt('reporter') as FlowLog['reporter'],
    action: textAt('action') as FlowLog['action'],
    source: endOf('src', textAt, numberAt),
    destination: endOf('dst', textAt, numberAt),
    protocol: textAt('protocol'),
    ...optional('icmp_type', 'icmpType', Number),
    ...optional('icmp_code', 'icmpCode', Number),
    ...serviceAt(textAt, numberAt),
    enforced: splitItems(textAt('enforced')),
    pending: splitItems(textAt('pending')),
    ...optional('reason', 'reason', String),
    ...optional('state', 'state', String),
    ...optional('tcp_flags', 'tcpFlags', Number),
    packetsIn: numberAt('packets_in'),
    packetsOut: numberAt('packets_out'),
    bytesIn: numberAt('bytes_in'),
    bytesOut: numberAt('bytes_out'),
    flowsStarted: numberAt('flows_started'),
    flowsCompleted: numberAt('flows_completed'),
    flowsLive: numberAt('flows_live'),
  };
  return { sequence: numberAt(SEQUENCE_COLUMN), log };
}

type Read<T> = (name: string) => T;

function endOf(prefix: string, textAt: Read<string>, numberAt: Read<number>): FlowEnd {
  const labels = splitItems(textAt(`${prefix}_labels`)).flatMap((item) => {
    const pair = splitLabelItem(item);
    return pair === undefined ? [] : [pair];
  });
  return {
    type: textAt(`${prefix}_type`) as FlowEndType,
    namespace: textAt(`${prefix}_namespace`),
    name: textAt(`${prefix}_name`),
    aggregatedName: textAt(`${prefix}_aggregated`),
    address: addressOfKey(textAt(`${prefix}_address`)),
    port: numberAt(`${prefix}_port`),
    labels: Object.fromEntries(labels),
  };
}

function serviceAt(textAt: Read<string>, numberAt: Read<number>): { service?: FlowService } {
  const whole = textAt('service');
  if (whole === '') return {};
  const slash = whole.indexOf('/');
  return {
    service: {
      namespace: whole.slice(0, slash),
      name: whole.slice(slash + 1),
      portName: textAt('service_port_name'),
      port: numberAt('service_port'),
    },
  };
}
