// Rows of the store -> flow logs.
import { addressOfKey } from '../flow-query/address-key.ts';
import { splitItems, splitLabelItem } from '../flow-query/log-texts.ts';
import type { FlowEnd, FlowEndType, FlowLog, FlowPhase, FlowService } from '../flows/flow-log.ts';
import {
  type ColumnValue,
  END_COLUMNS,
  FLOW_COLUMNS,
  PAIRED_COLUMN,
  SEQUENCE_COLUMN,
  TRAIT_COLUMNS,
} from './schema.ts';

export interface StoredLog {
  readonly sequence: number;
  readonly log: FlowLog;
}

const END_NAMES = END_COLUMNS.map(({ name }) => name);
const TRAIT_NAMES = TRAIT_COLUMNS.map(({ name }) => name);
const NAMES: readonly string[] = [
  SEQUENCE_COLUMN,
  ...FLOW_COLUMNS.map(({ name }) => name),
  ...END_NAMES.map((name) => `src_${name}`),
  ...END_NAMES.map((name) => `dst_${name}`),
  ...TRAIT_NAMES,
];

/** What to select for logOfRow, by what the tables are called in the statement. */
export function logColumns(flow: string, source: string, destination: string, trait: string): string {
  return [SEQUENCE_COLUMN, ...FLOW_COLUMNS.map(({ name }) => name)]
    .map((name) => `${flow}.${name}`)
    .concat(
      END_NAMES.map((name) => `${source}.${name}`),
      END_NAMES.map((name) => `${destination}.${name}`),
      TRAIT_NAMES.map((name) => `${trait}.${name}`),
    )
    .join(', ');
}

/** Of a row that has the columns of logColumns. */
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
    ...(numberAt(PAIRED_COLUMN) === 1 && { isPaired: true as const }),
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
