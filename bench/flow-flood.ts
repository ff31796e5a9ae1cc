// New flows through a real agent, at fixed rates and as many as one CPU makes: what each costs the agent and the process that
// stores them, whether every one is told of or counted as left out, and what memory the agent takes meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowLogStatus } from '../src/agent/flows/flow-log-service.ts';
import { FlowAgent } from './flow-agent.ts';
import type { FlowSource } from './flow-source.ts';
import { writeManifests } from './forward-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

/** New flows a second; more than any rate that a CPU reaches = as many as it makes. */
const RATES = [10_000, 100_000, 1_000_000];
const QUICK_RATES = [10_000, 100_000];
const SECONDS = 10;
const QUICK_SECONDS = 4;
/** A round takes a minute for each rate. */
const ROUNDS_PER_RUN = 5;
/** Between two goes of the source; so many flows go to one address. */
const PAUSE_MS = 1;
const MOST_AT_ONCE = 1024;
const LOOK_EVERY_MS = 500;
/** What the table still holds is told with the next sweep, what the store holds back with the end of its quarter of a minute. */
const SWEEP_MS = 6000;
const TOLD_WITHIN_MS = 30_000;
const STORED_WITHIN_MS = 30_000;

interface Sample {
  readonly made: number;
  readonly seconds: number;
  /** Packets, of which each flow has one. */
  readonly told: number;
  readonly counted: number;
  readonly stored: number;
  readonly storeLost: number;
  readonly agentSeconds: number;
  readonly storeSeconds: number;
  readonly wasSampling: boolean;
  readonly mostResident: number;
}

export async function benchFlowFlood(run: BenchRun): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeManifests(folder, 2, 'UDP');
  const rates = run.isQuick ? QUICK_RATES : RATES;
  const rounds = run.isQuick ? 1 : Math.ceil(run.rounds / ROUNDS_PER_RUN);
  const samples = rates.map((): Sample[] => []);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, rate] of rates.entries()) {
      run.progress(`flow-flood: ${rate} flows/s, round ${round} of ${rounds}`);
      samples[index]?.push(await measure(run, folder, rate));
    }
  }
  return rates.flatMap((rate, index) => resultsOf(rate, samples[index] ?? []));
}

/** An agent of its own, which has been warmed up: no reading begins in what an earlier one left. */
async function measure(run: BenchRun, manifests: string, rate: number): Promise<Sample> {
  const agent = await FlowAgent.start(manifests, ['--flow-logs', 'on', '--flow-store', 'aggregated']);
  run.onEnd(() => agent.close());
  try {
    return await flood(agent, rate, run.isQuick ? QUICK_SECONDS : SECONDS);
  } finally {
    await agent.close();
  }
}

async function flood(agent: FlowAgent, rate: number, forSeconds: number): Promise<Sample> {
  const source = agent.source();
  // The first flows begin what only flows need: code that was never run, the store's process.
  await warmUp(agent, source);
  const before = await agent.flowLogs();
  const [storedBefore, storeBefore] = [await agent.storedPackets(), await agent.store()];
  const timeBefore = agent.processorTime();
  let mostResident = agent.residentBytes();
  const look = (): void => {
    mostResident = Math.max(mostResident, agent.residentBytes());
  };
  const newBefore = await agent.newFlows();
  const seconds = await openFlows(source, { rate, forSeconds, look });
  const made = (await agent.newFlows()) - newBefore;
  const { after, wasSampling } = await untilTold(agent, before, made);
  look();
  const timeAfter = agent.processorTime();
  const told = after.packets - before.packets;
  const stored = (await untilStored(agent, storedBefore + told)) - storedBefore;
  const timeStored = agent.processorTime();
  return {
    made,
    seconds,
    told,
    counted: countedIn(after) - countedIn(before),
    stored,
    storeLost: (await agent.store()).lost - storeBefore.lost,
    agentSeconds: timeAfter.agent - timeBefore.agent,
    storeSeconds: timeStored.store - timeBefore.store,
    wasSampling,
    mostResident,
  };
}

async function warmUp(agent: FlowAgent, source: FlowSource): Promise<void> {
  const before = await agent.flowLogs();
  const newBefore = await agent.newFlows();
  await openFlows(source, { rate: 10_000, forSeconds: 1, look: () => undefined });
  const made = (await agent.newFlows()) - newBefore;
  const { after } = await untilTold(agent, before, made);
  await untilStored(agent, after.packets - before.packets);
}

interface Flood {
  readonly rate: number;
  readonly forSeconds: number;
  /** Called now and then meanwhile. */
  readonly look: () => void;
}

/** As many as the rate asks for, evenly over the time; where that is too many, as many as there can be. Returns the seconds it took. */
async function openFlows(source: FlowSource, { rate, forSeconds, look }: Flood): Promise<number> {
  const start = performance.now();
  let made = 0;
  let looked = start;
  for (let elapsed = 0; elapsed < 1000 * forSeconds; elapsed = performance.now() - start) {
    const due = Math.floor((elapsed * rate) / 1000) - made;
    const until = performance.now() + 10 * PAUSE_MS;
    for (let left = due; left > 0 && performance.now() < until; left -= MOST_AT_ONCE) {
      const count = Math.min(MOST_AT_ONCE, left);
      source.open(count);
      made += count;
    }
    if (performance.now() - looked > LOOK_EVERY_MS) {
      look();
      looked = performance.now();
    }
    await sleep(PAUSE_MS);
  }
  return (performance.now() - start) / 1000;
}

/**
 * The status once all flows are told of or counted and a sweep has found nothing more, since what is counted may be told in the
 * end; and whether it said in between that it samples.
 */
async function untilTold(
  agent: FlowAgent,
  before: FlowLogStatus,
  made: number,
): Promise<{ readonly after: FlowLogStatus; readonly wasSampling: boolean }> {
  const deadline = performance.now() + TOLD_WITHIN_MS;
  let wasSampling = false;
  for (let told = -1; ; ) {
    const after = await agent.flowLogs();
    wasSampling ||= after.isSampling;
    const known = after.packets - before.packets + countedIn(after) - countedIn(before);
    if ((known >= made && after.packets === told) || performance.now() > deadline) return { after, wasSampling };
    told = after.packets;
    await sleep(known >= made ? SWEEP_MS : LOOK_EVERY_MS);
  }
}

/** Packets that no record has, and that the agent says so of. */
function countedIn({ lost }: FlowLogStatus): number {
  return lost.packetsLost + lost.packetsSampledOut;
}

async function untilStored(agent: FlowAgent, packets: number): Promise<number> {
  const deadline = performance.now() + STORED_WITHIN_MS;
  for (;;) {
    const stored = await agent.storedPackets();
    if (stored >= packets || performance.now() > deadline) return stored;
    await sleep(2 * LOOK_EVERY_MS);
  }
}

function resultsOf(rate: number, samples: readonly Sample[]): BenchResult[] {
  const row = (name: string, of: (sample: Sample) => number, unit: string): BenchResult => {
    const { median, spread } = summarize(samples.map(of));
    return { section: 'flow-logs', name, params: { rate }, value: round2(median), unit, spread: round2(spread) };
  };
  /** Of the worst round. */
  const worst = (name: string, of: (sample: Sample) => number, unit: string): BenchResult => {
    const value = round2(Math.max(...samples.map(of)));
    return { section: 'flow-logs', name, params: { rate }, value, unit, spread: 0 };
  };
  return [
    row('flood-rate', ({ made, seconds }) => made / seconds, 'flows/s'),
    row('flood-agent', ({ agentSeconds, made }) => (1e6 * agentSeconds) / made, 'us'),
    row('flood-agent-told', ({ agentSeconds, told }) => (1e6 * agentSeconds) / told, 'us'),
    row('flood-store', ({ storeSeconds, made }) => (1e6 * storeSeconds) / made, 'us'),
    row(
      'flood-core',
      ({ agentSeconds, storeSeconds, seconds }) => (100 * (agentSeconds + storeSeconds)) / seconds,
      '%',
    ),
    row('flood-told', ({ told, made }) => (100 * told) / made, '%'),
    row('flood-stored', ({ stored, made }) => (100 * stored) / made, '%'),
    worst('flood-uncounted', ({ made, told, counted }) => Math.max(0, made - told - counted), 'flows'),
    worst('flood-store-lost', ({ storeLost }) => storeLost, 'records'),
    worst('flood-sampling', ({ wasSampling }) => Number(wasSampling), 'said'),
    worst('flood-memory', ({ mostResident }) => mostResident / 1e6, 'MB'),
  ];
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
