// What traffic a change affected, as a person reads it.
import type { ChangeTraffic } from '../agent/store/change-traffic.ts';
import type { DecidedTraffic } from '../analysis/staged/affected.ts';
import { formatTable } from './output.ts';
import { timeText } from './staged-text.ts';

const SHOWN = 50;

export function describeTraffic(traffic: ChangeTraffic, verb: string, who: string): string {
  const { revision, time, windowMs, policies, turned, total, records, isComplete } = traffic;
  const at = Date.parse(time);
  const header = ['POLICY', 'BEFORE: ALLOWED', 'DENIED', 'AFTER: ALLOWED', 'DENIED'];
  const rows = [...policies, { policy: 'everything', ...total }].map(({ policy, before, after }) => [
    policy,
    ...cells(before),
    ...cells(after),
  ]);
  const shown = turned.slice(0, SHOWN);
  return [
    `revision ${revision}: ${verb} by ${who}, ${time}`,
    `flows from ${timeText(at - windowMs)} to ${timeText(at + windowMs)}: ${records.before} records before, ${records.after} after`,
    '',
    formatTable(header, rows),
    ...(shown.length === 0 ? ['', 'no pair was judged otherwise after it'] : ['', turnedTable(shown)]),
    ...(turned.length > shown.length ? [`... and ${turned.length - shown.length} more pairs (-o json has them)`] : []),
    ...(isComplete ? [] : ['there are more records than are looked at: counts are of the first of each time']),
  ].join('\n');
}

function turnedTable(turned: ChangeTraffic['turned']): string {
  const rows = turned.map(({ source, destination, service, from, to, flows }) => [
    `${from} -> ${to}`,
    String(flows),
    source,
    destination,
    service,
  ]);
  return formatTable(['TURNED', 'FLOWS AFTER', 'SOURCE', 'DESTINATION', 'SERVICE'], rows);
}

/** Flows with their bytes. */
function cells({ allowed, denied }: DecidedTraffic): string[] {
  return [allowed, denied].map(({ flows, bytes }) => `${flows} (${bytes} B)`);
}
