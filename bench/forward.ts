// Nanoseconds for one 64-byte UDP packet from one namespace through a router into another, everything on one CPU, by who decides
// in the router. All deciders stand beside each other in networks of their own; rounds go over all of them in turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderIptables, renderNftables } from '../src/analysis/render/render.ts';
import type { Arena } from '../src/bench/arena.ts';
import { type Decider, nsPerPacket } from '../src/bench/arena-spec.ts';
import { openArena } from '../src/bench/deciders.ts';
import { Traffic } from '../src/bench/traffic.ts';
import { CLOSED_PORT, firstPacket, forwardWorld, GUESTS, OPEN_PORT, SERVER, writeManifests } from './forward-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

/** One CPU-time slice per reading: long enough to time, short enough that a round over all deciders stays one moment. */
const READING_MS = 40;
const FEWEST_PACKETS = 200;
const MOST_PACKETS = 100_000;
const TRIAL_PACKETS = 200;
/** More than this share lost, and what was measured is not the path. */
const LOSS_ALLOWED = 0.001;

type DeciderName = 'none' | 'empty' | 'tortie' | 'iptables' | 'nft-linear' | 'nft-set';

interface Contender {
  readonly name: DeciderName | 'generator';
  readonly rules?: number;
}

interface Lane extends Contender {
  readonly traffic: Traffic;
  packets: number;
  readonly readings: number[];
}

const OTHERS: readonly DeciderName[] = ['iptables', 'nft-linear', 'nft-set'];

export async function benchForward(run: BenchRun): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const lanes: Lane[] = [];
  for (const contender of contenders(run.isQuick)) {
    run.progress(`forward: set up ${label(contender)}`);
    lanes.push(await openLane(contender, folder, run));
  }
  for (const lane of lanes) lane.packets = await chooseCount(lane);
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`forward: round ${round} of ${run.rounds}`);
    for (const lane of lanes) {
      const reading = await measureOnce(lane, lane.packets);
      // The first round warms up.
      if (round > 0) lane.readings.push(reading);
    }
  }
  return lanes.map(resultOf);
}

function contenders(isQuick: boolean): Contender[] {
  const sizes = isQuick ? [10, 1000] : [10, 1000, 10_000];
  return [
    { name: 'generator' },
    { name: 'none' },
    { name: 'empty' },
    ...[...sizes, ...(isQuick ? [] : [100_000])].map((rules): Contender => ({ name: 'tortie', rules })),
    ...OTHERS.flatMap((name) => sizes.map((rules): Contender => ({ name, rules }))),
  ];
}

async function openLane(contender: Contender, folder: string, run: BenchRun): Promise<Lane> {
  const { name, rules = 2 } = contender;
  const arena: Arena = await openArena(GUESTS, deciderOf(contender, folder));
  run.onEnd(() => arena.close());
  const traffic = Traffic.open(arena, { end: name === 'generator' ? 'router' : 'guests' });
  if (name !== 'generator') await checkVerdicts(contender, traffic, rules);
  return { ...contender, traffic, packets: TRIAL_PACKETS, readings: [] };
}

function deciderOf({ name, rules = 2 }: Contender, folder: string): Decider {
  switch (name) {
    case 'generator':
    case 'none':
      return { kind: 'none' };
    case 'empty':
      return { kind: 'empty' };
    case 'tortie': {
      const manifests = join(folder, String(rules));
      writeManifests(manifests, rules, 'UDP');
      return { kind: 'tortie', manifests };
    }
    case 'iptables':
      return { kind: 'iptables', ...renderIptables(forwardWorld(rules, 'UDP'), { conntrack: false }, [4]) };
    case 'nft-linear':
    case 'nft-set': {
      const style = name === 'nft-set' ? 'sets' : 'linear';
      return { kind: 'nftables', text: renderNftables(forwardWorld(rules, 'UDP'), { conntrack: false, style }) };
    }
  }
}

/** Throws unless the measured flow passes, and the flow that the policy denies passes only where nobody enforces it. */
async function checkVerdicts(contender: Contender, traffic: Traffic, rules: number): Promise<void> {
  const isEnforced = contender.rules !== undefined;
  const [open, closed] = await traffic.arrivals([firstPacket('UDP', OPEN_PORT), firstPacket('UDP', CLOSED_PORT)]);
  if (open === SERVER && (closed === undefined) === isEnforced) return;
  throw new Error(
    `${label(contender)}: of ${rules} rules, the measured flow arrived ${open ?? 'nowhere'}, the denied one ${closed ?? 'nowhere'}`,
  );
}

/** As many packets as one reading takes time for. */
async function chooseCount(lane: Lane): Promise<number> {
  await measureOnce(lane, TRIAL_PACKETS);
  const expected = await measureOnce(lane, TRIAL_PACKETS * 5);
  const count = Math.round((READING_MS * 1e6) / expected);
  return Math.min(MOST_PACKETS, Math.max(FEWEST_PACKETS, count));
}

async function measureOnce(lane: Lane, packets: number): Promise<number> {
  const sample = await lane.traffic.measure([firstPacket('UDP', OPEN_PORT)], packets);
  const lost = sample.sent - sample.arrived;
  if (lost > LOSS_ALLOWED * sample.sent) throw new Error(`${label(lane)}: ${lost} of ${sample.sent} packets were lost`);
  return nsPerPacket(sample);
}

function label({ name, rules }: Contender): string {
  return rules === undefined ? name : `${name}, ${rules} rules`;
}

function resultOf({ name, rules, readings }: Lane): BenchResult {
  const { median, spread } = summarize(readings);
  const params: Record<string, number> = rules === undefined ? {} : { rules };
  return { section: 'forward', name, params, value: Math.round(median), unit: 'ns', spread: Math.round(spread) };
}
