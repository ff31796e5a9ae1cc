// Flow logs for people: rows of a table whose columns stay where they are while more come.
import { fieldsOf, pendingAction } from '../observe/flow-query/log-texts.ts';
import type { FlowEnd, FlowLog } from '../observe/flows/flow-log.ts';
import { visibleText } from './hostile-text.ts';
import { paint } from './output.ts';

/** A record as the agent answers it: what is not stored has no id. */
type ListedLog = FlowLog & { readonly id?: string };

const HEADER = ['TIME', 'VERDICT', 'BY', 'PROTO', 'SOURCE', 'DESTINATION', 'BYTES', 'PACKETS', 'FLOWS', 'RULE'];
/** Of columns whose cells come later. */
const LEAST = [23, 7, 3, 5, 24, 28, 8, 7, 5, 0];
const LEAST_ID = 18;

/** Writes rows under one header, as wide as the widest so far. */
export class FlowTable {
  readonly #isWide: boolean;
  readonly #widths: number[];
  #hasHeader = false;

  /** Wide = with the id of each, before all else. */
  constructor(isWide = false) {
    this.#isWide = isWide;
    this.#widths = isWide ? [LEAST_ID, ...LEAST] : [...LEAST];
  }

  /** Lines of these logs, behind those before. */
  add(logs: readonly ListedLog[]): string[] {
    const rows = logs.map((log) => (this.#isWide ? [visibleText(log.id ?? '-'), ...rowOf(log)] : rowOf(log)));
    for (const row of rows) {
      for (const [column, cell] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] as number, cell.length);
      }
    }
    const lines = rows.map((row, index) => this.#line(row, logs[index] as FlowLog));
    if (this.#hasHeader) return lines;
    this.#hasHeader = true;
    return [this.#line(this.#isWide ? ['ID', ...HEADER] : HEADER), ...lines];
  }

  #line(row: readonly string[], log?: FlowLog): string {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(this.#widths[column] as number),
    );
    const verdict = this.#isWide ? 2 : 1;
    if (log !== undefined) cells[verdict] = paint(cells[verdict] as string, log.action === 'allow' ? 'green' : 'red');
    return cells.join('  ').trimEnd();
  }
}

function rowOf(log: FlowLog): string[] {
  const { startTime, action, reporter, protocol, source, destination } = log;
  const cells = [
    new Date(startTime).toISOString().slice(0, 23).replace('T', ' '),
    action,
    reporter,
    log.icmpType === undefined ? protocol : `${protocol} ${log.icmpType}/${log.icmpCode ?? 0}`,
    endText(source),
    endText(destination),
    formatBytes(log.bytesIn + log.bytesOut),
    String(log.packetsIn + log.packetsOut),
    String(log.flowsStarted),
    decisionText(log),
  ];
  return cells.map(visibleText);
}

/** `namespace/name:port`, or the address of what has no name. */
export function endText({ type, namespace, name, aggregatedName, address, port }: FlowEnd): string {
  const called = name === '' ? aggregatedName : name;
  const isBare = called === '' || (type === 'net' && address !== '');
  const place = isBare ? address : namespace === '' ? called : `${namespace}/${called}`;
  if (port === 0) return place;
  return isBare && place.includes(':') ? `[${place}]:${port}` : `${place}:${port}`;
}

/** Tier, policy and rule that decided, why it was dropped, and what staged policies would have made of it. */
export function decisionText(log: FlowLog): string {
  const rule = ruleText(log.enforced.at(-1));
  const pending = pendingAction(log);
  return [
    ...(rule === '' ? [] : [rule]),
    ...(log.reason === undefined ? [] : [`(${log.reason})`]),
    ...(pending === '' || pending === log.action ? [] : [`[staged: ${pending} by ${ruleText(log.pending.at(-1))}]`]),
  ].join(' ');
}

/** `tier default policy shop/allow-web rule 0` of a trace's entry. */
export function ruleText(entry: string | undefined): string {
  const fields = fieldsOf(entry);
  if (fields === undefined) return entry ?? '';
  const { tier, kind, policy, rule } = fields;
  return `${tier} ${kind}:${policy} ${rule === '-1' ? 'default' : `rule ${rule}`}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Three digits and a unit of powers of ten. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${UNITS[unit]}`;
}
