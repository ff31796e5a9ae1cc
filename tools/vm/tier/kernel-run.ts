// One kernel through all lanes: a guest for each, its results by feature. A guest that dies fails what it did not get to.
import { ensureKernel } from '../kernel-cache.ts';
import { runGuests } from '../run-guests.ts';
import type { CompiledTests } from './bundle.ts';
import { type Feature, GUEST_LIMIT_MS, LANES, leftOut, PATIENCE, TEST_LIMIT_MS } from './plan.ts';
import { Progress } from './progress.ts';
import {
  type GuestReport,
  type GuestTests,
  type Probe,
  parseReport,
  type TestResult,
  type Verified,
} from './results.ts';

export const GUEST_RUNNER = 'tools/vm/tier/guest-runner.ts';
/** As one module it starts in a fraction of the time. */
export const PROGRAM = 'src/cli/main.ts';

export interface FeatureResult {
  readonly passed: number;
  readonly leftOut: number;
  readonly seconds: number;
  /** Title and reason of each test that failed. */
  readonly failures: readonly string[];
}

export interface KernelResult {
  readonly request: string;
  readonly abi: string;
  readonly seconds: number;
  readonly features: Readonly<Record<string, FeatureResult>>;
  readonly verified: readonly Verified[];
  readonly probe: Probe;
}

export interface RunOptions {
  readonly tests: CompiledTests;
  readonly isWanted: (feature: Feature) => boolean;
  /** 1 = one guest after the other. */
  readonly atOnce: number;
  readonly cwd: string;
  readonly tell: (what: string) => void;
}

export async function runKernel(request: string, options: RunOptions): Promise<KernelResult> {
  const start = performance.now();
  const { abi } = await ensureKernel(request, options.tell);
  const lanes = LANES.map((lane) => lane.filter(options.isWanted)).filter((lane) => lane.length > 0);
  const outcomes: LaneOutcome[] = [];
  const queue = [...lanes];
  const worker = async () => {
    for (let lane = queue.shift(); lane !== undefined; lane = queue.shift()) {
      outcomes.push(await runLane(lane, request, abi, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, lanes.length) }, worker));
  return {
    request,
    abi,
    seconds: secondsSince(start),
    features: Object.assign({}, ...outcomes.map((outcome) => outcome.features)),
    verified: outcomes.flatMap((outcome) => outcome.report.verified),
    probe: outcomes.find((outcome) => outcome.report.probe !== undefined)?.report.probe ?? {},
  };
}

interface LaneOutcome {
  readonly features: Readonly<Record<string, FeatureResult>>;
  readonly report: GuestReport;
}

async function runLane(
  lane: readonly Feature[],
  request: string,
  abi: string,
  options: RunOptions,
): Promise<LaneOutcome> {
  const { tests, cwd, tell } = options;
  const compiled = (source: string) => String(tests.get(source));
  const wanted: GuestTests = {
    files: lane.flatMap(({ files }) => files.map(compiled)),
    without: lane.flatMap((feature) => leftOut(feature, abi)),
    timeoutMs: TEST_LIMIT_MS,
  };
  let output = '';
  const progress = new Progress(tell);
  let death: string | undefined;
  try {
    const words = [process.execPath, compiled(GUEST_RUNNER), JSON.stringify(wanted)];
    const settings = { TORTIE_PROGRAM: compiled(PROGRAM), TORTIE_PATIENCE: String(PATIENCE) };
    const env = Object.assign(settings, ...lane.map((feature) => feature.env ?? {})) as Record<string, string>;
    const size = { guests: 1, memoryMb: 2048, cpus: 2, limitMs: GUEST_LIMIT_MS } as const;
    const { codes } = await runGuests({
      request: { kernel: request, ...size, words },
      cwd,
      env,
      tell,
      onOutput: (chunk) => {
        output += chunk;
        progress.accept(String(chunk));
      },
    });
    if (codes[0] !== 0) death = `the tests ended with exit code ${codes[0]}`;
  } catch (error) {
    death = (error as Error).message;
  }
  progress.end();
  const report = parseReport(output);
  if (death !== undefined) tell(`${death}\n${report.rest.split('\n').slice(-30).join('\n')}`);
  const features = lane.map((feature) => [feature.name, resultOf(feature, report.results, compiled, death)] as const);
  return { features: Object.fromEntries(features), report };
}

function resultOf(
  { files }: Feature,
  results: readonly TestResult[],
  compiled: (source: string) => string,
  death: string | undefined,
): FeatureResult {
  const own = results.filter(({ file }) => files.some((source) => compiled(source).endsWith(file)));
  const failed = own.filter(({ outcome }) => outcome === 'failed');
  const silent = files.filter((source) => !results.some(({ file }) => compiled(source).endsWith(file)));
  return {
    passed: own.filter(({ outcome }) => outcome === 'passed').length,
    leftOut: own.filter(({ outcome }) => outcome === 'left out').length,
    seconds: Math.round(own.reduce((sum, { ms }) => sum + ms, 0) / 1000),
    failures: [
      ...failed.map(({ title, problems }) => `${title}\n${problems.join('\n')}`),
      ...silent.map((source) => `${source}: no result`),
      ...(death === undefined ? [] : [`its guest: ${death.split('\n')[0]}`]),
    ],
  };
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}
