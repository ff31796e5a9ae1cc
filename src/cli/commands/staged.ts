// tortie staged: staged policies on flows that were seen: what they would have done, what a change of them would do, and the way to
// put them in force that is watched.
import type { Command } from 'commander';
import { promoteStaged } from '../../agent/manifest-sources.ts';
import { openEngine } from '../../agent/offline.ts';
import { type PolicySide, Simulation, type SimulationReport } from '../../analysis/simulate.ts';
import { stagedTraceName } from '../../analysis/staged/promotion.ts';
import { StagedReport } from '../../analysis/staged/report.ts';
import { DataplaneError } from '../../base/errors.ts';
import { resourceId } from '../../resources/resource.ts';
import type { ResourceSnapshot } from '../../resources/sources/snapshot.ts';
import { EXIT } from '../exit-codes.ts';
import {
  addFlowInputOptions,
  describeUnreadable,
  duration,
  type FlowInputFlags,
  feedInput,
  readLogs,
} from '../flow-input.ts';
import { requireResourceType } from '../kind-names.ts';
import { outputOption, socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, paint, print, printData, printError, printWarning } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';
import { type PromoteResult, promoteStagedPolicies } from '../staged-promote.ts';
import { chooseStaged, listStaged, STAGED_KINDS, type StagedObject, stagedName } from '../staged-targets.ts';
import { describeStagedReport } from '../staged-text.ts';
import { readSnapshot, worldOfSnapshot } from '../world-source.ts';

interface ReportFlags extends FlowInputFlags {
  readonly namespace?: string;
  readonly limit: number;
  readonly output: OutputFormat;
}

type PreviewFlags = ReportFlags & { readonly manifests?: string; readonly delete?: readonly string[] };

interface PromoteFlags {
  readonly namespace?: string;
  readonly socket: string;
  readonly watch?: number;
  readonly rollbackOnDenies: number;
  readonly poll: number;
  readonly keepStaged?: true;
  readonly force?: true;
  readonly output: OutputFormat;
}

const NAMESPACE = ['-n, --namespace <name>', 'of the policies that are named without one'] as const;

export function fillStagedCommand(command: Command): void {
  command
    .command('list')
    .description('every staged policy of the agent')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(runList);
  const report = command
    .command('report [name...]')
    .description('what staged policies would have denied and allowed, by pair, from the traces that were recorded')
    .option(...NAMESPACE);
  addFlowInputOptions(report)
    .option('--limit <n>', 'rows to show as a table; 0 = all', wholeNumber(0), 50)
    .addOption(socketOption())
    .addOption(outputOption())
    .action(runReport);
  const preview = command
    .command('preview [name...]')
    .description('judge recorded flows again as if these staged policies were in force, or policies deleted')
    .option(...NAMESPACE)
    .option('--delete <kind/namespace/name...>', 'as if these policies were not there: np/shop/web, gnp/baseline')
    .option('--manifests <dir>', 'policies of this directory instead of those of the agent');
  addFlowInputOptions(preview)
    .option('--limit <n>', 'rows to show as a table; 0 = all', wholeNumber(0), 50)
    .addOption(socketOption())
    .addOption(outputOption())
    .action(runPreview);
  command
    .command('promote <name...>')
    .description(
      'put staged policies in force; with --watch taken back by itself when they deny flows, or nobody can tell',
    )
    .option(...NAMESPACE)
    .option('--watch <time>', 'look at the flows for so long before it is for good: 90s, 10m, 1h', duration)
    .option('--rollback-on-denies <n>', 'denied flows that may be, while it is watched', wholeNumber(0), 0)
    .option('--poll <time>', 'between two looks', duration, 5000)
    .option('--keep-staged', 'leave the staged policies where they are')
    .option('--force', 'even if it cuts your own session')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(runPromote);
}

async function runList({ socket, output }: { readonly socket: string; readonly output: OutputFormat }): Promise<void> {
  const objects = await listStaged(new ResourceClient(socket));
  const rows = objects.map((object) => {
    const { stagedAction = 'Set', tier = 'default' } = (object.manifest.spec ?? {}) as Record<string, string>;
    return [object.type, stagedName(object), tier, stagedAction];
  });
  await printData(
    objects.map(({ manifest }) => manifest),
    output,
    () => formatTable(['KIND', 'NAME', 'TIER', 'ACTION'], rows),
  );
}

async function runReport(words: readonly string[], flags: ReportFlags): Promise<void> {
  const { namespace, limit, output, socket, fromFile } = flags;
  const isOffline = fromFile !== undefined;
  const all = isOffline ? [] : await listStaged(new ResourceClient(socket));
  const wanted = isOffline
    ? namesOffline(words, namespace)
    : tracesOf(words.length === 0 ? all : chooseStaged(all, words, namespace));
  const report = new StagedReport((policy) => (isOffline && words.length === 0) || wanted.has(policy));
  const unreadable = { count: 0, first: [] };
  for await (const log of readLogs(flags, {}, unreadable)) report.add(log);
  const data = report.report();
  describeUnreadable(unreadable).forEach(printWarning);
  await printData({ ...data, unreadable }, output, () => describeStagedReport(data, limit));
  const silent = [...wanted].filter((name) => !data.policies.some(({ policy }) => policy === name));
  if (!isOffline && silent.length > 0) {
    printWarning(`no flow was judged by ${silent.join(', ')} since it is staged; older flows: tortie staged preview`);
  }
  if (data.totals.wouldDeny > 0) process.exitCode = EXIT.FAILED;
}

async function runPreview(words: readonly string[], flags: PreviewFlags): Promise<void> {
  const snapshot = await readSnapshot(flags);
  const { world, errors } = worldOfSnapshot(snapshot);
  errors.forEach(printError);
  const after = worldOfSnapshot(changedSnapshot(snapshot, words, flags)).world;
  const simulation = new Simulation({ before: sideOf(world), after: sideOf(after), maxRows: 100_000 });
  const input = await feedInput(
    flags,
    {},
    {
      flow: (flow) => simulation.add(flow),
      skip: (reason, count) => simulation.skip(reason, count),
    },
  );
  describeUnreadable(input.unreadable).forEach(printWarning);
  const report = simulation.report();
  await printData({ ...report, input }, flags.output, () => describePreview(report, flags.limit));
  if (report.totals.changed > 0) process.exitCode = EXIT.FAILED;
}

async function runPromote(words: readonly string[], flags: PromoteFlags): Promise<void> {
  const { socket, namespace, watch, rollbackOnDenies, poll, keepStaged, force, output } = flags;
  const objects = chooseStaged(await listStaged(new ResourceClient(socket)), words, namespace);
  const result = await promoteStagedPolicies(objects, {
    socket,
    maxDenies: rollbackOnDenies,
    pollMs: Math.max(1000, poll),
    keepStaged: keepStaged === true,
    isForced: force === true,
    say: (text) => (output === 'table' ? print(text) : undefined),
    ...(watch === undefined ? {} : { watchMs: watch }),
  });
  if (result.isRolledBack) process.exitCode = EXIT.FAILED;
  const rows = result.denials.map(({ source, destination, service, rule, flows }) => [
    String(flows),
    source,
    destination,
    service,
    rule,
  ]);
  const outcome = describePromotion(result, watch !== undefined);
  await printData(result, output, () =>
    rows.length === 0
      ? outcome
      : [outcome, formatTable(['FLOWS', 'SOURCE', 'DESTINATION', 'SERVICE', 'RULE'], rows)].join('\n'),
  );
}

function describePromotion({ isRolledBack, denied, unseen }: PromoteResult, isWatched: boolean): string {
  const seen = `${denied} flows were denied that were not before`;
  if (!isRolledBack) return isWatched ? `kept: ${seen}` : 'done';
  const doubt = unseen.map((what) => `nobody knows what else was denied: ${what}`);
  return [paint(`taken back: ${seen}`, 'red'), ...doubt].join('\n');
}

/** Throws USAGE, NOT_FOUND. */
function changedSnapshot(snapshot: ResourceSnapshot, words: readonly string[], flags: PreviewFlags): ResourceSnapshot {
  const deleted = flags.delete ?? [];
  const staged = [...snapshot.objects.values()].flatMap((resource): StagedObject[] => {
    const type = STAGED_KINDS.find((kind) => kind === resource.type);
    const { name, namespace } = resource;
    return type === undefined ? [] : [{ type, name, manifest: {}, ...(namespace === undefined ? {} : { namespace }) }];
  });
  if (words.length === 0 && deleted.length === 0 && staged.length === 0) {
    throw new DataplaneError('NOT_FOUND', 'there is no staged policy', { operation: 'preview', target: 'policies' });
  }
  const all = words.length === 0 && deleted.length === 0 ? staged : chooseStaged(staged, words, flags.namespace);
  const chosen = new Set(all.map(({ type, namespace, name }) => resourceId(type, namespace, name)));
  const ids = new Set(staged.map(({ type, namespace, name }) => resourceId(type, namespace, name)));
  const kept = [...snapshot.objects].filter(([id]) => !ids.has(id) || chosen.has(id));
  const promoted = promoteStaged({ objects: new Map(kept), errors: snapshot.errors });
  const objects = new Map(promoted.objects);
  for (const word of deleted) {
    const [kind = '', ...place] = word.split('/');
    const [namespace, name] = place.length > 1 ? place : [undefined, place[0] ?? ''];
    const id = resourceId(requireResourceType(kind), namespace, name ?? '');
    if (objects.delete(id)) continue;
    throw new DataplaneError('NOT_FOUND', 'no such policy', {
      operation: 'preview',
      target: word,
      expected: 'KIND/NAMESPACE/NAME',
    });
  }
  return { objects, errors: promoted.errors };
}

function sideOf(world: PolicySide['world']): PolicySide {
  const engine = openEngine('tables', world, '*');
  return { world, view: 'enforced', judge: engine.evaluate.bind(engine) };
}

function describePreview({ totals, rows, unresolved }: SimulationReport, limit: number): string {
  const changed = rows.filter(({ isChanged }) => isChanged);
  const shown = limit === 0 ? changed : changed.slice(0, limit);
  const cells = shown.map(({ before, after, flows, source, destination, service, decidedBy }) => [
    `${before} -> ${after}`,
    String(flows),
    source,
    destination,
    service,
    decidedBy
      .map(({ direction, rule, where }) => `${direction} ${rule}${where === undefined ? '' : ` ${where}`}`)
      .join(', '),
  ]);
  const text = `${totals.flows} flows: ${totals.changed} would be judged otherwise, ${totals.unchanged} the same, ${totals.unresolved} of ends that are not known`;
  return [
    text,
    ...(cells.length === 0
      ? []
      : ['', formatTable(['CHANGE', 'FLOWS', 'SOURCE', 'DESTINATION', 'SERVICE', 'DECIDED BY'], cells)]),
    ...(changed.length > shown.length
      ? [`... and ${changed.length - shown.length} more rows (--limit 0 shows all)`]
      : []),
    ...unresolved.slice(0, 5).map(({ end, flows }) => `unresolved: ${flows} ${end}`),
  ].join('\n');
}

function tracesOf(objects: readonly StagedObject[]): Set<string> {
  return new Set(objects.map(({ type, namespace, name }) => stagedTraceName(type, namespace, name)));
}

/** Without an agent a name may be of any staged kind. */
function namesOffline(words: readonly string[], namespace: string | undefined): Set<string> {
  return new Set(
    words.flatMap((word) => {
      const [place, name = ''] = word.includes('/') ? word.split('/') : [namespace, word];
      return STAGED_KINDS.map((kind) => stagedTraceName(kind, place, name));
    }),
  );
}
