// tortie history, rollback, confirm, export, import: how the agent's store came to what it holds, and the way back.
import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { HistoryEntry } from '../../agent/store/history.ts';
import { describeChange, describeWho } from '../change-text.ts';
import { readTexts } from '../object-files.ts';
import { addChangeOptions, type ChangeOptions, changeFlags } from '../object-options.ts';
import { outputOption, socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, print, printData } from '../output.ts';
import { type ChangeReport, type HistoryPage, ResourceClient } from '../resource-client.ts';
import { unifiedDiff } from '../text-diff.ts';

interface HistoryFlags {
  readonly socket: string;
  readonly output: OutputFormat;
}

type ReportFlags = ChangeOptions & { readonly output: OutputFormat };

const PAGE = 500;

export function addHistoryCommands(program: Command): void {
  program
    .command('history [revision]')
    .description(
      'changes of the store, the latest first: who made them, when, to which objects; or one of them in full',
    )
    .option('--limit <n>', 'how many; 0 = all', wholeNumber(0), 20)
    .addOption(socketOption())
    .addOption(outputOption())
    .action(showHistory);
  addChangeOptions(
    program
      .command('rollback <revision>')
      .description('bring the store back to what it was at a revision; that is a new revision'),
  )
    .addOption(outputOption())
    .action(async (revision: string, flags: ReportFlags) => {
      report(await new ResourceClient(flags.socket).rollBack(revision, changeFlags(flags)), flags);
    });
  program
    .command('confirm <revision>')
    .description('keep a change that was made with --confirm')
    .addOption(socketOption())
    .action(async (revision: string, { socket }: HistoryFlags) => {
      await new ResourceClient(socket).confirm(revision);
      print(`revision ${revision} is confirmed`);
    });
  program
    .command('export')
    .description('everything in force, of the store and of manifest files, as a YAML stream')
    .addOption(socketOption())
    .action(async ({ socket }: HistoryFlags) => print((await new ResourceClient(socket).exportAll()).trimEnd()));
  addChangeOptions(
    program
      .command('import')
      .description('make the store hold exactly the objects of a file, as one change: others are deleted')
      .requiredOption('-f, --filename <path>', 'what tortie export has written; - = standard input'),
  )
    .addOption(outputOption())
    .action(async (flags: ReportFlags & { filename: string }) => {
      const yaml = readTexts({ filename: [flags.filename] }).map(({ text }) => text);
      report(await new ResourceClient(flags.socket).importAll(yaml.join('\n---\n'), changeFlags(flags)), flags);
    });
}

async function showHistory(revision: string | undefined, flags: HistoryFlags & { limit: number }): Promise<void> {
  const client = new ResourceClient(flags.socket);
  if (revision !== undefined) {
    const entry = await client.historyEntry(revision);
    printData(entry, flags.output, () => describeEntry(entry));
    return;
  }
  const items = await readHistory(client, flags.limit);
  const rows = items.map((item) => [
    String(item.revision),
    item.time,
    describeWho(item.who),
    item.target === undefined ? item.verb : `${item.verb} to ${item.target}`,
    item.changes.map(({ id, result }) => `${id} ${result}`).join(', '),
  ]);
  printData(items, flags.output, () => formatTable(['REVISION', 'TIME', 'WHO', 'VERB', 'OBJECTS'], rows));
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

/** Every object as it was and as it became. */
function describeEntry({ revision, time, who, from, verb, confirmBy, confirmed, changes }: HistoryEntry): string {
  const confirmation =
    confirmBy === undefined
      ? []
      : [confirmed === undefined ? `to be confirmed until ${confirmBy}` : `confirmed ${confirmed}`];
  const place = from.socket ?? from.address;
  return [
    `revision ${revision}: ${verb} by ${describeWho(who)}${place === undefined ? '' : ` through ${place}`}, ${time}`,
    ...confirmation,
    ...changes.map(({ id, before, after }) => unifiedDiff(text(before), text(after), id)),
  ].join('\n');
}

function text(object: unknown): string {
  return object === undefined || object === null ? '' : stringify(object, { aliasDuplicateObjects: false });
}

function report(change: ChangeReport, { output }: ReportFlags): void {
  printData(change, output, () => describeChange(change));
}
