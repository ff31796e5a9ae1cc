// What one sweep of the flow table costs the agent, and what each flow costs the kernel in memory.
import { performance } from 'node:perf_hooks';
import { DetachedDataplane } from '../src/kernel/detached-dataplane.ts';
import { DEFAULT_MAP_SIZES } from '../src/kernel/object.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';
import { measuredFlow, verdictWorld } from './verdict-world.ts';

const LIVE_FLOWS = [100_000, 300_000, 1_000_000];
const QUICK_FLOWS = [10_000, 30_000, 100_000];
const SENDER = 'workloadEndpoint:bench/node-k8s-sender-eth0';
const PORTS_AT = 34;
/** One sweep for each scrape of the metrics; Prometheus asks every 15 s unless told otherwise, many every 10. */
const INTERVAL_MS = 10_000;
const FLOWS_PER_RUN = 20_000;
/** Part of the flows that may have had to make room for others while the table was filled. */
const TOLERATED_LOSS = 0.01;

/** Fills tables of several sizes with live flows and sweeps each. */
export async function benchFlows({ rounds, isQuick, progress }: BenchRun): Promise<BenchResult[]> {
  return (isQuick ? QUICK_FLOWS : LIVE_FLOWS).flatMap((flows) => {
    progress(`flows: ${flows} live flows`);
    const dataplane = fillTable(flows);
    try {
      const shares = Array.from({ length: rounds + 1 }, () => measureSweep(dataplane, flows)).slice(1);
      const { median, spread } = summarize(shares);
      const params = { 'live flows': flows };
      return [
        { section: 'scale', name: 'flows', params, value: round3(median), unit: '% of a core', spread: round3(spread) },
        { section: 'scale', name: 'flow-memory', params, value: round3(dataplane.bytesPerFlow), unit: 'B', spread: 0 },
      ];
    } finally {
      dataplane.close();
    }
  });
}

/** A table with so many live flows: the smallest that holds them. */
function fillTable(flows: number): DetachedDataplane {
  const dataplane = new DetachedDataplane(verdictWorld(4, 1), {
    object: 'bench',
    sizes: { heapWords: 2 ** 21, v6Nodes: 16 },
    flows,
    flowCache: DEFAULT_MAP_SIZES.flowCache,
    eventBytes: DEFAULT_MAP_SIZES.eventBytes,
    constants: { tt_bench_ports: PORTS_AT },
  });
  const packet = probePacket(measuredFlow(4));
  for (let opened = 0; opened < flows; opened += FLOWS_PER_RUN) {
    dataplane.run('tt_bench_open', SENDER, packet, Math.min(FLOWS_PER_RUN, flows - opened));
    dataplane.drainEvents();
  }
  return dataplane;
}

/** Percent of a core, for a sweep every INTERVAL_MS. Throws when flows are missing. */
function measureSweep(dataplane: DetachedDataplane, flows: number): number {
  const start = performance.now();
  const found = dataplane.flowCensus().reduce((sum, tally) => sum + tally.flows, 0);
  const elapsed = performance.now() - start;
  if (found < flows * (1 - TOLERATED_LOSS)) throw new Error(`found ${found} of ${flows} live flows`);
  return (100 * elapsed) / INTERVAL_MS;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
