// The tier of guests as one call: tests compiled once, two guests at a time, failures told, the closing table.
import { ensureProgram } from '../../lab/build-program.ts';
import { findProject } from '../../lab/project.ts';
import { VmFailure } from '../failure.ts';
import { parseRequest } from '../kernel-choice.ts';
import { compileTests } from './bundle.ts';
import { closingTable } from './document.ts';
import { GUEST_RUNNER, type KernelResult, PROGRAM, runKernels } from './kernel-run.ts';
import { rememberResults } from './latest.ts';
import { makeOtherLayout } from './other-layout.ts';
import { FEATURES, type Feature, KERNELS } from './plan.ts';

export interface TierOptions {
  /** As `--kernel` takes them; all of the plan by default. */
  readonly kernels?: readonly string[];
  /** By name; all by default. */
  readonly features?: readonly string[];
  /** Guests that run at the same time; 2 by default. */
  readonly atOnce?: number;
}

export interface TierResult {
  readonly passed: number;
  readonly failed: number;
  readonly kernels: readonly KernelResult[];
  /** What failed, and the closing table: blocks of lines to print. */
  readonly report: readonly string[];
}

/** Throws VmFailure for a request that makes no sense; whatever fails on a kernel is counted. */
export async function runTier({ kernels = KERNELS, features = [], atOnce = 2 }: TierOptions = {}): Promise<TierResult> {
  const unknown = features.filter((name) => !FEATURES.some((feature) => feature.name === name));
  if (unknown.length > 0) {
    throw new VmFailure(`no feature ${unknown.join(', ')}: ${FEATURES.map(({ name }) => name).join(', ')}`);
  }
  const requests = kernels.map(parseRequest);
  // Programs that tests run are compiled here: a guest would take minutes for each.
  for (const program of ['peer', 'witness', 'faults']) await ensureProgram(program);
  const tests = await compileTests([GUEST_RUNNER, PROGRAM, ...FEATURES.flatMap(({ files }) => files)]);
  const isWanted = ({ name, isByName }: Feature) =>
    features.includes(name) || (features.length === 0 && isByName !== true);
  const tell = (kernel: string, what: string) => console.log(`vm ${kernel}: ${what}`);
  const isProof = FEATURES.some((feature) => feature.name === 'proof' && isWanted(feature));
  const { TORTIE_NODE_FLAGS = '' } = process.env;
  const env: Record<string, string> = {
    TORTIE_NODE_FLAGS,
    ...(isProof && { TORTIE_OTHER_LAYOUT: await makeOtherLayout() }),
  };
  return resultOf(await runKernels(requests, { tests, isWanted, env, atOnce, cwd: findProject(), tell }));
}

function resultOf(results: readonly KernelResult[]): TierResult {
  rememberResults(results);
  const report = [...results.flatMap(failuresOf), '', closingTable(results)];
  const all = results.flatMap((result) => Object.values(result.features));
  const passed = all.reduce((sum, result) => sum + result.passed, 0);
  const failed = all.reduce((sum, result) => sum + result.failures.length, 0);
  return { passed, failed: passed === 0 ? Math.max(failed, 1) : failed, kernels: results, report };
}

function failuresOf({ abi, features }: KernelResult): string[] {
  return Object.entries(features).flatMap(([name, { failures }]) =>
    failures.map((failure) => `\n${abi} ${name}: ${failure}`),
  );
}
