// tortie bench: one's own policy under iptables, nftables and Tortie, side by side on this machine.
import { cpus, loadavg } from 'node:os';
import { type Command, Option } from 'commander';
import { desiredStateOf, loadManifests } from '../../agent/offline.ts';
import { DataplaneError } from '../../base/errors.ts';
import { type ComparedRow, type Comparison, compareDeciders } from '../../bench/compare.ts';
import { COMPARED, type ComparedName } from '../../bench/compare-deciders.ts';
import { formatQuestion } from '../../model/flow-question.ts';
import { EXIT } from '../exit-codes.ts';
import { manifestsOption, nodeOption, outputOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData, printError } from '../output.ts';

interface BenchFlags {
  readonly manifests: string;
  readonly node: string;
  readonly without?: readonly string[];
  readonly flows: number;
  readonly endpoints: number;
  readonly rounds: number;
  readonly output: OutputFormat;
}

interface BenchAnswer extends Omit<Comparison, 'measured'> {
  readonly measured: readonly ReturnType<typeof formatQuestion>[];
  readonly machine: { readonly cpus: number; readonly model: string; readonly load: number };
}

const HELP = `
Needs root, and the packages iptables and nftables. Everything happens in network namespaces made for it and removed at
the end, on an error and on ^C: the machine's own rules, interfaces and agent are never touched.

First all deciders judge the same flows, drawn at the boundaries of the policy; if one of them disagrees with the model the
command fails and says about which flow. Then packets of allowed flows are forwarded under each, in turns, on one CPU.

Examples:
  tortie bench --manifests policy/
  tortie bench --manifests policy/ --without iptables --rounds 11 --output json

What the figures mean: docs/bench.md`;

/** Above this much of a CPU in use, somebody else's work is in the figures. */
const BUSY_LOAD = 0.5;
const LOSS_SHOWN = 0.001;

export function fillBenchCommand(command: Command): void {
  command
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(
      new Option('--without <name...>', 'deciders to leave out').choices(COMPARED.filter((name) => name !== 'none')),
    )
    .option('--flows <n>', 'flows that all must judge alike', wholeNumber(1, 20_000), 500)
    .option('--endpoints <n>', 'endpoints that take part at most', wholeNumber(1, 1000), 32)
    .option('--rounds <n>', 'rounds of measurements', wholeNumber(1, 1000), 7)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(runBench);
}

async function runBench(flags: BenchFlags): Promise<void> {
  requireRoot();
  const load = loadavg()[0] as number;
  if (load > BUSY_LOAD) {
    process.stderr.write(`the machine is busy: load ${load.toFixed(2)}; figures will vary, their ratios less so\n`);
  }
  const { world, errors } = loadManifests(flags.manifests);
  errors.forEach(printError);
  const { manifests, node, flows, endpoints, rounds } = flags;
  const names = COMPARED.filter((name) => !(flags.without ?? []).includes(name));
  const policy = { desired: desiredStateOf(world, node), manifests, node };
  const found = await compareDeciders(world, policy, { names, flows, endpoints, rounds, onProgress: showProgress });
  showProgress('');
  const answer: BenchAnswer = {
    ...found,
    measured: found.measured.map(formatQuestion),
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', load },
  };
  await printData(answer, flags.output, () => describe(answer));
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  const details = { operation: 'make', target: 'network namespaces', hint: 'run it with sudo' };
  throw new DataplaneError('PERMISSION', 'needs root', details);
}

/** One line that is written over; only where somebody watches. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function describe({ rows, flows, endpoints, measured, machine }: BenchAnswer): string {
  const judged = flows.allowed + flows.denied;
  const agreement = (name: ComparedName): string =>
    name === 'none' ? 'asks nobody' : `${judged} of ${judged} as the model`;
  const table = formatTable(
    ['DECIDER', 'NS PER PACKET', 'SPREAD', 'TO NONE', 'VERDICTS'],
    rows.map((row) => [
      row.name,
      row.nsPerPacket.toFixed(0),
      `± ${row.spread.toFixed(0)}`,
      paint(row.ratioToNone.toFixed(2), row.ratioToNone <= 1 ? 'green' : 'yellow'),
      agreement(row.name) + lossText(row),
    ]),
  );
  const protocols = [...new Set(measured.map(({ protocol }) => protocol))].join(', ');
  const leftOut = endpoints.leftOut === 0 ? '' : `, ${endpoints.leftOut} left out`;
  return [
    table,
    '',
    `${endpoints.taken} endpoints${leftOut}; ${flows.allowed} flows allowed, ${flows.denied} denied`,
    `measured: ${measured.length} allowed flows (${protocols}), 64-byte packets, one CPU of ${machine.model}`,
    ...(protocols === 'TCP' ? ['no other flow is allowed: each TCP packet here asks for a new connection'] : []),
  ].join('\n');
}

function lossText({ loss }: ComparedRow): string {
  return loss > LOSS_SHOWN ? paint(`, ${(100 * loss).toFixed(1)} % of packets lost`, 'red') : '';
}
