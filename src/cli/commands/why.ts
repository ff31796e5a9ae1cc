// tortie why: for a flow, a record of one or a drop: what decided at both ends, where that is written, which change brought it, what
// staged policies would do, and what would turn the verdict.
import type { Command } from 'commander';
import { blameLine, type LineAuthor } from '../../agent/git-blame.ts';
import { loadManifests, openEngine } from '../../agent/offline.ts';
import { type Why, whyOf } from '../../analysis/why/why.ts';
import { DataplaneError } from '../../base/errors.ts';
import { formatQuestion } from '../../model/flow-question.ts';
import { askAgent, sendToAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { addFlowDetailOptions, describeFlow, type FlowEndFlags, resolveFlow } from '../flow-ends.ts';
import { argumentOf, outputOption, socketOption } from '../options.ts';
import { type OutputFormat, printData, printError, printWarning } from '../output.ts';
import { type Asked, findRecord, hasAddresses, readAsked } from '../why-record.ts';
import { describeWhy } from '../why-text.ts';
import { readSnapshot, worldOfSnapshot } from '../world-source.ts';

interface WhyFlags extends Omit<FlowEndFlags, 'from' | 'to'> {
  readonly from?: string;
  readonly to?: string;
  readonly manifests?: string;
  readonly socket: string;
  readonly output: OutputFormat;
}

const HELP = `
A record is one JSON object of tortie flows, monitor or drops with --output json, in a file or on standard input (-), or the id of a
stored flow, as tortie flows shows it with --output wide or json. What it says was decided is shown beside what would be decided now,
with the changes of its policies in between. Of a record without addresses, as aggregates are, ends are found by their names.

  tortie why --from shop/web-1 --to shop/db-1 --port 5432
  tortie flows --verdict deny --last 1 -o json | tortie why -
  tortie why 1767225600000.42

The change that brought a rule is told, of the store and of manifest files; of files that are kept in git, the commit as well.`;

export function fillWhyCommand(command: Command): void {
  argumentOf(command, 'record').description =
    'id of a stored flow, or file with a record of a flow or a drop; - = standard input';
  command
    .option('--from <endpoint>', 'namespace/name of a workload endpoint, or an address')
    .option('--to <endpoint>', 'namespace/name of a workload endpoint, or an address');
  addFlowDetailOptions(command)
    .option('--manifests <dir>', 'judge by this directory instead of by what the agent has in force')
    .addOption(socketOption())
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(runWhy);
}

async function runWhy(record: string | undefined, flags: WhyFlags): Promise<void> {
  const asked = record === undefined ? await askedByFlags(flags) : await askedByRecord(record, flags);
  const why = flags.manifests === undefined ? await askWhy(asked, flags.socket) : whyOffline(asked, flags.manifests);
  const directory = flags.manifests ?? (await manifestDirectory(flags.socket));
  const blame = (where: string): LineAuthor | undefined => blameOf(directory, where);
  await printData(why, flags.output, () => describeWhy(why, describeFlow(asked.flow), blame));
}

async function askWhy({ flow, past }: Asked, socket: string): Promise<Why> {
  const body = { flow: formatQuestion(flow), ...(past === undefined ? {} : { past }) };
  return (await sendToAgent<Why>(socket, { method: 'POST', path: '/why', body })).body;
}

function whyOffline({ flow, past }: Asked, manifests: string): Why {
  const { world, errors } = loadManifests(manifests);
  errors.forEach(printError);
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
  const engine = openEngine('tables', world, '*');
  return whyOf({ world, flow, verdict: engine.evaluate(flow), ...(past === undefined ? {} : { past }) });
}

async function askedByFlags(flags: WhyFlags): Promise<Asked> {
  const { from, to } = flags;
  if (from === undefined || to === undefined) {
    throw new DataplaneError('USAGE', 'says no flow', {
      operation: 'why',
      target: 'flow',
      expected: '--from and --to, or a record',
    });
  }
  const { world } = worldOfSnapshot(await readSnapshot(flags));
  return { flow: resolveFlow(world, { ...flags, from, to }, 'why') };
}

async function askedByRecord(record: string, flags: WhyFlags): Promise<Asked> {
  const fields = await findRecord(record, flags.socket);
  const missing = hasAddresses(fields) ? undefined : worldOfSnapshot(await readSnapshot(flags)).world;
  const asked = readAsked(fields, missing);
  if (missing !== undefined)
    printWarning(`the record has no addresses: ${describeFlow(asked.flow)} stands for its ends`);
  return asked;
}

async function manifestDirectory(socket: string): Promise<string | undefined> {
  const status = await askAgent<{ readonly manifests?: { readonly directory?: string } }>(socket, 'GET', '/v1/status');
  return status.manifests?.directory;
}

function blameOf(directory: string | undefined, where: string): LineAuthor | undefined {
  const colon = where.lastIndexOf(':');
  if (directory === undefined || colon < 0 || where.startsWith('store:')) return undefined;
  return blameLine(directory, where.slice(0, colon), Number(where.slice(colon + 1)));
}
