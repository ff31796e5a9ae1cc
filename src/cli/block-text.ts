// The block list as people read it.

import type { BlockEntry, FeedInfo } from '../agent/block/block-list.ts';
import type { BlockOutcome, BlockReport, BlockStatus, BlockTest } from '../agent/block/block-service.ts';
import { describeWho } from './change-text.ts';
import { formatTable, paint } from './output.ts';

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

export function formatEntries(report: BlockReport, nowMs: number): string {
  const rows = [
    ...report.list.map((entry) => row(entry.cidr, entry, nowMs)),
    ...report.feedList.map((feed) => row(`feed ${feed.name}: ${feed.prefixes} prefixes`, feed, nowMs)),
  ];
  return [formatTable(['BLOCKED', 'AGE', 'ENDS IN', 'REASON'], rows), '', ...formatSummary(report)].join('\n');
}

/** With who blocked it, and exact times. */
export function formatWide(report: BlockReport, nowMs: number): string {
  const all = [
    ...report.list.map((entry) => ({ what: entry.cidr, ...entry })),
    ...report.feedList.map((feed) => ({ what: `feed ${feed.name}: ${feed.prefixes} prefixes`, ...feed })),
  ];
  const rows = all.map(({ what, added, until, who, reason }) => [
    what,
    age(added, nowMs),
    added,
    until ?? 'never',
    describeWho(who),
    reason ?? '',
  ]);
  const header = ['BLOCKED', 'AGE', 'SINCE', 'UNTIL', 'WHO', 'REASON'];
  return [formatTable(header, rows), '', ...formatSummary(report)].join('\n');
}

export function formatFeeds(feeds: readonly FeedInfo[], nowMs: number): string {
  const rows = feeds.map((feed) => [
    feed.name,
    String(feed.prefixes),
    String(feed.badLines),
    age(feed.added, nowMs),
    ends(feed.until, nowMs),
    feed.reason ?? '',
  ]);
  return formatTable(['FEED', 'PREFIXES', 'BAD LINES', 'AGE', 'ENDS IN', 'REASON'], rows);
}

/** Where, how much, and what is wrong; also part of `tortie status`. */
export function formatSummary({ entries, feeds, prefixes, interfaces, error, drops }: BlockStatus): string[] {
  const places = interfaces.map((one) => `${one.interface} (${one.mode ?? paint('not guarded', 'red')})`);
  const nowhere = entries + feeds === 0 ? 'nowhere' : paint('nowhere', 'red');
  const { packets, bytes } = drops.source;
  return [
    `${entries} entries, ${feeds} feeds, ${prefixes} prefixes; guarded: ${places.join(', ') || nowhere}; dropped ${packets} packets, ${bytes} bytes`,
    ...(error === null ? [] : [`${paint('not everywhere', 'red')}: ${error}`]),
  ];
}

export function describeOutcome({ added, replaced, removed, bad, badCount }: BlockOutcome): string {
  const parts = [
    ...(added > 0 ? [`${added} blocked`] : []),
    ...(replaced > 0 ? [`${replaced} were blocked, and have these terms now`] : []),
    ...(removed > 0 ? [`${removed} taken out`] : []),
  ];
  const more = badCount > bad.length ? [`and ${badCount - bad.length} more`] : [];
  const lines = bad.map(({ line, text, why }) => `  line ${line}: ${JSON.stringify(text)} ${why}`);
  return [
    parts.length === 0 ? 'nothing to do' : parts.join(', '),
    ...(badCount > 0 ? [paint(`${badCount} lines were left out:`, 'yellow'), ...lines, ...more] : []),
  ].join('\n');
}

export function describeTest({ address, isBlocked, by }: BlockTest): string {
  if (!isBlocked) return `${address} is not blocked`;
  const reasons = by.map((one) =>
    one.kind === 'entry'
      ? `  entry ${one.cidr}${one.entry.reason === null ? '' : `: ${one.entry.reason}`}`
      : `  feed ${one.feed.name}, by ${one.cidr}`,
  );
  return [`${address} is ${paint('blocked', 'red')}`, ...reasons].join('\n');
}

function row(what: string, { added, until, reason }: BlockEntry | FeedInfo, nowMs: number): string[] {
  return [what, age(added, nowMs), ends(until, nowMs), reason ?? ''];
}

function age(added: string, nowMs: number): string {
  return span(nowMs - Date.parse(added));
}

function ends(until: string | null, nowMs: number): string {
  return until === null ? 'never' : span(Date.parse(until) - nowMs);
}

/** The two greatest units. */
function span(ms: number): string {
  let left = Math.max(0, ms);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('');
}
