// TCP through a router, both ends and the path on one CPU, by who decides in the router: throughput of a stream, round trips of a
// byte, and connections opened, asked and closed, with their latency. Rounds go over all deciders in turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderIptables, renderNftables } from '../src/analysis/render/render.ts';
import type { Arena } from '../src/bench/arena.ts';
import type { Decider } from '../src/bench/arena-spec.ts';
import { openArena } from '../src/bench/deciders.ts';
import { type ConnectionLoad, prepareClient, runConnections } from '../src/bench/sockets.ts';
import { Traffic } from '../src/bench/traffic.ts';
import {
  CLIENT,
  CLOSED_PORT,
  firstPacket,
  forwardWorld,
  GUESTS,
  OPEN_PORT,
  SERVER,
  writeManifests,
} from './forward-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const RULES = 10_000;
const QUICK_RULES = 100;
const READING_MS = 200;
const LOADS: readonly ConnectionLoad[] = ['stream', 'rr', 'crr'];
const DECIDERS = ['none', 'tortie', 'nft-ct', 'iptables-ct'] as const;
const UNITS: Readonly<Record<Measure, string>> = { stream: 'Gbit/s', rr: '1/s', crr: '1/s', 'crr-p99': 'us' };

type Who = (typeof DECIDERS)[number];
type Measure = ConnectionLoad | 'crr-p99';
/** By measure; one value for each round. */
type Readings = Record<Measure, number[]>;

interface Lane {
  readonly who: Who;
  readonly arena: Arena;
  readonly readings: Readings;
}

export async function benchTcp(run: BenchRun): Promise<BenchResult[]> {
  const rules = run.isQuick ? QUICK_RULES : RULES;
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const lanes: Lane[] = [];
  for (const who of DECIDERS) {
    run.progress(`tcp: set up ${who}, ${rules} rules`);
    const arena = await openArena(GUESTS, deciderOf(who, rules, folder));
    run.onEnd(() => arena.close());
    await prepareClient(arena, CLIENT);
    await checkVerdicts(who, arena);
    lanes.push({ who, arena, readings: { stream: [], rr: [], crr: [], 'crr-p99': [] } });
  }
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`tcp: round ${round} of ${run.rounds}`);
    // The first round warms up.
    for (const kind of LOADS) for (const lane of lanes) await measureOnce(lane, kind, round > 0);
  }
  return resultsOf(lanes);
}

function deciderOf(who: Who, rules: number, folder: string): Decider {
  switch (who) {
    case 'none':
      return { kind: 'none' };
    case 'tortie':
      writeManifests(folder, rules, 'TCP');
      return { kind: 'tortie', manifests: folder };
    case 'nft-ct':
      return {
        kind: 'nftables',
        text: renderNftables(forwardWorld(rules, 'TCP'), { conntrack: true, style: 'linear' }),
      };
    case 'iptables-ct':
      return { kind: 'iptables', ...renderIptables(forwardWorld(rules, 'TCP'), { conntrack: true }, [4]) };
  }
}

/** Throws unless a connection can be opened, and one that the policy denies only where nobody enforces it. */
async function checkVerdicts(who: Who, arena: Arena): Promise<void> {
  const traffic = Traffic.open(arena);
  const [open, closed] = await traffic.arrivals([firstPacket('TCP', OPEN_PORT), firstPacket('TCP', CLOSED_PORT)]);
  traffic.close();
  if (open === SERVER && (closed === undefined) === (who !== 'none')) return;
  throw new Error(
    `${who}: the measured connection arrived ${open ?? 'nowhere'}, the denied one ${closed ?? 'nowhere'}`,
  );
}

async function measureOnce({ arena, readings }: Lane, kind: ConnectionLoad, counts: boolean): Promise<void> {
  const options = { kind, from: CLIENT, to: SERVER, port: OPEN_PORT, forMs: READING_MS };
  const { bytes, elapsedNs, latenciesNs } = await runConnections(arena, options);
  if (!counts) return;
  if (kind === 'stream') readings.stream.push((bytes * 8) / elapsedNs);
  else readings[kind].push((latenciesNs.length * 1e9) / elapsedNs);
  if (kind === 'crr') readings['crr-p99'].push(percentile(latenciesNs, 0.99) / 1000);
}

function percentile(values: Uint32Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Each measure itself, and of the same round's reading without a firewall, in percent. */
function resultsOf(lanes: readonly Lane[]): BenchResult[] {
  const none = lanes.find(({ who }) => who === 'none')?.readings;
  return (Object.keys(UNITS) as Measure[]).flatMap((measure) =>
    lanes.flatMap(({ who, readings }) => {
      const params = { who };
      const values = readings[measure];
      const shares = values.map((value, round) => (100 * value) / (none?.[measure][round] ?? Number.NaN));
      return [
        result(measure, params, values, UNITS[measure]),
        ...(who === 'none' ? [] : [result(`${measure} of none`, params, shares, '%')]),
      ];
    }),
  );
}

function result(name: string, params: BenchResult['params'], values: readonly number[], unit: string): BenchResult {
  const { median, spread } = summarize(values);
  const digits = median < 1000 ? 10 : 1;
  const round = (value: number): number => Math.round(value * digits) / digits;
  return { section: 'tcp', name, params, value: round(median), unit, spread: round(spread) };
}
