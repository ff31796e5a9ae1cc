// What flow logs cost those whose packets are counted: one flow's packets, throughput, and new connections through a router with an
// agent that keeps flow logs, with one that does not, and with none. All stand beside each other; rounds go over all of them in turn.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arena } from '../src/bench/arena.ts';
import { type Decider, type GuestSpec, nsPerPacket, type SentFlow } from '../src/bench/arena-spec.ts';
import { openArena } from '../src/bench/deciders.ts';
import { prepareClient, runConnections } from '../src/bench/sockets.ts';
import { Traffic } from '../src/bench/traffic.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { CLIENT, firstPacket, GUESTS, OPEN_PORT, SERVER, writeManifests } from './forward-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const RULES = 100;
const READING_MS = 150;
const TRIAL_PACKETS = 5000;
/** More than this share lost, and what was measured is not the path. */
const LOSS_ALLOWED = 0.001;
/** `off-again` is what `off` is: where the two differ, it is the measurement's doing. */
const LANES = ['none', 'off', 'off-again', 'on'] as const;
const MEASURES = ['udp', 'stream', 'crr'] as const;

/** Takes the client's datagrams: what counts and ends those would end connections too. */
const SINK: GuestSpec = {
  name: 'sink',
  hostInterface: 'calisink',
  addresses: ['10.65.0.4'],
  mac: '02:74:74:00:00:04',
};

type Who = (typeof LANES)[number];
type Measure = (typeof MEASURES)[number];
/** Packets, bits and connections a second: more is better. */
type Readings = Readonly<Record<Measure, number[]>>;

interface Lane {
  readonly who: Who;
  readonly arena: Arena;
  readonly traffic: Traffic;
  packets: number;
  readonly readings: Readings;
}

export async function benchFlowForward(run: BenchRun): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeManifests(folder, RULES, 'UDP');
  writeFileSync(join(folder, 'sink.yaml'), JSON.stringify(sinkEndpoint()));
  const lanes: Lane[] = [];
  for (const who of LANES) {
    run.progress(`flow-forward: set up ${who}`);
    lanes.push(await openLane(who, folder, run));
  }
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`flow-forward: round ${round} of ${run.rounds}`);
    // Whoever is first in one round is last in the next: what changes in the course of a round evens out.
    const turn = round % 2 === 0 ? lanes : lanes.toReversed();
    for (const measure of MEASURES) {
      for (const lane of turn) {
        const reading = await measureOnce(lane, measure);
        // The first round warms up.
        if (round > 0) lane.readings[measure].push(reading);
      }
    }
  }
  return resultsOf(lanes);
}

async function openLane(who: Who, folder: string, run: BenchRun): Promise<Lane> {
  const arena = await openArena([...GUESTS, SINK], deciderOf(who, folder));
  run.onEnd(() => arena.close());
  await prepareClient(arena, CLIENT);
  const traffic = Traffic.open(arena, { receivers: [SINK.name] });
  const lane: Lane = { who, arena, traffic, packets: TRIAL_PACKETS, readings: { udp: [], stream: [], crr: [] } };
  lane.packets = Math.round((READING_MS / 1000) * (await measureOnce(lane, 'udp')));
  return lane;
}

function deciderOf(who: Who, manifests: string): Decider {
  if (who === 'none') return { kind: 'none' };
  return { kind: 'tortie', manifests, agentFlags: ['--flow-logs', who === 'on' ? 'on' : 'off'] };
}

async function measureOnce({ who, arena, traffic, packets }: Lane, measure: Measure): Promise<number> {
  if (measure === 'udp') {
    const sample = await traffic.measure([datagram()], packets);
    const lost = sample.sent - sample.arrived;
    if (lost > LOSS_ALLOWED * sample.sent) throw new Error(`${who}: ${lost} of ${sample.sent} packets were lost`);
    return 1e9 / nsPerPacket(sample);
  }
  const job = { kind: measure, from: CLIENT, to: SERVER, port: OPEN_PORT, forMs: READING_MS } as const;
  const { bytes, elapsedNs, latenciesNs } = await runConnections(arena, job);
  return measure === 'stream' ? (8e9 * bytes) / elapsedNs : (1e9 * latenciesNs.length) / elapsedNs;
}

function datagram(): SentFlow {
  const { from, flow } = firstPacket('UDP', OPEN_PORT);
  return { from, flow: { ...flow, destination: parseAddress(SINK.addresses[0] as string) as IpAddress } };
}

function sinkEndpoint(): unknown {
  const { name, hostInterface, addresses, mac } = SINK;
  const place = { orchestrator: 'k8s', node: 'node', pod: name, endpoint: 'eth0', interfaceName: hostInterface, mac };
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { namespace: 'bench', name: `node-k8s-${name}-eth0`, labels: { app: name } },
    spec: { ...place, ipNetworks: addresses.map((one) => `${one}/32`), profiles: ['kns.bench'] },
  };
}

/** Of the same round's reading without a firewall; and what they cost over an agent that keeps none, which is 0 for `off-again`. */
function resultsOf(lanes: readonly Lane[]): BenchResult[] {
  const readingsOf = (who: Who): Readings => (lanes.find((lane) => lane.who === who) as Lane).readings;
  const [none, off] = [readingsOf('none'), readingsOf('off')];
  return MEASURES.flatMap((measure) => {
    const ofNone = (who: Who): number[] =>
      readingsOf(who)[measure].map((value, round) => (100 * value) / (none[measure][round] as number));
    const cost = (who: Who): number[] =>
      readingsOf(who)[measure].map((value, round) => 100 * ((off[measure][round] as number) / value - 1));
    return [
      row('forward-off', measure, ofNone('off')),
      row('forward-on', measure, ofNone('on')),
      row('forward-cost-off', measure, cost('off-again')),
      row('forward-cost-on', measure, cost('on')),
    ];
  });
}

function row(name: string, traffic: Measure, values: readonly number[]): BenchResult {
  const { median, spread } = summarize(values);
  const round2 = (value: number): number => Math.round(value * 100) / 100;
  return { section: 'flow-logs', name, params: { traffic }, value: round2(median), unit: '%', spread: round2(spread) };
}
