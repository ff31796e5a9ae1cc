// How many new flows the agent's side can be told of: first packets at a fixed rate through the real program and its
// ring buffer, read by another process that does what the agent does with them. Nothing may get lost uncounted.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeCounter, Counter as Layout, Reason } from '../src/abi/event.gen.ts';
import { DetachedDataplane } from '../src/kernel/detached-dataplane.ts';
import { DEFAULT_MAP_SIZES } from '../src/kernel/object.ts';
import { DEFAULT_BPFFS, Pins } from '../src/kernel/pins.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import type { ConsumerCount } from './events-consumer.ts';
import { addressOf, eventsWorld, SENDER } from './events-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const CONSUMER = fileURLToPath(new URL('./events-consumer.js', import.meta.url));
/** New flows per second. */
const RATES = [10_000, 30_000, 100_000, 200_000];
/** The rate of the promise: half a core must do for it. */
const PROMISED_RATE = 100_000;
const SHARE_OF_CORE = 0.5;
const SECONDS = 1;
/** Rounds of this section are a second long for each rate. */
const ROUNDS_PER_RUN = 3;
const PAUSE_MS = 1;
const PATIENCE_MS = 5000;

interface Sample {
  readonly cpuSeconds: number;
  readonly told: number;
  readonly counted: number;
  readonly uncounted: number;
}

export async function benchEvents(run: BenchRun): Promise<BenchResult[]> {
  const pins = new Pins(`${DEFAULT_BPFFS}/tortie-bench-events-${process.pid}`);
  pins.create(DEFAULT_BPFFS);
  run.onEnd(() => rmSync(pins.root, { recursive: true, force: true }));
  const dataplane = openDataplane();
  run.onEnd(() => dataplane.close());
  dataplane.map('tt_events').pin(pins.map('tt_events'));
  const consumer = fork(CONSUMER, [pins.map('tt_events')], { stdio: 'inherit' });
  run.onEnd(() => stop(consumer));
  await message(consumer);
  const samples = RATES.map((): Sample[] => []);
  const rounds = Math.ceil(run.rounds / ROUNDS_PER_RUN);
  for (let round = 0; round <= rounds; round += 1) {
    run.progress(`events: ${RATES.join(', ')} flows/s, round ${round} of ${rounds}`);
    for (const [index, rate] of RATES.entries()) {
      const sample = await measureOnce(dataplane, consumer, rate);
      if (round > 0) samples[index]?.push(sample);
    }
  }
  return RATES.flatMap((rate, index) => resultsOf(rate, samples[index] ?? []));
}

function openDataplane(): DetachedDataplane {
  const { flows, flowCache, eventBytes } = DEFAULT_MAP_SIZES;
  return new DetachedDataplane(eventsWorld(), { object: 'bench', flows, flowCache, eventBytes });
}

/** Opens flows for a second, then waits until all are told of or counted as lost. */
async function measureOnce(dataplane: DetachedDataplane, consumer: ChildProcess, rate: number): Promise<Sample> {
  const before = await ask(consumer);
  const lostBefore = lostEvents(dataplane);
  const opened = await openFlows(dataplane, rate);
  const counted = lostEvents(dataplane) - lostBefore;
  const deadline = performance.now() + PATIENCE_MS;
  let after = await ask(consumer);
  while (after.records - before.records + counted < opened && performance.now() < deadline) {
    await sleep(10);
    after = await ask(consumer);
  }
  const told = after.records - before.records;
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, told, counted, uncounted: opened - told - counted };
}

/** As many as the rate asks for, evenly over the time. */
async function openFlows(dataplane: DetachedDataplane, rate: number): Promise<number> {
  const start = performance.now();
  let opened = 0;
  for (let elapsed = 0; elapsed < 1000 * SECONDS; elapsed = performance.now() - start) {
    const due = Math.floor((elapsed * rate) / 1000) - opened;
    if (due > 0) dataplane.run('tt_bench_open', SENDER, PACKET, due);
    opened += Math.max(0, due);
    await sleep(PAUSE_MS);
  }
  return opened;
}

const PACKET = probePacket({
  source: parseAddress(addressOf(0)) as IpAddress,
  destination: parseAddress('10.66.0.2') as IpAddress,
  protocol: PROTOCOL.UDP,
  sourcePort: 1,
  destinationPort: 53,
  icmpType: 0,
  icmpCode: 0,
});

function lostEvents(dataplane: DetachedDataplane): number {
  const value = dataplane.map('tt_counters').lookup(new Uint8Array(Uint32Array.of(Reason.EVENT_LOST).buffer));
  const view = value && new DataView(value.buffer, value.byteOffset, value.byteLength);
  let packets = 0;
  for (let at = 0; view !== undefined && at < view.byteLength; at += Layout.SIZE) {
    packets += Number(decodeCounter(view, at).packets);
  }
  return packets;
}

async function ask(consumer: ChildProcess): Promise<ConsumerCount> {
  consumer.send('count');
  return (await message(consumer)) as ConsumerCount;
}

/** The next message. Throws when the process ends instead. */
async function message(consumer: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const onExit = (code: number | null): void => ended.abort(new Error(`the reading process ended with ${code}`));
  consumer.once('exit', onExit);
  try {
    const [content] = await once(consumer, 'message', { signal: ended.signal });
    return content;
  } finally {
    consumer.off('exit', onExit);
  }
}

async function stop(consumer: ChildProcess): Promise<void> {
  if (consumer.exitCode !== null || consumer.signalCode !== null) return;
  const exited = once(consumer, 'exit');
  consumer.disconnect();
  await exited;
}

function resultsOf(rate: number, samples: readonly Sample[]): BenchResult[] {
  const row = (name: string, params: BenchResult['params'], values: readonly number[], unit: string): BenchResult => {
    const { median, spread } = summarize(values);
    return { section: 'scale', name, params, value: round2(median), unit, spread: round2(spread) };
  };
  const costs = samples.map(({ cpuSeconds, told }) => (1e6 * cpuSeconds) / told);
  const rows = [
    row('events-cost', { rate }, costs, 'us'),
    row(
      'events-lost',
      { rate },
      samples.map(({ counted }) => counted),
      'events',
    ),
    row('events-uncounted', { rate }, [Math.max(...samples.map(({ uncounted }) => Math.abs(uncounted)))], 'events'),
  ];
  if (rate !== PROMISED_RATE) return rows;
  return [
    row(
      'events',
      {},
      costs.map((us) => (1e6 * SHARE_OF_CORE) / us),
      'flows/s',
    ),
    ...rows,
  ];
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
