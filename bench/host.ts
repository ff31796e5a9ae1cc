// What it costs to protect a host: datagrams into its own sockets, packets that it forwards, and connections to a service of its own, by
// who decides. All deciders stand beside each other in networks of their own, everything on one CPU; rounds go over all of them in turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arena } from '../src/bench/arena.ts';
import { type Decider, nsPerPacket, ROUTER } from '../src/bench/arena-spec.ts';
import { openArena } from '../src/bench/deciders.ts';
import { prepareClient, runConnections } from '../src/bench/sockets.ts';
import { Traffic } from '../src/bench/traffic.ts';
import { builtFile, loadNative, type NetfilterHook } from '../src/kernel/native.ts';
import {
  CLIENT,
  CLOSED_PORT,
  GUESTS,
  HOST_ADDRESS,
  iptablesRules,
  nftRules,
  OPEN_PORT,
  SENDER,
  SERVER,
  SERVER_ADDRESS,
  udpPacket,
  writeHostManifests,
} from './host-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const RULES = 10_000;
const QUICK_RULES = 100;
const READING_MS = 40;
const TRIAL_PACKETS = 1000;
const CONNECTIONS_MS = 200;
/** More than this share lost, and what was measured is not the path. */
const LOSS_ALLOWED = 0.001;
/** `empty`: programs that let everything pass, at the hooks of ours. None could be faster. */
const DECIDERS = ['none', 'empty', 'tortie', 'nft-set-ct', 'iptables-ct'] as const;
const IS_ENFORCED: Readonly<Record<Who, boolean>> = {
  none: false,
  empty: false,
  tortie: true,
  'nft-set-ct': true,
  'iptables-ct': true,
};
const HOOKS: readonly NetfilterHook[] = ['local-in', 'forward', 'local-out'];
const PRIORITY = -1;
const UNITS = { 'udp-in': 'ns', forward: 'ns', 'tcp-crr': '1/s' } as const;

type Who = (typeof DECIDERS)[number];
type Measure = keyof typeof UNITS;
type PacketMeasure = Exclude<Measure, 'tcp-crr'>;

interface Path {
  readonly traffic: Traffic;
  /** What one injects into a namespace, no other may: a path has a sender of its own. */
  readonly from: typeof CLIENT | typeof SENDER;
  readonly to: string;
  packets: number;
}

interface Lane {
  readonly who: Who;
  readonly arena: Arena;
  readonly paths: Readonly<Record<PacketMeasure, Path>>;
  readonly readings: Record<Measure, number[]>;
}

export async function benchHost(run: BenchRun): Promise<BenchResult[]> {
  const rules = run.isQuick ? QUICK_RULES : RULES;
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeHostManifests(folder, rules);
  const lanes: Lane[] = [];
  for (const who of DECIDERS) {
    run.progress(`host: set up ${who}, ${rules} rules`);
    lanes.push(await openLane(who, deciderOf(who, rules, folder), run));
  }
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`host: round ${round} of ${run.rounds}`);
    // The first round warms up.
    for (const lane of lanes) await measureOnce(lane, round > 0);
  }
  return resultsOf(lanes);
}

function deciderOf(who: Who, rules: number, manifests: string): Decider {
  switch (who) {
    case 'none':
    case 'empty':
      return { kind: 'none' };
    case 'tortie':
      return { kind: 'tortie', manifests };
    case 'nft-set-ct':
      return { kind: 'nftables', text: nftRules(rules) };
    case 'iptables-ct':
      return { kind: 'iptables', ipv4: iptablesRules(rules), ipv6: '' };
  }
}

async function openLane(who: Who, decider: Decider, run: BenchRun): Promise<Lane> {
  const arena = await openArena(GUESTS, decider);
  run.onEnd(() => arena.close());
  if (who === 'empty') attachEmpty(arena);
  await arena.exec(ROUTER, ['ip', 'address', 'add', `${HOST_ADDRESS}/32`, 'dev', 'lo']);
  await prepareClient(arena, CLIENT);
  const sockets = Traffic.open(arena, { end: 'sockets' });
  for (const port of [OPEN_PORT, CLOSED_PORT]) sockets.receive(HOST_ADDRESS, port);
  const paths: Lane['paths'] = {
    'udp-in': { traffic: sockets, from: CLIENT, to: HOST_ADDRESS, packets: TRIAL_PACKETS },
    forward: {
      traffic: Traffic.open(arena, { receivers: [SERVER] }),
      from: SENDER,
      to: SERVER_ADDRESS,
      packets: TRIAL_PACKETS,
    },
  };
  for (const path of Object.values(paths)) {
    await checkVerdicts(who, path);
    path.packets = Math.round((READING_MS * 1e6) / (await measurePackets(who, path)));
  }
  return { who, arena, paths, readings: { 'udp-in': [], forward: [], 'tcp-crr': [] } };
}

function attachEmpty(arena: Arena): void {
  const { BpfObject, inNamespace, netfilterAttach } = loadNative();
  const object = BpfObject.open(builtFile('build/bpf/bench/netfilter.bpf.o'), {});
  arena.onClose(() => object.close());
  for (const hook of HOOKS) {
    const attach = () => netfilterAttach(object.program('bench_accept'), 4, hook, PRIORITY);
    const link = inNamespace(arena.namespacePath(ROUTER), attach);
    arena.onClose(() => link.close());
  }
}

/** Throws unless the measured packets arrive, and those that policy denies only where nobody enforces it. */
async function checkVerdicts(who: Who, { traffic, from, to }: Path): Promise<void> {
  const count = 20;
  const open = await traffic.measure([udpPacket(from, to, OPEN_PORT)], count);
  const closed = await traffic.measure([udpPacket(from, to, CLOSED_PORT)], count);
  if (open.arrived === count && closed.arrived === (IS_ENFORCED[who] ? 0 : count)) return;
  throw new Error(
    `${who}: ${open.arrived} of ${count} measured packets to ${to} arrived, ${closed.arrived} denied ones`,
  );
}

async function measurePackets(who: Who, { traffic, from, to, packets }: Path): Promise<number> {
  const sample = await traffic.measure([udpPacket(from, to, OPEN_PORT)], packets);
  const lost = sample.sent - sample.arrived;
  if (lost > LOSS_ALLOWED * sample.sent)
    throw new Error(`${who}: ${lost} of ${sample.sent} packets to ${to} were lost`);
  return nsPerPacket(sample);
}

async function measureOnce({ who, arena, paths, readings }: Lane, counts: boolean): Promise<void> {
  for (const [name, path] of Object.entries(paths) as [PacketMeasure, Path][]) {
    const reading = await measurePackets(who, path);
    if (counts) readings[name].push(reading);
  }
  const to = { to: ROUTER, address: HOST_ADDRESS, port: OPEN_PORT };
  const { latenciesNs, elapsedNs } = await runConnections(arena, {
    kind: 'crr',
    from: CLIENT,
    ...to,
    forMs: CONNECTIONS_MS,
  });
  if (counts) readings['tcp-crr'].push((latenciesNs.length * 1e9) / elapsedNs);
}

/** Each measure itself, and how fast it is in percent of the same round's reading without a firewall. */
function resultsOf(lanes: readonly Lane[]): BenchResult[] {
  const none = lanes.find(({ who }) => who === 'none')?.readings;
  return (Object.keys(UNITS) as Measure[]).flatMap((measure) =>
    lanes.flatMap(({ who, readings }) => {
      const values = readings[measure];
      const share = (value: number, round: number): number => {
        const free = none?.[measure][round] ?? Number.NaN;
        return UNITS[measure] === 'ns' ? (100 * free) / value : (100 * value) / free;
      };
      return [
        result(measure, { who }, values, UNITS[measure]),
        ...(who === 'none' ? [] : [result(`${measure} of none`, { who }, values.map(share), '%')]),
      ];
    }),
  );
}

function result(name: string, params: BenchResult['params'], values: readonly number[], unit: string): BenchResult {
  const { median, spread } = summarize(values);
  const digits = median < 1000 ? 10 : 1;
  const round = (value: number): number => Math.round(value * digits) / digits;
  return { section: 'host', name, params, value: round(median), unit, spread: round(spread) };
}
