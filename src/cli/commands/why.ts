// tortie why: for a flow, a record of one or a drop: what decided at both ends, where that is written, which change brought it, what
// staged policies would do, and what would turn the verdict.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { blameLine, type LineAuthor } from '../../agent/git-blame.ts';
import { loadManifests, openEngine } from '../../agent/offline.ts';
import { isFields } from '../../analysis/flow-logs/fields.ts';
import { isFlowLog, readFlowLog } from '../../analysis/flow-logs/flow-log.ts';
import type { Fields } from '../../analysis/flow-logs/recorded-flow.ts';
import { type Past, type Why, whyOf } from '../../analysis/why/why.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { Flow } from '../../model/flow.ts';
import { formatQuestion, parseFlowQuestion } from '../../model/flow-question.ts';
import { askAgent, sendToAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { addFlowDetailOptions, describeFlow, type FlowEndFlags, resolveFlow } from '../flow-ends.ts';
import { argumentOf, outputOption, socketOption } from '../options.ts';
import { type OutputFormat, printData, printError } from '../output.ts';
import { describeWhy } from '../why-text.ts';
import { readSnapshot, worldOfSnapshot } from '../world-source.ts';

interface WhyFlags extends Omit<FlowEndFlags, 'from' | 'to'> {
  readonly from?: string;
  readonly to?: string;
  readonly manifests?: string;
  readonly socket: string;
  readonly output: OutputFormat;
}

interface Asked {
  readonly flow: Flow;
  readonly past?: Past;
}

const HELP = `
A record is one JSON object of tortie flows, monitor or drops with --output json, in a file or on standard input (-). What it says was
decided is shown beside what would be decided now, with the changes of its policies in between.

  tortie why --from shop/web-1 --to shop/db-1 --port 5432
  tortie flows --verdict deny --last 1 -o json | tortie why -

Of what the store of the agent holds, the change that brought a rule is told; of files that are kept in git, the commit.`;

export function fillWhyCommand(command: Command): void {
  argumentOf(command, 'record').description = 'file with a record of a flow or a drop; - = standard input';
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
  const asked = record === undefined ? await askedByFlags(flags) : askedByRecord(readRecord(record));
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

/** Throws FILE_UNREADABLE, INVALID_FLOW. */
function readRecord(file: string): Fields {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const what = `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    throw new DataplaneError('FILE_UNREADABLE', what, { operation: 'why', target: file, cause });
  }
  const value = parseJson(text) ?? parseJson(text.split('\n', 1)[0] ?? '');
  const record = Array.isArray(value)
    ? value[0]
    : isFields(value) && Array.isArray(value.items)
      ? value.items[0]
      : value;
  if (isFields(record)) return record;
  throw new DataplaneError('INVALID_FLOW', 'is no record of a flow', {
    operation: 'why',
    target: file === '-' ? 'standard input' : file,
    expected: 'a JSON object of tortie flows, monitor or drops',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws INVALID_FLOW. */
function askedByRecord(record: Fields): Asked {
  if (isFlowLog(record)) return askedByLog(readFlowLog(record));
  if ('src' in record) return { flow: parseFlowQuestion(record).flow };
  return askedByEvent(record);
}

function askedByLog(log: ReturnType<typeof readFlowLog>): Asked {
  const { source, destination, protocol, icmpType, icmpCode, enforced, pending, reason } = log;
  if (source.address === '' || destination.address === '') {
    throw new DataplaneError('INVALID_FLOW', 'has no addresses', {
      operation: 'why',
      target: 'flow log',
      hint: 'take a record that is not aggregated, or ask with --from and --to',
    });
  }
  const question = {
    src: source.address,
    dst: destination.address,
    protocol,
    srcPort: source.port === 0 ? undefined : source.port,
    dstPort: destination.port,
    icmpType,
    icmpCode,
  };
  return {
    flow: parseFlowQuestion(question).flow,
    past: {
      time: log.endTime,
      verdict: log.action,
      direction: log.reporter === 'src' ? 'egress' : 'ingress',
      enforced,
      pending,
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

/** A line of tortie monitor or tortie drops. */
function askedByEvent(record: Fields): Asked {
  const { source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode, time, reason } = record;
  const question = {
    src: source,
    dst: destination,
    protocol,
    srcPort: sourcePort,
    dstPort: destinationPort,
    icmpType,
    icmpCode,
  };
  const sides = (['ingress', 'egress'] as const).map((direction) => ({ direction, side: record[direction] }));
  const denied =
    sides.find(({ side }) => isFields(side) && side.verdict === 'deny') ?? sides.find(({ side }) => isFields(side));
  const side = isFields(denied?.side) ? denied.side : {};
  const pending = isFields(side.pending) ? side.pending.trace : undefined;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return {
    flow: parseFlowQuestion(question).flow,
    past: {
      ...(Number.isNaN(at) ? {} : { time: at }),
      verdict: record.kind === 'new-flow' ? 'allow' : 'deny',
      ...(denied?.side === undefined ? {} : { direction: denied.direction }),
      enforced: textsOf(side.trace),
      pending: textsOf(pending),
      ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    },
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
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
