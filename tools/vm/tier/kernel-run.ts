// Kernels through all lanes: a guest for each, its results by feature. A guest that dies fails what it did not get to.
import { ensureKernel } from '../kernel-cache.ts';
import { runGuests } from '../run-guests.ts';
import type { CompiledTests } from './bundle.ts';
import { filesOf, resultsOf } from './feature-tests.ts';
import {
  type Feature,
  GUEST_LIMIT_MS,
  isOlder,
  LANES,
  type Lane,
  lanesOf,
  leftOut,
  ORIGIN_IN_TEST_RUNS,
  PATIENCE,
  TEST_LIMIT_MS,
} from './plan.ts';
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
  /** The version that was asked for, as `6.1` or `7`. */
  readonly request: string;
  readonly abi: string;
  /** Of all its guests together. */
  readonly seconds: number;
  readonly features: Readonly<Record<string, FeatureResult>>;
  readonly verified: readonly Verified[];
  readonly probe: Probe;
}

export interface RunOptions {
  readonly tests: CompiledTests;
  readonly isWanted: (feature: Feature) => boolean;
  /** Of every test, besides its feature's own. */
  readonly env: Readonly<Record<string, string>>;
  /** 1 = one guest after the other. */
  readonly atOnce: number;
  readonly cwd: string;
  readonly tell: (kernel: string, what: string) => void;
}

interface Job {
  readonly request: string;
  readonly abi: string;
  readonly lane: Lane;
}

/** Lanes of all kernels, `atOnce` guests at a time. Throws VmFailure for a kernel that is not to be had. */
export async function runKernels(requests: readonly string[], options: RunOptions): Promise<KernelResult[]> {
  const kernels: { readonly request: string; readonly abi: string }[] = [];
  for (const request of requests) {
    const { abi } = await ensureKernel(request, (what) => options.tell(request, what));
    kernels.push({ request, abi });
  }
  // The long lanes first, so that no guest is left to run alone at the end.
  const jobs = LANES.flatMap((lane): Job[] => {
    const features = lane.features.filter(options.isWanted);
    const own = kernels.filter(({ request }) => lanesOf(request).includes(lane));
    return features.length > 0 ? own.map((one) => ({ ...one, lane: { ...lane, features } })) : [];
  });
  const outcomes: LaneOutcome[] = [];
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) outcomes.push(await runLane(job, options));
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, jobs.length) }, worker));
  return requests.map((request) =>
    resultOfKernel(
      request,
      outcomes.filter(({ job }) => job.request === request),
    ),
  );
}

function resultOfKernel(request: string, outcomes: readonly LaneOutcome[]): KernelResult {
  return {
    request,
    abi: String(outcomes[0]?.job.abi),
    seconds: outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    features: Object.assign({}, ...outcomes.map(({ features }) => features)),
    verified: outcomes.flatMap(({ report }) => report.verified),
    probe: outcomes.find(({ report }) => report.probe !== undefined)?.report.probe ?? {},
  };
}

interface LaneOutcome {
  readonly job: Job;
  readonly seconds: number;
  readonly features: Readonly<Record<string, FeatureResult>>;
  readonly report: GuestReport;
}

async function runLane(job: Job, options: RunOptions): Promise<LaneOutcome> {
  const start = performance.now();
  const { request, abi, lane } = job;
  const { tests, cwd } = options;
  const tell = (what: string) => options.tell(request, what);
  const compiled = (source: string) => String(tests.get(source));
  const wanted: GuestTests = {
    files: filesOf(lane.features).map(({ source, only }) => ({ path: compiled(source), ...(only ? { only } : {}) })),
    without: lane.features.flatMap((feature) => leftOut(feature, abi)),
    mayBeTooOld: isOlder(abi, ORIGIN_IN_TEST_RUNS),
    timeoutMs: TEST_LIMIT_MS,
  };
  let output = '';
  const progress = new Progress(tell);
  let death: string | undefined;
  try {
    const words = [process.execPath, compiled(GUEST_RUNNER), JSON.stringify(wanted)];
    const settings = { ...options.env, TORTIE_PROGRAM: compiled(PROGRAM), TORTIE_PATIENCE: String(PATIENCE) };
    const env = Object.assign(settings, ...lane.features.map((feature) => feature.env ?? {})) as Record<string, string>;
    const size = { guests: 1, memoryMb: 2048, cpus: 1, limitMs: GUEST_LIMIT_MS } as const;
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
  const features = lane.features.map(
    (feature) =>
      [feature.name, resultOf(feature, resultsOf(feature, lane.features, report.results, compiled), death)] as const,
  );
  return { job, seconds: secondsSince(start), features: Object.fromEntries(features), report };
}

function resultOf(
  { files }: Feature,
  results: ReadonlyMap<string, readonly TestResult[]>,
  death: string | undefined,
): FeatureResult {
  const own = [...results.values()].flat();
  const failed = own.filter(({ outcome }) => outcome === 'failed');
  const silent = files.filter((source) => results.get(source)?.length === 0);
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
