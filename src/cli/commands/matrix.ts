// tortie matrix: who may reach whom on one port, as a table, as data, or as one HTML file.
import { type Command, Option } from 'commander';
import { desiredStateOf, loadManifests } from '../../agent/offline.ts';
import { buildMatrix, type Matrix, type MatrixCell, type MatrixService } from '../../analysis/matrix.ts';
import { type MatrixEnd, MatrixEnds, type WorldAddresses } from '../../analysis/matrix-ends.ts';
import { PING } from '../../analysis/policy-tests-schema.ts';
import { DataplaneError } from '../../base/errors.ts';
import { hasPorts, protocolName } from '../../model/flow.ts';
import { protocolNumber } from '../../model/flow-question.ts';
import type { World } from '../../model/world.ts';
import { nearestName } from '../../resources/nearest.ts';
import { TableCompiler } from '../../tables/compiler.ts';
import { TableEvaluator } from '../../tables/evaluator.ts';
import { EXIT } from '../exit-codes.ts';
import { warnOfHostPolicy } from '../host-policy-note.ts';
import { renderMatrixPage } from '../html/matrix-page.ts';
import { manifestsOption, nodeOption, wholeNumber } from '../options.ts';
import { formatTable, OUTPUT_FORMATS, type OutputFormat, paint, print, printData, printError } from '../output.ts';

interface MatrixFlags {
  readonly manifests: string;
  readonly node: string;
  readonly namespace?: readonly string[];
  readonly fromNamespace?: readonly string[];
  readonly protocol: string;
  readonly port?: number;
  readonly sets?: boolean;
  readonly pending?: boolean;
  readonly output: OutputFormat | 'html';
}

interface MatrixAnswer extends Matrix {
  readonly service: string;
  readonly namespaces: readonly string[];
  readonly fromNamespaces: readonly string[];
  readonly world: WorldAddresses;
}

const MAX_CELLS = 4_000_000;
const DEFAULT_WIDTH = 120;
const COLOURS = { allow: 'green', deny: 'red', mixed: 'yellow', none: 'dim' } as const;
const HELP = `
Rows are sources, columns are destinations; a connection needs the source's egress and the destination's ingress.
Workloads whose rows (or columns) say the same, and for the same reason, are shown as one. The row and column world
stand for an address that no manifest mentions. See docs/matrix.md.`;

export function fillMatrixCommand(command: Command): void {
  command
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .option('-n, --namespace <name...>', 'namespaces of the destinations (default: all)')
    .option('--from-namespace <name...>', 'namespaces of the sources (default: those of the destinations)')
    .option('--protocol <name>', 'TCP, UDP, SCTP, UDPLite, ICMP, ICMPv6, ping or 0-255', 'TCP')
    .option('--port <n>', 'destination port', wholeNumber(0, 65535))
    .option('--sets', 'show network sets as rows and columns too')
    .option('--pending', 'show what staged policies would change')
    .addOption(
      new Option('-o, --output <format>', 'how to show the answer')
        .choices([...OUTPUT_FORMATS, 'html'])
        .default('table'),
    )
    .addHelpText('after', HELP)
    .action(runMatrix);
}

async function runMatrix(flags: MatrixFlags): Promise<void> {
  const service = serviceOf(flags);
  const { world, errors } = loadManifests(flags.manifests);
  errors.forEach(printError);
  const answer = answerOf(world, service, flags);
  const { output } = flags;
  if (output === 'html') print(pageOf(answer, flags).trimEnd());
  else await printData(answer, output, () => describe(answer, flags.pending === true));
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

function answerOf(world: World, service: MatrixService, flags: MatrixFlags): MatrixAnswer {
  const namespaces = namespacesOf(world, flags.namespace ?? []);
  const fromNamespaces = namespacesOf(world, flags.fromNamespace ?? flags.namespace ?? []);
  const desired = desiredStateOf(world, flags.node);
  warnOfHostPolicy(desired);
  const compiler = new TableCompiler();
  const image = compiler.compile(desired);
  const evaluator = new TableEvaluator(desired, compiler, image);
  const ends = new MatrixEnds(world, compiler, image);
  const outside = ends.outside();
  const endsOf = (chosen: ReadonlySet<string>): readonly MatrixEnd[] => [
    ...ends.workloads(desired, chosen),
    ...(flags.sets === true ? ends.networkSets(chosen) : []),
    outside.end,
  ];
  const matrix = buildMatrix(endsOf(fromNamespaces), endsOf(namespaces), service, (flow) => evaluator.evaluate(flow));
  if (matrix.rows.length * matrix.columns.length > MAX_CELLS) {
    throw new DataplaneError('USAGE', 'the matrix is too large to be shown', {
      operation: 'show',
      target: 'matrix',
      found: `${matrix.rows.length} rows and ${matrix.columns.length} columns`,
      hint: 'choose namespaces with --namespace and --from-namespace',
    });
  }
  return {
    service: describeService(service),
    namespaces: [...namespaces],
    fromNamespaces: [...fromNamespaces],
    world: outside.addresses,
    ...(flags.pending === true ? matrix : withoutPending(matrix)),
  };
}

function serviceOf({ protocol: text, port }: MatrixFlags): MatrixService {
  const protocol = text.toLowerCase() === PING ? PING : protocolNumber(text);
  const details = { operation: 'show', target: 'matrix', field: '--protocol', found: text };
  if (protocol === undefined) throw new DataplaneError('USAGE', 'is no protocol', details);
  const needsPort = protocol !== PING && hasPorts(protocol);
  if (needsPort && port === undefined) throw new DataplaneError('USAGE', 'needs --port', details);
  if (!needsPort && port !== undefined) throw new DataplaneError('USAGE', 'has no ports, but --port is given', details);
  return { protocol, port: port ?? 0 };
}

/** Throws NOT_FOUND for one that no endpoint is in. */
function namespacesOf(world: World, chosen: readonly string[]): ReadonlySet<string> {
  const known = new Set([...world.workloadEndpoints.values()].map(({ namespace }) => namespace));
  for (const name of chosen) {
    if (known.has(name)) continue;
    const nearest = nearestName(name, known);
    throw new DataplaneError('NOT_FOUND', 'no workload endpoint is in that namespace', {
      operation: 'show',
      target: `namespace ${name}`,
      hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
    });
  }
  return new Set(chosen);
}

function withoutPending({ rows, columns, cells }: Matrix): Matrix {
  const plain = cells.map((row) => row.map(({ verdict, decidedBy, families }) => ({ verdict, decidedBy, families })));
  return { rows, columns, cells: plain };
}

function describeService({ protocol, port }: MatrixService): string {
  if (protocol === PING) return PING;
  return hasPorts(protocol) ? `${protocolName(protocol)} ${port}` : protocolName(protocol);
}

function titleOf({ service, namespaces, fromNamespaces }: MatrixAnswer): string {
  const to = namespaces.length === 0 ? 'all namespaces' : namespaces.join(', ');
  const from = fromNamespaces.length === 0 ? 'all namespaces' : fromNamespaces.join(', ');
  return from === to ? `${service} in ${to}` : `${service} from ${from} to ${to}`;
}

function pageOf(answer: MatrixAnswer, { pending }: MatrixFlags): string {
  const title = `Who may reach whom: ${titleOf(answer)}`;
  return renderMatrixPage({ title, notes: [worldNote(answer)], matrix: answer, showsPending: pending === true });
}

function worldNote({ world: { ipv4, ipv6 } }: MatrixAnswer): string {
  return `world: an address that no manifest mentions, ${ipv4} and ${ipv6}`;
}

/** Columns have numbers instead of names when the names do not fit. */
function describe(answer: MatrixAnswer, showsPending: boolean): string {
  const { rows, columns, cells } = answer;
  const labels = columns.map(({ label }) => label);
  const textOf = (cell: MatrixCell): string => describeCell(cell, showsPending);
  const widest = Math.max(
    ...tableOf(answer, labels, textOf)
      .split('\n')
      .map(({ length }) => length),
  );
  const isWide = widest > (process.stdout.columns ?? DEFAULT_WIDTH);
  const header = isWide ? labels.map((_, index) => `[${index + 1}]`) : labels;
  const legend = isWide ? ['', ...labels.map((label, index) => `[${index + 1}] ${label}`)] : [];
  const table = tableOf(answer, header, (cell) => paint(textOf(cell), COLOURS[cell.verdict]));
  const hasMixed = cells.some((row) => row.some(({ verdict }) => verdict === 'mixed'));
  const hasNone = cells.some((row) => row.some(({ verdict }) => verdict === 'none'));
  return [
    titleOf(answer),
    '',
    table,
    ...legend,
    '',
    worldNote(answer),
    ...(hasMixed ? ['mixed: it depends on the address, mostly on its family; --output json says how'] : []),
    ...(hasNone ? ['none: no policy is asked: neither is a workload, or no address family in common'] : []),
    ...(showsPending ? ['->: what staged policies would make of it'] : []),
    ...(rows.length === 1 ? ['no workload endpoint is among the sources'] : []),
  ].join('\n');
}

function tableOf({ rows, cells }: Matrix, columns: readonly string[], textOf: (cell: MatrixCell) => string): string {
  const lines = rows.map(({ label }, index) => [label, ...(cells[index] ?? []).map(textOf)]);
  return formatTable(['FROM \\ TO', ...columns], lines);
}

function describeCell({ verdict, pending }: MatrixCell, showsPending: boolean): string {
  return showsPending && pending !== undefined ? `${verdict} -> ${pending}` : verdict;
}
