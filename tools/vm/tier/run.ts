// The tier of guests as one call: tests compiled once, kernels one after the other, failures told, the closing table.
import { ensurePeer } from '../../lab/build-peer.ts';
import { findProject } from '../../lab/project.ts';
import { VmFailure } from '../failure.ts';
import { parseRequest } from '../kernel-choice.ts';
import { compileTests } from './bundle.ts';
import { closingTable } from './document.ts';
import { GUEST_RUNNER, type KernelResult, PROGRAM, runKernel } from './kernel-run.ts';
import { KERNELS, LANES } from './plan.ts';

export interface TierOptions {
  /** As `--kernel` takes them; all of the plan by default. */
  readonly kernels?: readonly string[];
  /** By name; all by default. */
  readonly features?: readonly string[];
  /** Guests of one kernel that run at the same time. */
  readonly atOnce?: number;
}

export interface TierResult {
  readonly passed: number;
  readonly failed: number;
  readonly kernels: readonly KernelResult[];
}

/** Throws VmFailure for a request that makes no sense; whatever fails on a kernel is counted. */
export async function runTier({ kernels = KERNELS, features = [], atOnce = 2 }: TierOptions = {}): Promise<TierResult> {
  const known = LANES.flat();
  const unknown = features.filter((name) => !known.some((feature) => feature.name === name));
  if (unknown.length > 0) {
    throw new VmFailure(`no feature ${unknown.join(', ')}: ${known.map(({ name }) => name).join(', ')}`);
  }
  const requests = kernels.map(parseRequest);
  // The tests' traffic peer is compiled here: a guest would take minutes for it.
  await ensurePeer();
  const tests = await compileTests([GUEST_RUNNER, PROGRAM, ...known.flatMap(({ files }) => files)]);
  const isWanted = ({ name }: { readonly name: string }) => features.length === 0 || features.includes(name);
  const results: KernelResult[] = [];
  for (const kernel of requests) {
    const tell = (what: string) => console.log(`vm ${kernel}: ${what}`);
    const result = await runKernel(kernel, { tests, isWanted, atOnce, cwd: findProject(), tell });
    results.push(result);
    reportFailures(result);
  }
  console.log(`\n${closingTable(results)}`);
  const all = results.flatMap((result) => Object.values(result.features));
  const passed = all.reduce((sum, result) => sum + result.passed, 0);
  const failed = all.reduce((sum, result) => sum + result.failures.length, 0);
  return { passed, failed: passed === 0 ? Math.max(failed, 1) : failed, kernels: results };
}

function reportFailures({ abi, features }: KernelResult): void {
  for (const [name, { failures }] of Object.entries(features)) {
    for (const failure of failures) console.log(`\n${abi} ${name}: ${failure}`);
  }
}
