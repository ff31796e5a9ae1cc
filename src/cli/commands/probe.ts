// tortie probe: how long it takes from one endpoint to another and back, measured with real sockets in their network namespaces.
import { type Command, Option } from 'commander';
import { DataplaneError } from '../../base/errors.ts';
import { formatAddress } from '../../model/address.ts';
import { type ProbeProtocol, type ProbeSample, type ProbeSummary, summarize } from '../../observe/probe/report.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, print, printData, printError } from '../output.ts';
import { endWithParent } from '../probe/elsewhere.ts';
import { inCommon, type NamedEnd, type ProbeEnd, readEnd } from '../probe/ends.ts';
import { DEFAULT_PORT } from '../probe/protocol.ts';
import { Responder } from '../probe/responder.ts';
import { type PairSummary, probeForever, probeOnce, type Rounds } from '../probe/rounds.ts';
import { type ProbePlan, probePair } from '../probe/run.ts';

interface ProbeFlags {
  readonly from?: string;
  readonly to?: string;
  readonly fromNetns?: string;
  readonly toNetns?: string;
  readonly all?: boolean;
  readonly every: number;
  readonly maxPairs: number;
  readonly serve?: boolean;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'both';
  readonly family?: '4' | '6';
  readonly count: number;
  readonly follow?: boolean;
  readonly interval: number;
  readonly timeout: number;
  readonly existing?: boolean;
  readonly report: boolean;
  readonly output: OutputFormat | 'jsonl';
  readonly socket: string;
}

const DEFAULT_COUNT = 10;
const DEFAULT_INTERVAL_MS = 200;
const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_EVERY_S = 60;
const DEFAULT_PAIRS = 20;
const HOUR_MS = 3_600_000;
/** Samples that the agent is told of at once. */
const REPORT_EVERY = 50;
/** Of a run that goes on: what its summary is made of. */
const MAX_KEPT = 100_000;

const HELP = `
  tortie probe --from shop/web-1 --to shop/api-1
  tortie probe --all                             endpoints of this node that policy lets speak to each other, two by two
  tortie probe --all --follow --every 60         one pair of them a minute, for the agent's metrics`;

export function fillProbeCommand(command: Command): void {
  command
    .option('--from <endpoint>', 'measure in the network namespace of this workload endpoint; else where this runs')
    .option('--to <endpoint>', 'namespace/name of a workload endpoint, or an address')
    .option('--from-netns <place>', 'network namespace to measure in: a path, a process, or a name of ip netns')
    .option('--to-netns <place>', 'network namespace to answer in, where several have the address')
    .option(
      '--all',
      'measure between endpoints of this node that policy lets speak to each other at --port, two by two',
    )
    .option('--every <s>', 'seconds between pairs, with --all and --follow', wholeNumber(1, 86_400), DEFAULT_EVERY_S)
    .option('--max-pairs <n>', 'pairs at most, with --all', wholeNumber(1, 10_000), DEFAULT_PAIRS)
    .option('--serve', 'answer probes at --port in this network namespace until stopped, instead of measuring')
    .option('--port <n>', 'where probes are answered', wholeNumber(1, 65535), DEFAULT_PORT)
    .addOption(new Option('--protocol <name>', 'what to send').choices(['tcp', 'udp', 'both']).default('both'))
    .addOption(new Option('--family <4|6>', 'address family, when both ends have both').choices(['4', '6']))
    .option('--count <n>', 'probes of each protocol', wholeNumber(1, 1_000_000), DEFAULT_COUNT)
    .option('--follow', 'go on until stopped, whatever --count says')
    .option('--interval <ms>', 'milliseconds between probes', wholeNumber(1, HOUR_MS), DEFAULT_INTERVAL_MS)
    .option('--timeout <ms>', 'milliseconds after which nobody answers', wholeNumber(1, HOUR_MS), DEFAULT_TIMEOUT_MS)
    .option('--existing', 'start nobody who answers: something listens there already')
    .option('--no-report', 'do not tell the agent, whose metrics count what is measured')
    .addOption(
      new Option('-o, --output <format>', 'how to show it; jsonl = each probe as it comes')
        .choices(['table', 'json', 'yaml', 'jsonl'])
        .default('table'),
    )
    .addOption(socketOption())
    .addHelpText('after', HELP)
    .action(runProbe);
}

async function runProbe(flags: ProbeFlags): Promise<void> {
  if (flags.serve === true) return serve(flags.port);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  endWithParent(() => stop.abort());
  const reporter = new Reporter(flags);
  const summaries =
    flags.all === true ? await probeAll(flags, reporter, stop.signal) : await probeTwo(flags, reporter, stop.signal);
  await reporter.flush();
  if (flags.output === 'jsonl' || summaries === undefined) return;
  await printData(summaries, flags.output, () => describe(summaries));
  if (summaries.some(({ loss }) => loss > 0)) process.exitCode = EXIT.FAILED;
}

async function probeTwo(flags: ProbeFlags, reporter: Reporter, signal: AbortSignal): Promise<ProbeSummary[]> {
  const ends = await findEnds(flags);
  const samples: ProbeSample[] = [];
  const plan: ProbePlan = { ...planOf(flags), ...(flags.follow === true && { count: undefined }) };
  for await (const sample of probePair(ends, plan, signal)) {
    if (samples.length < MAX_KEPT) samples.push(sample);
    if (flags.output === 'jsonl') print(JSON.stringify(sample));
    await reporter.add(sample);
  }
  return summarize(samples);
}

/** undefined = it went on until it was stopped: what there was to say has been said. */
async function probeAll(
  flags: ProbeFlags,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<PairSummary[] | undefined> {
  const { from, to, fromNetns, toNetns, existing, socket, every, maxPairs, family } = flags;
  if ((from ?? to ?? fromNetns ?? toNetns) !== undefined || existing === true) {
    throw new DataplaneError('USAGE', '--all goes with neither --from, --to, their namespaces nor --existing', {
      operation: 'probe',
      target: 'command line',
    });
  }
  const plan = planOf(flags);
  const rounds: Rounds = {
    socket,
    choice: { protocols: plan.protocols, ...(family !== undefined && { family }) },
    plan,
    maxPairs,
    signal,
    onSample: async (sample, pair) => {
      if (flags.output === 'jsonl') print(JSON.stringify({ from: pair.from.name, to: pair.to.name, ...sample }));
      await reporter.add(sample);
    },
    onPair: () => reporter.flush(),
  };
  if (flags.follow !== true) return probeOnce(rounds);
  await probeForever(rounds, 1000 * every);
  return undefined;
}

function planOf({ protocol, port, count, interval, timeout, existing }: ProbeFlags): ProbePlan {
  const protocols = (['TCP', 'UDP'] as const).filter((name) => protocol === 'both' || protocol === name.toLowerCase());
  return { port, protocols, count, intervalMs: interval, timeoutMs: timeout, isExisting: existing === true };
}

/** Until it is told to stop. */
async function serve(port: number): Promise<void> {
  const responder = await Responder.open(port);
  print(`answering probes at port ${responder.port}`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    endWithParent(resolve);
  });
  await responder.close();
}

/** Addresses of one family that both have, IPv4 first, and the namespaces that were named. */
async function findEnds(flags: ProbeFlags): Promise<{ from: ProbeEnd | undefined; to: ProbeEnd }> {
  const { fromNetns, toNetns, socket } = flags;
  if (flags.to === undefined) {
    throw new DataplaneError('USAGE', 'needs --to, --all or --serve', { operation: 'probe', target: 'command line' });
  }
  const to = await readEnd(flags.to, socket);
  const from = flags.from === undefined ? undefined : await readEnd(flags.from, socket);
  const found = inCommon(from, to, flags.family);
  if (found === undefined) {
    throw new DataplaneError('NOT_FOUND', 'the two ends have no address family in common', {
      operation: 'probe',
      target: `${flags.from ?? 'this namespace'} to ${flags.to}`,
      found: `${namesOf(from)} and ${namesOf(to)}`,
    });
  }
  const start = found.from ?? (fromNetns === undefined ? undefined : { name: fromNetns, address: found.to.address });
  return {
    from: start && { ...start, ...(fromNetns !== undefined && { netns: fromNetns }) },
    to: { ...found.to, ...(toNetns !== undefined && { netns: toNetns }) },
  };
}

function namesOf(end: NamedEnd | undefined): string {
  return end === undefined ? 'any' : end.addresses.map(formatAddress).join(' ') || 'none';
}

/** Tells the agent; that it does not hear costs the measurement nothing. */
class Reporter {
  readonly #flags: ProbeFlags;
  #waiting: ProbeSample[] = [];
  #isDeaf: boolean;

  constructor(flags: ProbeFlags) {
    this.#flags = flags;
    this.#isDeaf = !flags.report;
  }

  async add(sample: ProbeSample): Promise<void> {
    if (this.#isDeaf) return;
    this.#waiting.push(sample);
    if (this.#waiting.length >= REPORT_EVERY || (this.#flags.follow === true && this.#flags.interval >= 1000)) {
      await this.flush();
    }
  }

  async flush(): Promise<void> {
    const samples = this.#waiting;
    this.#waiting = [];
    if (samples.length === 0 || this.#isDeaf) return;
    try {
      await askAgent(this.#flags.socket, 'POST', '/v1/probes', { samples });
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      this.#isDeaf = true;
      printError(error);
    }
  }
}

function describe(summaries: readonly (ProbeSummary | PairSummary)[]): string {
  const header = ['PROTOCOL', 'SENT', 'ANSWERED', 'LOSS', 'MIN', 'P50', 'P95', 'P99', 'MAX', 'RESULTS'];
  const isOfPairs = summaries.some((summary) => 'from' in summary);
  const rows = summaries.map((summary) => [
    ...('from' in summary ? [summary.from, summary.to] : []),
    ...rowOf(summary),
  ]);
  return formatTable([...(isOfPairs ? ['FROM', 'TO'] : []), ...header], rows);
}

function rowOf({ protocol, sent, answered, loss, latency, results }: ProbeSummary): string[] {
  const times = latency === null ? Array.from({ length: 5 }, () => '-') : Object.values(latency).map(formatMs);
  const others = Object.entries(results).map(([result, count]) => `${result} ${count}`);
  return [
    protocol satisfies ProbeProtocol,
    String(sent),
    String(answered),
    `${(100 * loss).toFixed(1)} %`,
    ...times,
    others.join(', '),
  ];
}

function formatMs(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;
}
