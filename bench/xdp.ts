// Nanoseconds that the guard adds to an empty XDP program, by BPF_PROG_TEST_RUN: a blocked source dropped before the
// stack, over blocklists of several sizes in turn. Also what their tables take, how long those are made, and one more prefix.
import { performance } from 'node:perf_hooks';
import { HeapDims } from '../src/abi/heap.gen.ts';
import { Guard } from '../src/kernel/guard.ts';
import { probePacket } from '../src/kernel/probe-packet.ts';
import type { IpAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import { compilePrefixTable } from '../src/tables/prefix-table.ts';
import type { PrefixLists, PrefixTable } from '../src/tables/prefix-table-list.ts';
import { walkPrefixTable } from '../src/tables/prefix-table-lookup.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';
import { addressOf, measureAdds } from './xdp-add.ts';
import { measureRequests } from './xdp-request.ts';
import { blockedSources, blocklist, type Family } from './xdp-world.ts';

const CIDRS = [1_000, 100_000, 1_000_000];
const QUICK_CIDRS = [1_000, 10_000, 100_000];
const FAMILIES: readonly Family[] = [4, 6];
const OBJECT = 'build/bpf/bench/xdp.bpf.o';
/** Where the compiler of the kernel puts a program moves readings by some ns: several loads even that out. */
const LOADS = 3;
const RUNS_PER_ROUND = 8;
const REPEAT = 20_000;
const ADDS = 50;
/** As bench/xdp.bpf.c has them. */
const SOURCES = 65_536;
const SOURCE_AT: Readonly<Record<Family, number>> = { 4: 26, 6: 22 };
/** linux/bpf.h */
const XDP_DROP = 1;
const XDP_PASS = 2;
const MEGABYTE = 1e6;
const BASE = HeapDims.HEAP_BLOCK_WORDS;
const ANY_CAPACITY = 2 ** 26;

/**
 * The source that is longest to find over and over, or another blocked one for each frame; each against the same
 * without the guard.
 */
const MEASURES = [
  { name: 'drop', program: 'bench_guard', empty: 'bench_empty' },
  { name: 'drop-changing', program: 'bench_change_guard', empty: 'bench_change' },
] as const;

interface Subject {
  readonly family: Family;
  readonly cidrs: number;
  readonly lists: PrefixLists;
  readonly buildMs: number[];
  /** Of one more prefix. */
  readonly addMs: number[];
  /** Of a request for it, in the agent. */
  readonly requestMs: number[];
  words: number;
  /** By measure. */
  readonly samples: readonly number[][];
}

export async function benchXdp(run: BenchRun): Promise<BenchResult[]> {
  const sizes = run.isQuick ? QUICK_CIDRS : CIDRS;
  const subjects = FAMILIES.flatMap((family) => sizes.map((cidrs) => newSubject(family, cidrs)));
  for (let load = 1; load <= LOADS; load += 1) {
    run.progress(`xdp: ${sizes.join(', ')} prefixes, load ${load} of ${LOADS}`);
    for (const subject of subjects) build(subject);
    await measureLoad(subjects, Math.ceil(run.rounds / LOADS));
  }
  run.progress('xdp: one more prefix');
  for (const { family, lists, addMs } of subjects) addMs.push(...(await measureAdds(family, lists, ADDS)));
  run.progress('xdp: requests for one more prefix');
  for (const { family, lists, requestMs } of subjects) {
    const addresses = Array.from({ length: ADDS }, (_, round) => addressOf(family, round));
    requestMs.push(...(await measureRequests(family, lists, addresses)));
  }
  return subjects.flatMap(resultsOf);
}

function newSubject(family: Family, cidrs: number): Subject {
  const lists = blocklist(family, cidrs);
  return { family, cidrs, lists, buildMs: [], addMs: [], requestMs: [], words: 0, samples: MEASURES.map(() => []) };
}

function build(subject: Subject): void {
  const start = performance.now();
  const { words } = compilePrefixTable(subject.lists, { base: BASE, capacity: ANY_CAPACITY });
  subject.buildMs.push(performance.now() - start);
  subject.words = words.length;
}

/** Rounds go over all subjects in turn; the first warms up and does not count. */
async function measureLoad(subjects: readonly Subject[], rounds: number): Promise<void> {
  const loaded: { subject: Subject; guard: Guard; frame: Uint8Array }[] = [];
  try {
    for (const subject of subjects) loaded.push({ subject, ...(await load(subject)) });
    for (let round = 0; round <= rounds; round += 1) {
      for (const { subject, guard, frame } of loaded) {
        for (const [index, measure] of MEASURES.entries()) {
          const cost = measureOnce(guard, frame, measure);
          if (round > 0) subject.samples[index]?.push(cost);
        }
      }
    }
  } finally {
    for (const { guard } of loaded) guard.close();
  }
}

async function load({ family, lists, words }: Subject): Promise<{ guard: Guard; frame: Uint8Array }> {
  const guard = new Guard({
    blocks: (2 * words) / HeapDims.HEAP_BLOCK_WORDS,
    object: OBJECT,
    constants: { bench_source_at: SOURCE_AT[family], bench_source_words: family === 4 ? 1 : 4 },
  });
  const table = await guard.publish(lists);
  const sources = blockedSources(lists, family, SOURCES);
  const memory = new DataView(guard.memory('bench_sources'));
  for (const [at, word] of sources.entries()) memory.setUint32(4 * at, word);
  const source = deepestSource(table, family, sources);
  const ports = { sourcePort: 1, destinationPort: 2, icmpType: 0, icmpCode: 0 };
  return { guard, frame: probePacket({ source, destination: source, protocol: PROTOCOL.UDP, ...ports }) };
}

/** The one of the sources that is longest to find. */
function deepestSource(table: PrefixTable, family: Family, sources: Uint32Array): IpAddress {
  let deepest: IpAddress | undefined;
  let most = -1;
  for (let at = 0; at < sources.length; at += 4) {
    const address: IpAddress = { family, words: [...sources.subarray(at, at + (family === 4 ? 1 : 4))] };
    const { steps } = walkPrefixTable(table, address);
    if (steps <= most) continue;
    most = steps;
    deepest = address;
  }
  return deepest as IpAddress;
}

/** Best of several short runs, over the best of as many runs of the empty program in between. */
function measureOnce(guard: Guard, frame: Uint8Array, { program, empty }: (typeof MEASURES)[number]): number {
  let bestEmpty = Number.POSITIVE_INFINITY;
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS_PER_ROUND; run += 1) {
    bestEmpty = Math.min(bestEmpty, runOnce(guard, frame, empty, XDP_PASS));
    best = Math.min(best, runOnce(guard, frame, program, XDP_DROP));
  }
  return best - bestEmpty;
}

function runOnce(guard: Guard, frame: Uint8Array, program: string, expected: number): number {
  const { durationNs, returnValue } = guard.run(frame, REPEAT, program);
  if (returnValue !== expected) throw new Error(`${program} answered ${returnValue}, expected ${expected}`);
  return durationNs;
}

function resultsOf({ family, cidrs, buildMs, addMs, requestMs, words, samples }: Subject): BenchResult[] {
  const row = (name: string, values: readonly number[], unit: string): BenchResult => {
    const { median, spread } = summarize(values);
    return { section: 'xdp', name, params: { family, cidrs }, value: round1(median), unit, spread: round1(spread) };
  };
  return [
    ...MEASURES.map(({ name }, index) => row(name, samples[index] ?? [], 'ns')),
    row('build', buildMs, 'ms'),
    { section: 'xdp', name: 'add', params: { family, cidrs }, unit: 'ms', ...fine(addMs) },
    { section: 'xdp', name: 'add-request', params: { family, cidrs }, unit: 'ms', ...fine(requestMs) },
    row('memory', [(4 * words) / MEGABYTE], 'MB'),
  ];
}

/** Fractions of a millisecond count. */
function fine(values: readonly number[]): Pick<BenchResult, 'value' | 'spread'> {
  const { median, spread } = summarize(values);
  return { value: Math.round(1000 * median) / 1000, spread: Math.round(1000 * spread) / 1000 };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
