// What the demo shows, one act after the other: the truth table, an agent that is killed, an edit under an open connection.
import { performance } from 'node:perf_hooks';
import { paint } from '../../src/cli/output.ts';
import type { Stream } from '../lab/stream.ts';
import { describeDisagreements, type TruthOutcome, truthTable } from '../lab/truth-table.ts';
import { findDeciders } from './deciders.ts';
import { COLUMNS, formatMs, mark, sayDetail, saySection, truncate } from './screen.ts';
import type { Shop } from './shop.ts';

const FROM = 'api';
const TO = 'db';
const PORT = 5432;
const EDITED_FILE = '40-database.yaml';
const LINE_BEFORE = '              app: api';
const LINE_AFTER = '              app: nobody';
const NOTICE_LIMIT_MS = 3000;
/** TCP sends again at doubling intervals, so it may notice late that it may go on. */
const REVIVAL_LIMIT_MS = 5000;

/** Asks everything that the example's README promises, once per family. Returns whether all of it is so. */
export async function showTable(shop: Shop): Promise<boolean> {
  saySection('Who reaches whom, asked with real sockets (✓ an answer came, ✗ none did)');
  const { cases } = shop.example;
  const start = performance.now();
  const outcomes = await truthTable(shop.peers, cases);
  const tookMs = performance.now() - start;
  const deciders = await findDeciders(shop, cases);
  sayDetail(paint('from      to        probe      v4 v6  decided by', 'dim'));
  for (const row of groupRows(outcomes, deciders)) sayDetail(formatRow(row));
  return sayScore(outcomes, `as the README says, in ${formatMs(tookMs)}`);
}

interface Row {
  readonly outcomes: TruthOutcome[];
  readonly deciders: string[];
}

/** The two families of one question share a row; `cases` has them side by side. */
function groupRows(outcomes: readonly TruthOutcome[], deciders: readonly string[]): Row[] {
  const rows = new Map<string, Row>();
  for (const [index, outcome] of outcomes.entries()) {
    const { from, to, request } = outcome;
    const key = `${from} ${to} ${request.transport} ${request.port}`;
    const row = rows.get(key) ?? { outcomes: [], deciders: [] };
    rows.set(key, row);
    row.outcomes.push(outcome);
    row.deciders.push(deciders[index] ?? '');
  }
  return [...rows.values()];
}

function formatRow({ outcomes, deciders }: Row): string {
  const [first] = outcomes;
  if (first === undefined) return '';
  const { transport, port } = first.request;
  const probe = port === undefined ? 'ping' : `${transport} ${port}`;
  const names = `${first.from.padEnd(10)}${first.to.padEnd(10)}${probe.padEnd(11)}`;
  const marks = outcomes.map((one) => mark(one.answer.result === 'open', one.isAsExpected)).join(' ');
  // The families have rules of their own for ping; the rest of the text is the same.
  const [v4 = '', v6 = v4] = deciders;
  const decider = v4 === v6 ? v4 : `${v4.replace(/\d+$/, '')}${/\d+$/.exec(v4)?.[0]} / ${/\d+$/.exec(v6)?.[0]}`;
  return `${names}${marks}  ${truncate(decider, COLUMNS - 2 - names.length - 7)}`;
}

function sayScore(outcomes: readonly TruthOutcome[], what: string): boolean {
  const wrong = describeDisagreements(outcomes);
  const right = outcomes.length - wrong.length;
  sayDetail(paint(`${right} of ${outcomes.length} ${what}`, wrong.length === 0 ? 'green' : 'red'));
  for (const line of wrong) sayDetail(truncate(line, COLUMNS - 2));
  return wrong.length === 0;
}

/** Kills the agent under a connection, asks everything again, starts another. Returns whether nothing has changed. */
export async function showKill(shop: Shop): Promise<boolean> {
  saySection('The agent is killed (SIGKILL): what it enforced stays');
  const stream = openStream(shop);
  await stream.progress(10, NOTICE_LIMIT_MS);
  const before = await shop.agent.status();
  await shop.agent.kill();
  const isRight = sayScore(await truthTable(shop.peers, shop.example.cases), 'as before, with no agent running');
  await shop.startAgent();
  const after = await shop.agent.status();
  const last = await stream.stop();
  const isSame = before !== undefined && before.generation === after?.generation;
  sayDetail(`it took over what it found: policy generation ${before?.generation} before, ${after?.generation} after`);
  sayDetail(`an open connection: ${last.alive} answers, the longest wait for one ${formatMs(stream.longestGapMs)}`);
  return isRight && isSame && last.state === 'stopped' && !stream.reports.some((report) => report.state === 'stalled');
}

/**
 * Forbids what an open connection does, and takes it back: the connection stops, and goes on. Returns whether new connections
 * agree. Throws KERNEL if the open one does not stop, or does not go on.
 */
export async function showEdit(shop: Shop): Promise<boolean> {
  saySection(`A policy is edited under an open connection from ${FROM} to ${TO} (tcp ${PORT})`);
  const stream = openStream(shop);
  await stream.progress(10, NOTICE_LIMIT_MS);
  const before = shop.manifests.read(EDITED_FILE);
  sayDetail(paint(`- ${LINE_BEFORE}`, 'red'));
  sayDetail(`${paint(`+ ${LINE_AFTER}`, 'green')}    (${EDITED_FILE})`);

  const editedMs = performance.now();
  shop.manifests.writeText(EDITED_FILE, before.replace(LINE_BEFORE, LINE_AFTER));
  const stalled = await stream.waitFor((report) => report.state === 'stalled', NOTICE_LIMIT_MS);
  const cutMs = Math.max(0, performance.now() - editedMs - stalled.gapMs);
  const isClosed = !(await connects(shop));
  sayDetail(
    `✗ the last answer came ${formatMs(cutMs)} after the edit; a new connection gets ${isClosed ? 'none' : 'ONE'}`,
  );

  const undoneMs = performance.now();
  shop.manifests.writeText(EDITED_FILE, before);
  await stream.waitFor((report) => report.state === 'alive', REVIVAL_LIMIT_MS);
  const aliveMs = performance.now() - undoneMs;
  const isOpen = await connects(shop);
  sayDetail(
    `✓ undone, the same one goes on after ${formatMs(aliveMs)}; a new connection gets ${isOpen ? 'an answer' : 'NONE'}`,
  );
  await stream.stop();
  return isClosed && isOpen;
}

function openStream(shop: Shop): Stream {
  return shop.peer(FROM).stream({ address: shop.addressLike(TO, '0.0.0.0'), port: PORT, intervalMs: 10 });
}

async function connects(shop: Shop): Promise<boolean> {
  const address = shop.addressLike(TO, '0.0.0.0');
  return (await shop.peer(FROM).probe({ transport: 'tcp', address, port: PORT, timeoutMs: 500 })).result === 'open';
}
