// Flow logs as comma-separated values (RFC 4180), one column a field; for spreadsheets, which must not run what labels say.
import type { FlowEnd, FlowLog } from '../observe/flows/flow-log.ts';
import { csvCell } from './hostile-text.ts';

type Column = readonly [name: string, read: (log: FlowLog) => string | number];

const COLUMNS: readonly Column[] = [
  ['start_time', ({ startTime }) => new Date(startTime).toISOString()],
  ['end_time', ({ endTime }) => new Date(endTime).toISOString()],
  ['phase', ({ phase }) => phase ?? ''],
  ['node', ({ node }) => node],
  ['reporter', ({ reporter }) => reporter],
  ['action', ({ action }) => action],
  ['reason', ({ reason }) => reason ?? ''],
  ...endColumns('source', ({ source }) => source),
  ...endColumns('dest', ({ destination }) => destination),
  ['protocol', ({ protocol }) => protocol],
  ['icmp_type', ({ icmpType }) => icmpType ?? ''],
  ['icmp_code', ({ icmpCode }) => icmpCode ?? ''],
  ['service', ({ service }) => (service === undefined ? '' : `${service.namespace}/${service.name}`)],
  ['service_port', ({ service }) => service?.port ?? ''],
  ['enforced', ({ enforced }) => enforced.join(' ')],
  ['pending', ({ pending }) => pending.join(' ')],
  ['state', ({ state }) => state ?? ''],
  ['tcp_flags', ({ tcpFlags }) => tcpFlags ?? ''],
  ['packets_in', ({ packetsIn }) => packetsIn],
  ['packets_out', ({ packetsOut }) => packetsOut],
  ['bytes_in', ({ bytesIn }) => bytesIn],
  ['bytes_out', ({ bytesOut }) => bytesOut],
  ['flows_started', ({ flowsStarted }) => flowsStarted],
  ['flows_completed', ({ flowsCompleted }) => flowsCompleted],
  ['flows_live', ({ flowsLive }) => flowsLive],
];

function endColumns(prefix: string, end: (log: FlowLog) => FlowEnd): Column[] {
  return [
    [`${prefix}_type`, (log) => end(log).type],
    [`${prefix}_namespace`, (log) => end(log).namespace],
    [`${prefix}_name`, (log) => end(log).name],
    [`${prefix}_address`, (log) => end(log).address],
    [`${prefix}_port`, (log) => end(log).port],
    [
      `${prefix}_labels`,
      (log) =>
        Object.entries(end(log).labels)
          .map((pair) => pair.join('='))
          .join(' '),
    ],
  ];
}

export const CSV_HEADER = COLUMNS.map(([name]) => name).join(',');

export function csvRow(log: FlowLog): string {
  return COLUMNS.map(([, read]) => csvCell(read(log))).join(',');
}
