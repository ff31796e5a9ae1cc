// Nanoseconds that a verdict adds to an empty tc program, by BPF_PROG_TEST_RUN, hot caches. Rounds of the empty program
// and of the measured ones alternate, over policies of all sizes in turn, so that a noisy machine disturbs all alike.
import type { DesiredState } from '../src/calc/resolved.ts';
import { DetachedDataplane } from '../src/kernel/detached-dataplane.ts';
import { DEFAULT_MAP_SIZES } from '../src/kernel/object.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';
import { type Family, measuredFlow, verdictWorld } from './verdict-world.ts';

const RULES = [1, 100, 10_000, 100_000];
const QUICK_RULES = [1, 100, 1000];
const FAMILIES: readonly Family[] = [4, 6];
const SENDER = 'workloadEndpoint:bench/node-k8s-sender-eth0';
const SIZES = { heapWords: 2 ** 24, v6Nodes: DEFAULT_MAP_SIZES.v6Nodes };
/** Where the ports are: behind Ethernet and an IP header without options. */
const PORTS_AT: Readonly<Record<Family, number>> = { 4: 34, 6: 54 };
/** Where the compiler of the kernel puts a program moves readings by some ns: several loads even that out. */
const LOADS = 3;
const RUNS_PER_ROUND = 8;
const FILL_RUN = 20_000;
/** linux/pkt_cls.h */
const TC_ACT_OK = 0;

interface Measure {
  readonly name: string;
  readonly program: string;
  readonly repeat: number;
}

const MEASURES: readonly Measure[] = [
  { name: 'established', program: 'tt_bench_known', repeat: 40_000 },
  { name: 'classify', program: 'tt_bench_classify', repeat: 40_000 },
  { name: 'new-flow', program: 'tt_bench_open', repeat: 5_000 },
];

/** What no program could do for less on this machine, each on its own: reading the packet, and parts of a new flow. */
const FLOORS: readonly Measure[] = [
  { name: 'floor-parse', program: 'tt_bench_parse', repeat: 40_000 },
  { name: 'floor-memory', program: 'tt_bench_memory', repeat: 5_000 },
  { name: 'floor-lock', program: 'tt_bench_lock', repeat: 5_000 },
  { name: 'floor-event', program: 'tt_bench_event', repeat: 5_000 },
];

/** Measures policies of several sizes, both families. */
export async function benchVerdict({ rounds, isQuick, progress }: BenchRun): Promise<BenchResult[]> {
  const sizes = isQuick ? QUICK_RULES : RULES;
  return FAMILIES.flatMap((family) => {
    const worlds = sizes.map((rules) => verdictWorld(family, rules));
    const samples: Samples = sizes.map(() => new Map());
    for (let load = 1; load <= LOADS; load += 1) {
      progress(`verdict: IPv${family}, ${sizes.join(', ')} rules, load ${load} of ${LOADS}`);
      measureLoad(family, worlds, Math.ceil(rounds / LOADS), samples);
    }
    return sizes.flatMap((rules, at) => summarizeSamples({ family, rules }, samples[at] as Sample));
  });
}

/** By measure: nanoseconds over the empty program. */
type Sample = Map<string, number[]>;
/** By policy. */
type Samples = readonly Sample[];

/**
 * Loads the programs once and all policies beside each other, so that policies differ in nothing but their tables.
 * Rounds go over all policies in turn; the first warms up and does not count.
 */
function measureLoad(family: Family, worlds: readonly DesiredState[], rounds: number, samples: Samples): void {
  const [first, ...others] = worlds as [DesiredState, ...DesiredState[]];
  const dataplane = new DetachedDataplane(first, {
    object: 'bench',
    sizes: SIZES,
    flows: DEFAULT_MAP_SIZES.flows,
    flowCache: DEFAULT_MAP_SIZES.flowCache,
    eventBytes: DEFAULT_MAP_SIZES.eventBytes,
    constants: { tt_bench_ports: PORTS_AT[family] },
  });
  const packet = probePacket(measuredFlow(family));
  try {
    const images = [dataplane.image, ...others.map((world) => dataplane.addImage(world))];
    fillFlowTable(dataplane, packet);
    for (let round = 0; round <= rounds; round += 1) {
      for (const [at, image] of images.entries()) {
        dataplane.switchTo(image);
        for (const measure of at === images.length - 1 ? [...MEASURES, ...FLOORS] : MEASURES) {
          const cost = measureOnce(dataplane, packet, measure);
          if (round > 0) remember(samples[at] as Sample, measure.name, cost);
        }
      }
    }
  } finally {
    dataplane.close();
  }
}

/** Best of several short runs, over the best of as many runs of the empty program in between. */
function measureOnce(dataplane: DetachedDataplane, packet: Uint8Array, { program, repeat }: Measure): number {
  let bestEmpty = Number.POSITIVE_INFINITY;
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS_PER_ROUND; run += 1) {
    bestEmpty = Math.min(bestEmpty, dataplane.run('tt_bench_empty', SENDER, packet, repeat).durationNs);
    const { durationNs, returnValue } = dataplane.run(program, SENDER, packet, repeat);
    if (returnValue !== TC_ACT_OK) {
      throw new Error(`${program} answered ${returnValue}: the measured flow is not allowed`);
    }
    best = Math.min(best, durationNs);
    dataplane.drainEvents();
  }
  return best - bestEmpty;
}

/** So that each new flow takes the place of another, as on a host that has run for long. */
function fillFlowTable(dataplane: DetachedDataplane, packet: Uint8Array): void {
  for (let opened = 0; opened < 2 * DEFAULT_MAP_SIZES.flows; opened += FILL_RUN) {
    dataplane.run('tt_bench_open', SENDER, packet, FILL_RUN);
    dataplane.drainEvents();
  }
}

function remember(sample: Sample, name: string, cost: number): void {
  const costs = sample.get(name);
  if (costs === undefined) sample.set(name, [cost]);
  else costs.push(cost);
}

function summarizeSamples(params: BenchResult['params'], sample: Sample): BenchResult[] {
  return [...sample].map(([name, costs]) => {
    const { median, spread } = summarize(costs);
    return { section: 'verdict', name, params, value: round1(median), unit: 'ns', spread: round1(spread) };
  });
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
