// How flow logs are stored: rows of numbers, and two dictionaries for what many of them share. An end is a name with its labels, a
// trait is what policy and protocol make of a flow: both are few, so that a question about names, labels or policies is asked of
// some thousands of texts and of numbers for the rest.
import { addressKey } from '../flow-query/address-key.ts';
import { decidedBy, joinItems, labelItems, pendingAction, policiesOf, serviceOf } from '../flow-query/log-texts.ts';
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';

export type ColumnType = 'BIGINT' | 'INTEGER' | 'VARCHAR';
/** As the database takes and gives it: BIGINT as bigint. */
export type ColumnValue = bigint | number | string | null;

interface Column<T> {
  readonly name: string;
  readonly type: ColumnType;
  readonly read: (from: T) => string | number | undefined;
}

/** Of this file's tables: what is written. */
export const SCHEMA_VERSION = 3;
/** The oldest one that is read; a file with another one is not. */
const OLDEST_VERSION = 2;
export const FLOWS = 'flows';
export const ENDS = 'ends';
export const TRAITS = 'traits';
export type DictionaryName = typeof ENDS | typeof TRAITS;
export type TableName = typeof FLOWS | DictionaryName;
/** 1 or 0. Not in version 2, which does not tell which records have another end's beside them. */
export const PAIRED_COLUMN = 'paired';
/** Counts every stored log, over all files: the order in which they came. */
export const SEQUENCE_COLUMN = 'sequence';
export const ID_COLUMN = 'id';

const text = <T>(name: string, read: Column<T>['read']): Column<T> => ({ name, type: 'VARCHAR', read });
const small = <T>(name: string, read: Column<T>['read']): Column<T> => ({ name, type: 'INTEGER', read });
const large = <T>(name: string, read: Column<T>['read']): Column<T> => ({ name, type: 'BIGINT', read });

/** Behind the id. */
export const END_COLUMNS: readonly Column<FlowEnd>[] = [
  text('type', ({ type }) => type),
  text('namespace', ({ namespace }) => namespace),
  text('name', ({ name }) => name),
  text('aggregated', ({ aggregatedName }) => aggregatedName),
  text('labels', (end) => joinItems(labelItems(end))),
];

/** Behind the id. */
export const TRAIT_COLUMNS: readonly Column<FlowLog>[] = [
  text('phase', ({ phase }) => phase),
  text('node', ({ node }) => node),
  text('reporter', ({ reporter }) => reporter),
  text('action', ({ action }) => action),
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
  small(PAIRED_COLUMN, ({ isPaired }) => (isPaired ? 1 : 0)),
];

/** Ids in the dictionaries, behind the sequence number. */
export const ID_COLUMNS = ['source', 'destination', 'trait'] as const;

/** Behind the ids. */
export const FLOW_COLUMNS: readonly Column<FlowLog>[] = [
  large('start_time', ({ startTime }) => startTime),
  large('end_time', ({ endTime }) => endTime),
  // Not in the dictionary: strangers have as many as there are flows.
  text('src_address', ({ source }) => addressKey(source.address)),
  small('src_port', ({ source }) => source.port),
  text('dst_address', ({ destination }) => addressKey(destination.address)),
  small('dst_port', ({ destination }) => destination.port),
  large('packets_in', ({ packetsIn }) => packetsIn),
  large('packets_out', ({ packetsOut }) => packetsOut),
  large('bytes_in', ({ bytesIn }) => bytesIn),
  large('bytes_out', ({ bytesOut }) => bytesOut),
  large('flows_started', ({ flowsStarted }) => flowsStarted),
  large('flows_completed', ({ flowsCompleted }) => flowsCompleted),
  large('flows_live', ({ flowsLive }) => flowsLive),
];

type NamedType = Pick<Column<never>, 'name' | 'type'>;
const ID: NamedType = { name: ID_COLUMN, type: 'INTEGER' };

/** All columns of each table in their order. */
export const TABLES: Readonly<Record<TableName, readonly NamedType[]>> = {
  [FLOWS]: [
    { name: SEQUENCE_COLUMN, type: 'BIGINT' },
    ...ID_COLUMNS.map((name): NamedType => ({ name, type: 'INTEGER' })),
    ...FLOW_COLUMNS,
  ],
  [ENDS]: [ID, ...END_COLUMNS],
  [TRAITS]: [ID, ...TRAIT_COLUMNS],
};
export const TABLE_NAMES = [FLOWS, ENDS, TRAITS] as const;

/** A file of the store, attached to the database. */
export interface StoredFile {
  readonly alias: string;
  readonly version: number;
}

export function isReadable(version: number): boolean {
  return version >= OLDEST_VERSION && version <= SCHEMA_VERSION;
}

/** To select all columns of a table; what an older file does not have is NULL. */
export function allColumns(table: TableName, { version }: StoredFile): string {
  return table === TRAITS && version < SCHEMA_VERSION ? `*, NULL::INTEGER AS ${PAIRED_COLUMN}` : '*';
}

/** The tables are in the file of this alias. */
export function createTables(alias: string): string[] {
  return TABLE_NAMES.map((table) => {
    const columns = TABLES[table].map(({ name, type }) => `${name} ${type}`);
    return `CREATE TABLE ${alias}.${table} (${columns.join(', ')})`;
  });
}
