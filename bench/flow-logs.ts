// What flow logs cost: the opening of a flow with and without them, a look at a full flow table, and a flow on its way from the
// table into an aggregate.
import { performance } from 'node:perf_hooks';
import { FlowDims, FlowReport } from '../src/abi/flow.gen.ts';
import { AgentFlowNames } from '../src/agent/flows/flow-names.ts';
import { forEachFlowReport } from '../src/events/flow-report.ts';
import { DetachedDataplane } from '../src/kernel/detached-dataplane.ts';
import { flowTableShape } from '../src/kernel/flow-table.ts';
import { type BpfObject, builtFile, type FlowBook, loadNative, type RingBuffer } from '../src/kernel/native.ts';
import { DEFAULT_MAP_SIZES } from '../src/kernel/object.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import { FlowAggregator } from '../src/observe/flows/aggregator.ts';
import { FlowDescriber } from '../src/observe/flows/flow-describer.ts';
import type { FlowLog } from '../src/observe/flows/flow-log.ts';
import { addressOf, eventsWorld, SENDER } from './events-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const { flows: FLOWS, flowCache: FLOW_CACHE, eventBytes: EVENT_BYTES } = DEFAULT_MAP_SIZES;
const HZ = 250;
/** So many flows are opened at a time: their events fit the ring buffer. */
const BATCH = 8192;

const PACKET = probePacket({
  source: parseAddress(addressOf(0)) as IpAddress,
  destination: parseAddress('10.66.0.2') as IpAddress,
  protocol: PROTOCOL.UDP,
  sourcePort: 1,
  destinationPort: 53,
  icmpType: 0,
  icmpCode: 0,
});

interface Place {
  readonly dataplane: DetachedDataplane;
  readonly ring: RingBuffer;
  readonly book: FlowBook;
  readonly desired: ReturnType<typeof eventsWorld>;
}

/** Of one round: nanoseconds, but for sweeps, which are milliseconds. */
interface Sample {
  readonly settle: number;
  readonly describe: number;
  readonly aggregate: number;
  readonly sweepNew: number;
  readonly sweepIdle: number;
}

export async function benchFlowLogs(run: BenchRun): Promise<BenchResult[]> {
  const off = openPlace(run, false);
  const on = openPlace(run, true);
  const samples: Sample[] = [];
  const opened: { off: number[]; on: number[] } = { off: [], on: [] };
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`flow-logs: round ${round} of ${run.rounds}`);
    const rounds = { off: openFlows(off), on: openFlows(on) };
    const sample = measure(on);
    await new Promise((resolve) => setImmediate(resolve));
    if (round === 0) continue;
    opened.off.push(rounds.off);
    opened.on.push(rounds.on);
    samples.push(sample);
  }
  const row = (name: string, values: readonly number[], unit: string): BenchResult => {
    const { median, spread } = summarize(values);
    return { section: 'flow-logs', name, params: {}, value: round2(median), unit, spread: round2(spread) };
  };
  const of = (field: keyof Sample): number[] => samples.map((sample) => sample[field]);
  return [
    row('open-flow-without', opened.off, 'ns'),
    row('open-flow-with', opened.on, 'ns'),
    row('settle', of('settle'), 'ns'),
    row('describe', of('describe'), 'ns'),
    row('aggregate', of('aggregate'), 'ns'),
    row(
      'flow',
      samples.map(({ settle, describe, aggregate }) => settle + describe + aggregate),
      'ns',
    ),
    row('sweep-all-new', of('sweepNew'), 'ms'),
    row('sweep-nothing-new', of('sweepIdle'), 'ms'),
  ];
}

function openPlace(run: BenchRun, flowLogs: boolean): Place {
  const desired = eventsWorld();
  const sizes = { flows: FLOWS, flowCache: FLOW_CACHE, eventBytes: EVENT_BYTES };
  const dataplane = new DetachedDataplane(desired, { object: 'bench', ...sizes, hz: HZ, flowLogs });
  run.onEnd(() => dataplane.close());
  const native = loadNative();
  const shape = flowTableShape(FLOWS);
  const logs: BpfObject = native.BpfObject.open(builtFile('build/bpf/flow-logs.bpf.o'), {
    maps: { tt_flow_told: { maxEntries: shape.regions * FlowDims.REGION_ENTRIES } },
  });
  run.onEnd(() => logs.close());
  const maps = {
    flows: dataplane.map('tt_flows'),
    cache: dataplane.map('tt_flow_cache'),
    told: logs.map('tt_flow_told'),
  };
  const book = native.FlowBook.open(maps, { ...shape, cacheSlots: FLOW_CACHE, hz: HZ });
  run.onEnd(() => book.close());
  const ring = native.RingBuffer.open(dataplane.map('tt_events'));
  run.onEnd(() => ring.close());
  return { dataplane, ring, book, desired };
}

/** Fills the table as often as it takes for each flow to displace another; nanoseconds for each, events included. */
function openFlows({ dataplane, ring, book }: Place): number {
  let total = 0;
  let batches = 0;
  for (let opened = 0; opened < FLOWS + BATCH; opened += BATCH) {
    const { durationNs } = dataplane.run('tt_bench_open', SENDER, PACKET, BATCH);
    book.settle(ring.drain(), 0);
    if (opened < FLOWS / 2) continue;
    total += durationNs;
    batches += 1;
  }
  return total / batches;
}

function measure({ dataplane, ring, book, desired }: Place): Sample {
  const now = dataplane.jiffies + HZ;
  const sweepNew = time(() => book.sweep(0, now, FLOWS, false));
  const sweepIdle = time(() => book.sweep(0, now, FLOWS, false));
  dataplane.run('tt_bench_open', SENDER, PACKET, BATCH);
  const chunk = ring.drain();
  let reports: Uint8Array = new Uint8Array();
  const settled = time(() => {
    reports = book.settle(chunk, FLOWS);
  });
  const flows = reports.byteLength / FlowReport.SIZE;
  const names = new AgentFlowNames({
    world: () => ({ ...NO_OBJECTS }) as never,
    desired: () => desired,
    resources: () => [],
    serviceChanges: () => 0,
    compiler: dataplane.compiler,
    isLocal: () => true,
    interfaces: () => [],
  });
  names.renew();
  const describer = new FlowDescriber(names, 'bench');
  const at = { jiffies: now, hz: HZ, time: 1_000_000 };
  const logs: FlowLog[] = [];
  const described = time(() => forEachFlowReport(reports, (report) => void describer.describeReport(report, at, logs)));
  const aggregated = time(() => new FlowAggregator().add(logs));
  return {
    settle: (1e6 * settled) / flows,
    describe: (1e6 * described) / flows,
    aggregate: (1e6 * aggregated) / flows,
    sweepNew,
    sweepIdle,
  };
}

const NO_OBJECTS = { workloadEndpoints: new Map(), hostEndpoints: new Map(), networkSets: new Map() };

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
