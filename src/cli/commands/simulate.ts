// tortie simulate: recorded flows against a directory of policies. Streams its input; prints what would change.
import { type Command, Option } from 'commander';
import { desiredStateOf, type LoadedManifests, loadManifests, openEngine } from '../../agent/offline.ts';
import { type FeedSummary, FLOW_FORMATS, type FlowFormat, feedFlows } from '../../analysis/flow-logs/feed.ts';
import { SKIP_REASONS, type SkipReason } from '../../analysis/flow-logs/recorded-flow.ts';
import type { View } from '../../analysis/outcome.ts';
import { type PolicySide, Simulation, type SimulationReport } from '../../analysis/simulate.ts';
import type { Decider } from '../../analysis/simulate-judge.ts';
import type { SimulationRow } from '../../analysis/simulate-rows.ts';
import { DataplaneError } from '../../base/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { piecesOf } from '../flow-input.ts';
import { warnOfHostPolicy } from '../host-policy-note.ts';
import { argumentOf, manifestsOption, nodeOption, outputOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';

interface SimulateFlags {
  readonly manifests: string;
  readonly against?: string;
  readonly pending?: boolean;
  readonly node: string;
  readonly format: FlowFormat;
  readonly all?: boolean;
  readonly limit: number;
  readonly maxRows: number;
  readonly output: OutputFormat;
}

/** What could not be read: how much, and the first of it. */
interface Unreadable {
  count: number;
  readonly first: { readonly file: string; readonly place: string; readonly why: string }[];
}

interface SimulationAnswer extends SimulationReport {
  readonly manifests: string;
  readonly against?: string;
  /** `pending` = as if every staged policy were enforced. */
  readonly view: View;
  readonly input: FeedSummary & { readonly files: readonly string[]; readonly unreadable: Unreadable };
}

const SHOWN_PROBLEMS = 10;
const HELP = `
What is compared:
  recorded verdict -> verdict of --manifests            the default
  verdict of --against -> verdict of --manifests        with --against; captures (pcap) record no verdicts and need it
  ... -> pending verdict of --manifests                 with --pending: as if every staged policy were enforced; flows
                                                        without a recorded verdict are compared with the enforced one

Exit codes: 0 nothing changes, 1 some flow changes (or the input cannot be read), 3 manifests have errors.
See docs/simulate.md for the formats and what each count means.`;

export function fillSimulateCommand(command: Command): void {
  argumentOf(command, 'file').description = 'flow logs or captures; - = standard input';
  command
    .addOption(manifestsOption())
    .option('--against <dir>', 'compare with these manifests instead of with the recorded verdicts')
    .option('--pending', 'judge by the pending verdict: what staged policies would do')
    .addOption(
      new Option('--format <name>', 'auto looks at the first bytes and at the fields of each record')
        .choices([...FLOW_FORMATS])
        .default('auto'),
    )
    .addOption(nodeOption())
    .option('--all', 'show unchanged rows too')
    .option('--limit <n>', 'rows to show as a table; 0 = all', wholeNumber(0), 50)
    .option('--max-rows <n>', 'rows to keep in memory', wholeNumber(1, 10_000_000), 100_000)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(runSimulate);
}

async function runSimulate(files: readonly string[], flags: SimulateFlags): Promise<void> {
  const { manifests, against, pending, node, output, maxRows } = flags;
  const view: View = pending === true ? 'pending' : 'enforced';
  const loaded = load(manifests);
  const loadedBefore = against === undefined ? undefined : load(against);
  warnOfHostPolicy(desiredStateOf(loaded.world, node));
  const after = sideOf(loaded, node, view);
  const before = loadedBefore && sideOf(loadedBefore, node, 'enforced');
  const fallback: PolicySide | undefined = view === 'pending' ? { ...after, view: 'enforced' } : undefined;
  const simulation = new Simulation({ after, before, fallback, maxRows });
  const input = await readFiles(files, flags.format, simulation);
  const answer: SimulationAnswer = { manifests, against, view, input, ...simulation.report() };
  await printData(answer, output, () => describe(answer, flags));
  if (answer.totals.changed > 0) process.exitCode = EXIT.FAILED;
  if (input.unreadable.count > 0 && answer.totals.flows === 0) failUnread(files);
  if (loaded.errors.length + (loadedBefore?.errors.length ?? 0) > 0) process.exitCode = EXIT.INVALID;
}

/** That nothing changes must not be said of what nobody could read. */
function failUnread(files: readonly string[]): void {
  const details = { operation: 'read flows', target: files.join(', '), hint: 'is --format the right one?' };
  printError(new DataplaneError('INVALID_FLOW', 'no flow can be read', details));
  process.exitCode = EXIT.FAILED;
}

function load(directory: string): LoadedManifests {
  const loaded = loadManifests(directory);
  loaded.errors.forEach(printError);
  return loaded;
}

function sideOf({ world }: LoadedManifests, node: string, view: View): PolicySide {
  const engine = openEngine('tables', world, node);
  return { world, view, judge: (flow) => engine.evaluate(flow) };
}

async function readFiles(
  files: readonly string[],
  format: FlowFormat,
  simulation: Simulation,
): Promise<SimulationAnswer['input']> {
  const unreadable: Unreadable = { count: 0, first: [] };
  const sum = { records: 0, turned: 0, forgotten: 0 };
  for (const file of files) {
    const sink = {
      flow: simulation.add.bind(simulation),
      skip: simulation.skip.bind(simulation),
      bad: (place: string, why: string) => {
        unreadable.count += 1;
        if (unreadable.first.length < SHOWN_PROBLEMS) unreadable.first.push({ file, place, why });
      },
    };
    const decoder = new TextDecoder();
    const decode = (piece: Uint8Array): string => decoder.decode(piece, { stream: true });
    const summary = await feedFlows(piecesOf(file), { format, decode }, sink);
    sum.records += summary.records;
    sum.turned += summary.turned;
    sum.forgotten += summary.forgotten;
  }
  return { files, ...sum, unreadable };
}

function describe(answer: SimulationAnswer, { all, limit }: SimulateFlags): string {
  const rows = answer.rows.filter(({ isChanged, before }) => all === true || isChanged || before === null);
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  const hasScopes = shown.some(({ scope }) => scope === 'egress');
  const header = ['CHANGE', 'FLOWS', 'SOURCE', 'DESTINATION', 'SERVICE', 'DECIDED BY', 'WHERE'];
  const lines = [describeTotals(answer)];
  if (shown.length > 0) lines.push('', formatTable(header, shown.map(describeRow)));
  if (shown.length < rows.length) lines.push(`... and ${rows.length - shown.length} more rows (--limit 0 shows all)`);
  if (hasScopes) lines.push('', '(egress) the destination did not report: only the policy of the source is compared');
  return [...lines, ...describeRest(answer)].join('\n');
}

function describeTotals({ totals }: SimulationAnswer): string {
  const { flows, changed, unchanged, uncompared, unresolved, outside, reportedTwice } = totals;
  const parts = [
    paint(`${changed} changed`, changed > 0 ? 'yellow' : 'green'),
    `${unchanged} unchanged`,
    ...(uncompared > 0 ? [`${uncompared} without a verdict to compare with`] : []),
    ...(reportedTwice > 0 ? [`${reportedTwice} reported by both ends`] : []),
    ...(outside > 0 ? [`${outside} between ends without policy`] : []),
    ...(unresolved > 0 ? [`${unresolved} unresolved`] : []),
  ];
  return `${flows} ${flows === 1 ? 'flow' : 'flows'}: ${parts.join(', ')}`;
}

function describeRow(row: SimulationRow): string[] {
  const { before, after, isChanged, scope, source, destination, service, flows } = row;
  const change = before === null || !isChanged ? after : `${before} -> ${after}`;
  const colour = after === 'allow' ? 'green' : after === 'deny' ? 'red' : 'yellow';
  const rules = row.decidedBy.map(({ direction, rule }) => `${direction} ${rule}`);
  return [
    paint(scope === 'egress' ? `${change} (egress)` : change, colour),
    String(flows),
    source,
    destination,
    service,
    rules.join(', '),
    row.decidedBy.map(placeOf).join(', '),
  ];
}

function placeOf({ where }: Decider): string {
  return where ?? 'built in';
}

function describeRest({ totals, unresolved, skipped, input }: SimulationAnswer): string[] {
  const lines: string[] = [];
  if (unresolved.length > 0) {
    lines.push('', `unresolved: not in the manifests, or without a common address family`);
    lines.push(...unresolved.slice(0, SHOWN_PROBLEMS).map(({ end, flows }) => `  ${flows}  ${end}`));
    if (unresolved.length > SHOWN_PROBLEMS) lines.push(`  ... and ${unresolved.length - SHOWN_PROBLEMS} more`);
  }
  const reasons = Object.entries(skipped).map(([reason, count]) => `${count} ${SKIP_REASONS[reason as SkipReason]}`);
  if (reasons.length > 0) lines.push('', `left out: ${reasons.join(', ')}`);
  if (input.turned > 0)
    lines.push(`${input.turned} connections began before the capture: their direction is told by the ports`);
  if (input.forgotten > 0) lines.push(`${input.forgotten} connections were forgotten and may be counted twice`);
  if (totals.unlisted > 0) lines.push(`${totals.unlisted} flows have no row of their own: --max-rows was reached`);
  const { count, first } = input.unreadable;
  if (count > 0) {
    lines.push('', paint(`unreadable: ${count}`, 'yellow'));
    lines.push(...first.map(({ file, place, why }) => `  ${file} ${place}: ${why}`));
    if (count > first.length) lines.push(`  ... and ${count - first.length} more`);
  }
  return lines;
}
