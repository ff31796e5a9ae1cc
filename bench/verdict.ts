// Nanoseconds that a verdict adds to an empty tc program, by BPF_PROG_TEST_RUN, hot caches. Rounds of the empty program
// and of the measured ones alternate, so that a noisy machine disturbs both.
import { DetachedDataplane } from '../src/kernel/detached-dataplane.ts';
import { DEFAULT_MAP_SIZES } from '../src/kernel/object.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type BenchResult, summarize } from './results.ts';
import { type Family, measuredFlow, verdictWorld } from './verdict-world.ts';

const RULES = [1, 100, 10_000, 100_000];
const FAMILIES: readonly Family[] = [4, 6];
const SENDER = 'workloadEndpoint:bench/node-k8s-sender-eth0';
const SIZES = { heapWords: 2 ** 24, v6Nodes: DEFAULT_MAP_SIZES.v6Nodes };
/** Where the ports are: behind Ethernet and an IP header without options. */
const PORTS_AT: Readonly<Record<Family, number>> = { 4: 34, 6: 54 };
/** linux/pkt_cls.h */
const TC_ACT_OK = 0;

interface Measure {
  readonly name: string;
  readonly program: string;
  readonly repeat: number;
}

const MEASURES: readonly Measure[] = [
  { name: 'established', program: 'tt_bench_known', repeat: 500_000 },
  { name: 'classify', program: 'tt_bench_classify', repeat: 500_000 },
  { name: 'new-flow', program: 'tt_bench_open', repeat: 20_000 },
];

/** progress is called before each world. */
export function benchVerdict(rounds: number, progress: (text: string) => void): BenchResult[] {
  const results: BenchResult[] = [];
  for (const family of FAMILIES) {
    for (const rules of RULES) {
      progress(`verdict: IPv${family}, ${rules} rules`);
      results.push(...benchWorld(family, rules, rounds));
    }
  }
  return results;
}

function benchWorld(family: Family, rules: number, rounds: number): BenchResult[] {
  const desired = verdictWorld(family, rules);
  const options = {
    object: 'bench',
    sizes: SIZES,
    flows: 262_144,
    flowCache: 4096,
    eventBytes: 4 * 1024 * 1024,
    constants: { tt_bench_ports: PORTS_AT[family] },
  };
  const dataplane = new DetachedDataplane(desired, options);
  const packet = probePacket(measuredFlow(family));
  const run = (program: string, repeat: number): number => {
    const { durationNs, returnValue } = dataplane.run(program, SENDER, packet, repeat);
    if (returnValue !== TC_ACT_OK)
      throw new Error(`${program} answered ${returnValue}: the measured flow is not allowed`);
    dataplane.drainEvents();
    return durationNs;
  };
  try {
    const samples = MEASURES.map((): number[] => []);
    for (let round = -1; round < rounds; round += 1) {
      MEASURES.forEach(({ program, repeat }, index) => {
        const empty = run('tt_bench_empty', repeat);
        const cost = run(program, repeat) - empty;
        if (round >= 0) (samples[index] as number[]).push(cost);
      });
    }
    return MEASURES.map(({ name }, index) => {
      const { median, spread } = summarize(samples[index] as number[]);
      return {
        section: 'verdict',
        name,
        params: { family, rules },
        value: round1(median),
        unit: 'ns',
        spread: round1(spread),
      };
    });
  } finally {
    dataplane.close();
  }
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
