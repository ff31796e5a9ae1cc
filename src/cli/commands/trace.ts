// tortie trace: one flow, and every decision on its way: tier, policy, rule, file and line.
import { type Command, Option } from 'commander';
import { ENGINES, type EngineName, openEngine } from '../../agent/offline.ts';
import { formatAnswer } from '../../model/flow-question.ts';
import type { TraceEntry } from '../../model/trace.ts';
import type { SideVerdict } from '../../model/verdict.ts';
import { EXIT } from '../exit-codes.ts';
import { addFlowDetailOptions, describeFlow, type FlowEndFlags, resolveFlow } from '../flow-ends.ts';
import { manifestsOption, nodeOption, outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';
import { readSnapshot, worldOfSnapshot } from '../world-source.ts';

interface TraceFlags extends FlowEndFlags {
  readonly manifests: string;
  readonly live?: boolean;
  readonly socket: string;
  readonly node: string;
  readonly engine: EngineName;
  readonly output: OutputFormat;
}

export function fillTraceCommand(command: Command): void {
  command
    .requiredOption('--from <endpoint>', 'namespace/name of a workload endpoint, or an address')
    .requiredOption('--to <endpoint>', 'namespace/name of a workload endpoint, or an address');
  addFlowDetailOptions(command)
    .addOption(new Option('--engine <name>', 'which engine answers').choices([...ENGINES]).default('tables'))
    .addOption(manifestsOption())
    .addOption(new Option('--live', 'judge by what the running agent enforces'))
    .addOption(socketOption())
    .addOption(nodeOption())
    .addOption(outputOption())
    .action(runTrace);
}

async function runTrace(flags: TraceFlags): Promise<void> {
  const { live, socket, manifests } = flags;
  const { world, errors } = worldOfSnapshot(await readSnapshot(live === true ? { socket } : { socket, manifests }));
  errors.forEach(printError);
  const flow = resolveFlow(world, flags, 'trace');
  const engine = openEngine(flags.engine, world, flags.node);
  const { verdict, egress, ingress } = engine.evaluate(flow);
  engine.close();
  await printData(formatAnswer(null, { verdict, egress, ingress }), flags.output, () =>
    [
      `${paint(verdict.toUpperCase(), verdict === 'allow' ? 'green' : 'red')}  ${describeFlow(flow)}`,
      ...describeSide('egress', flags.from, egress),
      ...describeSide('ingress', flags.to, ingress),
    ].join('\n'),
  );
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

function describeSide(direction: string, name: string, side: SideVerdict | null): string[] {
  if (side === null) return ['', `${direction}: ${name} is no workload endpoint, nothing to judge`];
  const logged = side.isLogged ? ', logged' : '';
  const lines = [
    '',
    `${direction} of ${side.endpoint}: ${colourVerdict(side.verdict)}${logged}`,
    traceTable(side.trace),
  ];
  const { pending } = side;
  if (pending === undefined) return lines;
  const heading = `with every staged policy enforced: ${colourVerdict(pending.verdict)}`;
  return [...lines, heading, traceTable(pending.trace)];
}

function colourVerdict(verdict: SideVerdict['verdict']): string {
  return paint(verdict, verdict === 'allow' ? 'green' : 'red');
}

function traceTable(trace: readonly TraceEntry[]): string {
  const rows = trace.map((entry, index) => [`  ${index}`, ...describeEntry(entry)]);
  return formatTable(['   ', 'TIER', 'POLICY', 'RULE', 'ACTION', 'WHERE'], rows);
}

function describeEntry({ tier, kind, namespace, name, ruleIndex, action, location }: TraceEntry): string[] {
  const policy = `${kind}:${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
  const rule = ruleIndex >= 0 ? String(ruleIndex) : 'default';
  const where = location === undefined || location.file === '' ? 'built in' : `${location.file}:${location.line}`;
  return [tier, policy, rule, action, where];
}
