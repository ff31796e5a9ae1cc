// tortie history, rollback, confirm, export, import: how the agent's store came to what it holds, and the way back.
import type { Command } from 'commander';
import type { HistoryEntry } from '../../agent/store/history.ts';
import { DataplaneError } from '../../base/errors.ts';
import { describeChange, describeWho } from '../change-text.ts';
import { visibleText } from '../hostile-text.ts';
import { readTexts } from '../object-files.ts';
import { addChangeOptions, type ChangeOptions, changeFlags } from '../object-options.ts';
import { argumentOf, outputOption, socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, print, printData, printWarning } from '../output.ts';
import { type ChangeReport, type HistoryPage, ResourceClient } from '../resource-client.ts';
import { unifiedDiff } from '../text-diff.ts';
import { describeTraffic } from '../traffic-text.ts';

interface HistoryFlags {
  readonly socket: string;
  readonly output: OutputFormat;
}

interface ShowFlags extends HistoryFlags {
  readonly limit: number;
  readonly traffic?: true;
  readonly window: string;
}

type ReportFlags = ChangeOptions & { readonly output: OutputFormat };

const PAGE = 500;
const SHOWN_OBJECTS = 10;

export function fillHistoryCommand(command: Command): void {
  command
    .option('--limit <n>', 'how many; 0 = all', wholeNumber(0), 20)
    .option('--traffic', 'of one revision: what its policies decided before it and after it, from stored flows')
    .option('--window <time>', 'of --traffic, before and after: 90s, 30m, 1h, 7d', '1h')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(showHistory);
}

export function fillRollbackCommand(command: Command): void {
  addChangeOptions(command)
    .addOption(outputOption())
    .action(async (revision: string, flags: ReportFlags) => {
      await report(await new ResourceClient(flags.socket).rollBack(revision, changeFlags(flags)), flags);
    });
}

export function fillConfirmCommand(command: Command): void {
  argumentOf(command, 'revision').description = 'that apply named; the one that waits unless given';
  command.addOption(socketOption()).action(async (revision: string | undefined, { socket }: HistoryFlags) => {
    const client = new ResourceClient(socket);
    const confirmed = revision ?? String((await client.pending())?.revision ?? nothingPending());
    await client.confirm(confirmed);
    print(`revision ${confirmed} is confirmed`);
  });
}

function noRevision(): DataplaneError {
  return new DataplaneError('USAGE', 'is told of one revision', {
    operation: 'history',
    target: '--traffic',
    expected: 'tortie history REVISION --traffic',
  });
}

function nothingPending(): never {
  throw new DataplaneError('NOT_FOUND', 'nothing waits to be confirmed', {
    operation: 'confirm',
    target: 'change',
    hint: 'a change that was not confirmed in time is undone: see tortie history',
  });
}

export function fillExportCommand(command: Command): void {
  command
    .addOption(socketOption())
    .action(async ({ socket }: HistoryFlags) => print((await new ResourceClient(socket).exportAll()).trimEnd()));
}

export function fillImportCommand(command: Command): void {
  command.requiredOption('-f, --filename <path>', 'what tortie export has written; - = standard input');
  addChangeOptions(command)
    .addOption(outputOption())
    .action(async (flags: ReportFlags & { filename: string }) => {
      const yaml = readTexts({ filename: [flags.filename] }).map(({ text }) => text);
      const change = await new ResourceClient(flags.socket).importAll(yaml.join('\n---\n'), changeFlags(flags));
      for (const { id, reason } of change.skipped ?? []) printWarning(visibleText(`${id} is skipped: ${reason}`));
      await report(change, flags);
    });
}

async function showHistory(revision: string | undefined, flags: ShowFlags): Promise<void> {
  const client = new ResourceClient(flags.socket);
  if (flags.traffic === true) {
    if (revision === undefined) throw noRevision();
    const traffic = await client.changeTraffic(revision, flags.window);
    const { who, verb } = await client.historyEntry(revision);
    await printData({ who, verb, ...traffic }, flags.output, () => describeTraffic(traffic, verb, describeWho(who)));
    return;
  }
  if (revision !== undefined) {
    const entry = await client.historyEntry(revision);
    const yaml = await import('yaml');
    const write = (object: unknown): string => yaml.stringify(object, { aliasDuplicateObjects: false });
    await printData(entry, flags.output, () => describeEntry(entry, write));
    return;
  }
  const items = await readHistory(client, flags.limit);
  const rows = items.map((item) => [
    String(item.revision),
    item.time,
    describeWho(item.who),
    item.target === undefined ? item.verb : `${item.verb} to ${item.target}`,
    describeObjects(item.changes),
  ]);
  await printData(items, flags.output, () => formatTable(['REVISION', 'TIME', 'WHO', 'VERB', 'OBJECTS'], rows));
}

/** A directory that is exchanged as a whole has more objects than a line takes. */
function describeObjects(changes: HistoryPage['items'][number]['changes']): string {
  const shown = changes.slice(0, SHOWN_OBJECTS).map(({ id, result }) => `${id} ${result}`);
  const more = changes.length - shown.length;
  return [...shown, ...(more === 0 ? [] : [`and ${more} more`])].join(', ');
}

async function readHistory(client: ResourceClient, limit: number): Promise<readonly HistoryPage['items'][number][]> {
  const items: HistoryPage['items'][number][] = [];
  for (let from: string | undefined; ; ) {
    const page = await client.history(limit === 0 ? PAGE : Math.min(PAGE, limit - items.length), from);
    items.push(...page.items);
    from = page.metadata.continue;
    if (from === undefined || (limit > 0 && items.length >= limit)) return items;
  }
}

/** Every object as it was and as it became, in the text that `write` makes of an object. */
function describeEntry(
  { revision, time, who, from, verb, confirmBy, confirmed, confirmedBy, changes }: HistoryEntry,
  write: (object: unknown) => string,
): string {
  const text = (object: unknown): string => (object === undefined || object === null ? '' : write(object));
  const by = confirmedBy === undefined ? '' : ` by ${describeWho(confirmedBy)}`;
  const confirmation =
    confirmBy === undefined
      ? []
      : [confirmed === undefined ? `to be confirmed until ${confirmBy}` : `confirmed ${confirmed}${by}`];
  return [
    `revision ${revision}: ${verb} by ${describeWho(who)}${describePlace(from)}, ${time}`,
    ...confirmation,
    ...changes.map(({ id, before, after }) => unifiedDiff(text(before), text(after), id)),
  ].join('\n');
}

function describePlace({ socket, address, files }: HistoryEntry['from']): string {
  if (files !== undefined) return ` in ${files.join(', ')}`;
  const place = socket ?? address;
  return place === undefined ? '' : ` through ${place}`;
}

async function report(change: ChangeReport, { output }: ReportFlags): Promise<void> {
  await printData(change, output, () => describeChange(change));
}
