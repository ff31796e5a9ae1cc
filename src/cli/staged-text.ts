// What staged policies would do, as a person reads it.
import type { StagedReportData, StagedRow } from '../analysis/staged/report.ts';
import { formatTable, paint } from './output.ts';

export function describeStagedReport({ policies, rows, totals }: StagedReportData, limit: number): string {
  const lines = [
    `${totals.flows} flow reports: ${paint(`${totals.wouldDeny} would be denied`, totals.wouldDeny > 0 ? 'red' : 'green')}, ` +
      `${totals.wouldAllow} would be allowed, ${totals.unasked} that no staged policy was asked about`,
  ];
  if (policies.length > 0) {
    const header = ['STAGED POLICY', 'FLOWS', 'WOULD DENY', 'WOULD ALLOW', 'SAME', 'SINCE', 'UNTIL'];
    const table = policies.map(({ policy, flows, wouldDeny, wouldAllow, same, since, until }) => [
      policy,
      ...[flows, wouldDeny, wouldAllow, same].map(String),
      timeText(since),
      timeText(until),
    ]);
    lines.push('', formatTable(header, table));
  }
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  if (shown.length > 0) {
    const header = [
      'CHANGE',
      'FLOWS',
      'PACKETS',
      'BYTES',
      'SOURCE',
      'DESTINATION',
      'SERVICE',
      'DECIDED BY',
      'LAST',
      'SAMPLE',
    ];
    lines.push('', formatTable(header, shown.map(rowCells)));
  }
  if (shown.length < rows.length) lines.push(`... and ${rows.length - shown.length} more rows (--limit 0 shows all)`);
  if (totals.unlisted > 0) lines.push(`${totals.unlisted} flows have no row of their own: there are too many rows`);
  return lines.join('\n');
}

function rowCells(row: StagedRow): string[] {
  const { before, after, flows, packets, bytes, source, destination, service, rule, direction, last, sample } = row;
  const port = (number: number | undefined): string => (number === undefined ? '' : `:${number}`);
  return [
    paint(`${before} -> ${after}`, after === 'deny' ? 'red' : 'green'),
    ...[flows, packets, bytes].map(String),
    source,
    destination,
    service,
    `${direction} ${rule}`,
    timeText(last),
    `${sample.src}${port(sample.srcPort)} -> ${sample.dst}${port(sample.dstPort)}`,
  ];
}

export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
