// tortie probe: how long it takes from one endpoint to another and back, measured with real sockets in their network namespaces.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { readLiveManifests } from '../../agent/live-manifests.ts';
import { DataplaneError } from '../../base/errors.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { buildWorld } from '../../model/build-world.ts';
import { type ProbeProtocol, type ProbeSample, type ProbeSummary, summarize } from '../../observe/probe/report.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { formatTable, print, printData, printError } from '../output.ts';
import { endWithParent, linesOf, runElsewhere } from '../probe/elsewhere.ts';
import { measure } from '../probe/measure.ts';
import { findNamespace } from '../probe/namespaces.ts';
import { DEFAULT_PORT } from '../probe/protocol.ts';
import { Responder } from '../probe/responder.ts';

interface ProbeFlags {
  readonly from?: string;
  readonly to?: string;
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
  readonly output: 'table' | 'json' | 'yaml' | 'jsonl';
  readonly socket: string;
}

const DEFAULT_COUNT = 10;
const DEFAULT_INTERVAL_MS = 200;
const DEFAULT_TIMEOUT_MS = 1000;
const HOUR_MS = 3_600_000;
/** Samples that the agent is told of at once. */
const REPORT_EVERY = 50;
/** Of a run that goes on: what its summary is made of. */
const MAX_KEPT = 100_000;

export function fillProbeCommand(command: Command): void {
  command
    .option('--from <endpoint>', 'measure in the network namespace of this workload endpoint; else where this runs')
    .option('--to <endpoint>', 'namespace/name of a workload endpoint, or an address')
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
    .action(runProbe);
}

async function runProbe(flags: ProbeFlags): Promise<void> {
  if (flags.serve === true) return serve(flags.port);
  const { from, to } = await findEnds(flags);
  const responder = flags.existing === true ? undefined : await startResponder(to, flags.port);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  endWithParent(() => stop.abort());
  const samples: ProbeSample[] = [];
  const reporter = new Reporter(flags);
  try {
    const source =
      from === undefined ? probing(flags, formatAddress(to), stop.signal) : elsewhere(flags, from, to, stop.signal);
    for await (const sample of source) {
      if (samples.length < MAX_KEPT) samples.push(sample);
      if (flags.output === 'jsonl') print(JSON.stringify(sample));
      await reporter.add(sample);
    }
  } finally {
    responder?.kill();
  }
  await reporter.flush();
  const summaries = summarize(samples);
  if (flags.output !== 'jsonl') await printData(summaries, flags.output, () => describe(summaries));
  if (summaries.some(({ loss }) => loss > 0) && flags.output !== 'jsonl') process.exitCode = EXIT.FAILED;
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

async function* probing(flags: ProbeFlags, address: string, signal: AbortSignal): AsyncGenerator<ProbeSample> {
  const target = { address, port: flags.port, timeoutMs: flags.timeout };
  const protocols = (['TCP', 'UDP'] as const).filter(
    (name) => flags.protocol === 'both' || flags.protocol === name.toLowerCase(),
  );
  for (let round = 0; (flags.follow === true || round < flags.count) && !signal.aborted; round += 1) {
    if (round > 0) await sleep(flags.interval, undefined, { signal }).catch(() => undefined);
    for (const protocol of protocols) if (!signal.aborted) yield await measure(protocol, target);
  }
}

/** The same, done by this command in the namespace of an endpoint. */
async function* elsewhere(
  flags: ProbeFlags,
  from: IpAddress,
  to: IpAddress,
  signal: AbortSignal,
): AsyncGenerator<ProbeSample> {
  const given = [
    '--port',
    flags.port,
    '--protocol',
    flags.protocol,
    '--count',
    flags.count,
    '--interval',
    flags.interval,
  ];
  const further = ['--timeout', flags.timeout, '--existing', '--no-report', '--output', 'jsonl'];
  const words = [
    'probe',
    '--to',
    formatAddress(to),
    ...given,
    ...further,
    ...(flags.follow === true ? ['--follow'] : []),
  ];
  const child = runElsewhere(requireNamespace(flags.from as string, from), words.map(String));
  signal.addEventListener('abort', () => child.kill());
  for await (const line of linesOf(child, flags.from as string)) yield JSON.parse(line) as ProbeSample;
}

/** undefined = the address is not of this machine, or something listens there: whoever answers was there before. */
async function startResponder(to: IpAddress, port: number): Promise<{ kill(): void } | undefined> {
  const path = findNamespace(to);
  if (path === undefined) return undefined;
  const child = runElsewhere(path, ['probe', '--serve', '--port', String(port)]);
  const lines = linesOf(child, formatAddress(to));
  try {
    const { done } = await lines.next();
    if (done !== true) return child;
  } catch (error) {
    if (!String(error).includes('EADDRINUSE')) throw error;
  }
  return undefined;
}

/** Addresses of one family that both have, IPv4 first. */
async function findEnds(flags: ProbeFlags): Promise<{ from: IpAddress | undefined; to: IpAddress }> {
  if (flags.to === undefined) {
    throw new DataplaneError('USAGE', 'needs --to, or --serve', { operation: 'probe', target: 'command line' });
  }
  const to = await addressesOf(flags.to, flags.socket);
  const from = flags.from === undefined ? undefined : await addressesOf(flags.from, flags.socket);
  for (const family of [4, 6]) {
    if (flags.family !== undefined && flags.family !== String(family)) continue;
    const there = to.find((address) => address.family === family);
    const here = from?.find((address) => address.family === family);
    if (there !== undefined && (from === undefined || here !== undefined)) return { from: here, to: there };
  }
  throw new DataplaneError('NOT_FOUND', 'the two ends have no address family in common', {
    operation: 'probe',
    target: `${flags.from ?? 'this namespace'} to ${flags.to}`,
  });
}

async function addressesOf(name: string, socket: string): Promise<readonly IpAddress[]> {
  const address = parseAddress(name);
  if (address !== undefined) return [address];
  const { objects } = readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests'));
  const endpoints = [...buildWorld(objects.values()).world.workloadEndpoints.values()];
  const found = endpoints.find(({ displayName, key }) => displayName === name || key === name);
  if (found !== undefined) return found.addresses;
  const known = endpoints.map(({ displayName }) => displayName).sort();
  throw new DataplaneError('NOT_FOUND', 'no such workload endpoint', {
    operation: 'probe',
    target: name,
    expected: `an address or one of: ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', ...' : ''}`,
  });
}

function requireNamespace(name: string, address: IpAddress): string {
  const path = findNamespace(address);
  if (path !== undefined) return path;
  throw new DataplaneError('NOT_FOUND', 'no network namespace of this machine has its address', {
    operation: 'probe',
    target: name,
    found: formatAddress(address),
    hint: 'run the probe on the machine of that endpoint, as root',
  });
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

function describe(summaries: readonly ProbeSummary[]): string {
  const header = ['PROTOCOL', 'SENT', 'ANSWERED', 'LOSS', 'MIN', 'P50', 'P95', 'P99', 'MAX', 'RESULTS'];
  return formatTable(header, summaries.map(rowOf));
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
