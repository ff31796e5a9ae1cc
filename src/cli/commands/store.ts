// tortie store: what the agent's own store holds, and how it came to that. What is
// stored, and when a change is refused, is the agent's business.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Who } from '../../agent/store/actor.ts';
import { outputOption, socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, print, printData } from '../output.ts';
import { type ChangeFlags, type ChangeReport, ResourceClient } from '../resource-client.ts';

interface StoreFlags {
  readonly socket: string;
  readonly output: OutputFormat;
}

interface ChangeOptions extends StoreFlags {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly confirm?: string;
}

const STANDARD_INPUT = 0;

export function addStoreCommand(program: Command): void {
  const store = program
    .command('store')
    .description('objects that the agent keeps itself, beside its directory of manifests');
  changing(store.command('apply'))
    .description("create or change every object of a YAML file in the agent's store, as one change")
    .requiredOption('-f, --filename <file>', 'YAML stream of objects; - = standard input')
    .action(async (flags: ChangeOptions & { filename: string }) => {
      const yaml = readFileSync(flags.filename === '-' ? STANDARD_INPUT : flags.filename, 'utf8');
      report(await new ResourceClient(flags.socket).applyAll(yaml, changeFlags(flags)), flags);
    });
  changing(store.command('rollback <revision>'))
    .description("bring the agent's store back to what it was at a revision; that is a new revision")
    .action(async (revision: string, flags: ChangeOptions) => {
      report(await new ResourceClient(flags.socket).rollBack(revision, changeFlags(flags)), flags);
    });
  store
    .command('confirm <revision>')
    .description('keep a change that was made with --confirm')
    .addOption(socketOption())
    .action(async (revision: string, { socket }: StoreFlags) => {
      await new ResourceClient(socket).confirm(revision);
      print(`revision ${revision} is confirmed`);
    });
  store
    .command('history')
    .description("changes of the agent's store, the latest first: who made them, when, and to which objects")
    .option('--limit <n>', 'how many', wholeNumber(1, 500), 20)
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ socket, output, limit }: StoreFlags & { limit: number }) => {
      const { items } = await new ResourceClient(socket).history(limit);
      const rows = items.map((item) => [
        String(item.revision),
        item.time,
        describeWho(item.who),
        item.target === undefined ? item.verb : `${item.verb} to ${item.target}`,
        item.changes.map(({ id, result }) => `${id} ${result}`).join(', '),
      ]);
      printData(items, output, () => formatTable(['REVISION', 'TIME', 'WHO', 'VERB', 'OBJECTS'], rows));
    });
  store
    .command('export')
    .description("the agent's whole store as a YAML stream")
    .addOption(socketOption())
    .action(async ({ socket }: StoreFlags) => print((await new ResourceClient(socket).exportAll()).trimEnd()));
}

function changing(command: Command): Command {
  return command
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--force', 'even if it cuts the connection that it comes through')
    .option('--confirm <time>', 'undone after so long (60s, 5m) unless `tortie store confirm` comes first')
    .addOption(socketOption())
    .addOption(outputOption());
}

function changeFlags({ dryRun, force, confirm }: ChangeOptions): ChangeFlags {
  return {
    ...(dryRun === undefined ? {} : { isDryRun: dryRun }),
    ...(force === undefined ? {} : { isForced: force }),
    ...(confirm === undefined ? {} : { confirm }),
  };
}

function report(change: ChangeReport, { output }: ChangeOptions): void {
  printData(change, output, () => describeChange(change));
}

/** One line for each object, as kubectl has it, and what is still to be done. */
export function describeChange({ changes, dryRun, revision, confirmation }: ChangeReport): string {
  const tail = dryRun ? ' (dry run)' : '';
  const lines = changes.map(({ id, result }) => `${id} ${result}${tail}`);
  const pending =
    confirmation === undefined
      ? []
      : [`undone at ${confirmation.expires} unless: tortie store confirm ${confirmation.revision}`];
  return [...lines, ...(dryRun ? [] : [`revision ${revision}`]), ...pending].join('\n');
}

export function describeWho(who: Who): string {
  if (who.kind === 'local') return `uid ${who.uid}, pid ${who.pid}`;
  if (who.kind === 'agent') return 'the agent';
  return who.organization === undefined ? who.commonName : `${who.commonName} (${who.organization})`;
}
