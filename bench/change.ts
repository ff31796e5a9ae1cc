// Milliseconds from the replacing of a manifest file to the policy in force, with the real agent: file event, parsing,
// resolving, compiling and writing included.
import { measureEventFloor } from './change-floor.ts';
import { ChangeSetting } from './change-setting.ts';
import {
  bigPolicy,
  endpointFile,
  endpointText,
  LOCAL_ENDPOINTS,
  PROBED_FILE,
  policyWorld,
  probedPolicy,
} from './change-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const POLICIES = [1000, 3000, 10_000];
const ENDPOINTS = [1000, 3000, 10_000];
const POLICIES_OF_ENDPOINTS = 1000;
const RULES = [1000, 4000, 12_500];
/** Changes for each round asked for: a 99th percentile needs many. One more round comes first, and does not count. */
const CHANGES_PER_ROUND = 40;
/** A big policy takes long, and varies little. */
const BIG_ROUNDS = 3;

type Params = BenchResult['params'];

export async function benchChange(run: BenchRun): Promise<BenchResult[]> {
  const sizes = <T>(all: readonly T[]): readonly T[] => (run.isQuick ? all.slice(0, 1) : all);
  const texts = Array.from({ length: changesOf(run) }, (_, change) => probedPolicy(change % 2 === 1));
  const results = resultsOf(run, 'floor-event', {}, await measureEventFloor(run, texts));
  for (const policies of sizes(POLICIES)) results.push(...(await measurePolicies(run, policies)));
  for (const endpoints of sizes(ENDPOINTS)) results.push(...(await measureEndpoints(run, endpoints)));
  results.push(...(await measureBigPolicies(run, sizes(RULES))));
  return results;
}

async function measurePolicies(run: BenchRun, policies: number): Promise<BenchResult[]> {
  run.progress(`change: one of ${policies} policies`);
  const setting = await ChangeSetting.create(run, { workloads: LOCAL_ENDPOINTS, files: policyWorld(policies) });
  await setting.start();
  const samples: number[] = [];
  for (let change = 0; change < changesOf(run); change += 1) {
    samples.push(await setting.change(PROBED_FILE, probedPolicy(change % 2 === 1)));
    if (change < 4) await requireOpen(setting, change % 2 === 1);
  }
  await setting.killAgent();
  return resultsOf(run, 'one-policy', { policies }, samples);
}

/** What is in force is what was written: by a real datagram. */
async function requireOpen(setting: ChangeSetting, isOpen: boolean): Promise<void> {
  if ((await setting.isOpen()) !== isOpen) throw new Error(`pod-0 should ${isOpen ? '' : 'not '}be reached`);
}

async function measureEndpoints(run: BenchRun, endpoints: number): Promise<BenchResult[]> {
  run.progress(`change: one of ${endpoints} endpoints, ${POLICIES_OF_ENDPOINTS} policies`);
  // One more has an interface, but no manifest yet.
  const files = policyWorld(POLICIES_OF_ENDPOINTS, endpoints);
  files.delete(endpointFile(LOCAL_ENDPOINTS));
  const setting = await ChangeSetting.create(run, { workloads: LOCAL_ENDPOINTS + 1, files });
  await setting.start();
  const labels: number[] = [];
  const added: number[] = [];
  const name = endpointFile(LOCAL_ENDPOINTS);
  for (let change = 0; change < changesOf(run); change += 1) {
    const peer = LOCAL_ENDPOINTS + 1 + (change % (endpoints - LOCAL_ENDPOINTS - 1));
    labels.push(await setting.change(endpointFile(peer), endpointText(peer, (peer + 1) % 20)));
    if (change % 2 === 1) continue;
    added.push(await setting.change(name, endpointText(LOCAL_ENDPOINTS)));
    await setting.remove(name);
  }
  await setting.killAgent();
  const params = { endpoints, policies: POLICIES_OF_ENDPOINTS };
  return [...resultsOf(run, 'label', params, labels), ...resultsOf(run, 'endpoint-add', params, added)];
}

async function measureBigPolicies(run: BenchRun, sizes: readonly number[]): Promise<BenchResult[]> {
  const setting = await ChangeSetting.create(run, { workloads: LOCAL_ENDPOINTS, files: policyWorld(100) });
  await setting.start();
  const results: BenchResult[] = [];
  for (const rules of sizes) {
    run.progress(`change: a policy of ${rules} rules`);
    const samples: number[] = [];
    for (let round = 0; round <= Math.ceil(run.rounds / BIG_ROUNDS); round += 1) {
      const ms = await setting.change('big.yaml', bigPolicy(rules, 100 + round));
      if (round > 0) samples.push(ms);
    }
    results.push(row('big-policy', { rules }, samples));
  }
  await setting.killAgent();
  return results;
}

function changesOf({ rounds }: BenchRun): number {
  return (rounds + 1) * CHANGES_PER_ROUND;
}

/** Of samples, the first ones are of an agent whose code has not run yet: the very first is a row of its own. */
function resultsOf(run: BenchRun, name: string, params: Params, all: readonly number[]): BenchResult[] {
  const samples = all.slice(all.length / (run.rounds + 1));
  const first = round2(all[0] as number);
  const sorted = [...samples].sort((a, b) => a - b);
  const p99 = sorted[Math.min(sorted.length - 1, Math.ceil(0.99 * sorted.length) - 1)] as number;
  const worst = sorted.at(-1) as number;
  const spread = round2((worst - p99) / 2);
  const tail = { section: 'change', name: `${name}-p99`, params, value: round2(p99), unit: 'ms', spread };
  return [
    row(name, params, samples),
    tail,
    { section: 'change', name: `${name}-first`, params, value: first, unit: 'ms', spread: 0 },
  ];
}

function row(name: string, params: Params, samples: readonly number[]): BenchResult {
  const { median, spread } = summarize(samples);
  return { section: 'change', name, params, value: round2(median), unit: 'ms', spread: round2(spread) };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
