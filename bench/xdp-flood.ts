// New TCP connections of somebody honest while SYNs come in from addresses of others, as many as one may send: how many of them come
// about, and at which rate, by who decides. The flood, the way of all packets and both ends of the connections share one CPU.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from '../src/bench/arena.ts';
import { ROUTER_MAC } from '../src/bench/arena-plan.ts';
import { type Decider, ROUTER } from '../src/bench/arena-spec.ts';
import { planCpus } from '../src/bench/cpus.ts';
import { openArena } from '../src/bench/deciders.ts';
import { flowFrame } from '../src/bench/frames.ts';
import { interfaceIndex } from '../src/bench/hooks.ts';
import { prepareClient, runConnections } from '../src/bench/sockets.ts';
import { builtFile, loadNative } from '../src/kernel/native.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { PROTOCOL } from '../src/model/flow.ts';
import { CLIENT, GUESTS, HOST_ADDRESS, iptablesRules, nftRules, OPEN_PORT, SENDER } from './host-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const RULES = 10_000;
const QUICK_RULES = 100;
const SOURCES = 32_768;
const BURST = 512;
/** Between bursts: some fifty thousand SYNs a second, if the CPU has the time for them. */
const PAUSE_MS = 10;
/** One that fails ends the slice it is in: its others do not count then. */
const SLICE_MS = 50;
const SLICES = 10;
const DECIDERS = ['none', 'tortie', 'nft-set-ct', 'iptables-ct'] as const;

/** All honest connections come from one address here, more than the guard lets one open unless told so. */
const PROTECTION = ['--guard-interfaces', 'uplink*', '--syn-protection', 'auto', '--syn-source-rate', '0'];

type Who = (typeof DECIDERS)[number];

interface Lane {
  readonly who: Who;
  readonly arena: Arena;
  readonly shares: number[];
  readonly rates: number[];
  readonly floods: number[];
}

export async function benchFlood(run: BenchRun, folder: string): Promise<BenchResult[]> {
  const rules = run.isQuick ? QUICK_RULES : RULES;
  const frames = floodFrames();
  const lanes: Lane[] = [];
  for (const who of DECIDERS) {
    run.progress(`xdp: set up flood of ${who}, ${rules} rules`);
    const arena = await openArena(GUESTS, deciderOf(who, rules, folder));
    run.onEnd(() => arena.close());
    await arena.exec(ROUTER, ['ip', 'address', 'add', `${HOST_ADDRESS}/32`, 'dev', 'lo']);
    // What the guard answers with cookies the kernel must believe: docs/syn-protection.md. Others have the kernel's default.
    if (who === 'tortie') await arena.exec(ROUTER, ['tee', '/proc/sys/net/ipv4/tcp_syncookies'], '2');
    await prepareClient(arena, CLIENT);
    lanes.push({ who, arena, shares: [], rates: [], floods: [] });
  }
  for (let round = 0; round <= Math.ceil(run.rounds / 3); round += 1) {
    run.progress(`xdp: flood, round ${round} of ${Math.ceil(run.rounds / 3)}`);
    for (const lane of lanes) await measureOnce(lane, frames, round > 0);
  }
  return lanes.flatMap(resultsOf);
}

async function measureOnce(lane: Lane, frames: readonly Uint8Array[], counts: boolean): Promise<void> {
  const stop = flood(lane.arena, frames);
  let opened = 0;
  let failed = 0;
  const start = process.hrtime.bigint();
  for (let slice = 0; slice < SLICES; slice += 1) {
    const target = { to: ROUTER, address: HOST_ADDRESS, port: OPEN_PORT };
    try {
      const job = { kind: 'crr', from: CLIENT, ...target, forMs: SLICE_MS } as const;
      opened += (await runConnections(lane.arena, job)).latenciesNs.length;
    } catch {
      failed += 1;
    }
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const sent = await stop();
  if (!counts) return;
  lane.shares.push((100 * opened) / (opened + failed));
  lane.rates.push(opened / seconds);
  lane.floods.push(sent / seconds);
}

/** Sends the frames in turn until told to stop. Resolves to how many it sent. */
function flood(arena: Arena, frames: readonly Uint8Array[]): () => Promise<number> {
  const { BpfObject, sendPackets } = loadNative();
  const { namespace, device } = arena.guest(SENDER);
  const path = arena.namespacePath(namespace);
  const ifindex = interfaceIndex(path, device);
  // Nobody counts arrivals: the sender waits for them in vain, and not for long.
  const object = BpfObject.open(builtFile('build/bpf/traffic.bpf.o'), {});
  const job = {
    namespace: path,
    cpu: planCpus().traffic,
    packets: BURST,
    arrivals: object.map('tt_arrivals'),
    patienceMs: 0,
  };
  let isOn = true;
  const send = async (): Promise<number> => {
    let sent = 0;
    for (; isOn; sent += BURST) {
      const from = sent % frames.length;
      await sendPackets(ifindex, frames.slice(from, from + BURST), job);
      await sleep(PAUSE_MS);
    }
    object.close();
    return sent;
  };
  const done = send();
  return () => {
    isOn = false;
    return done;
  };
}

/** Each from an address of its own. */
function floodFrames(): Uint8Array[] {
  const sourceMac = GUESTS.find(({ name }) => name === SENDER)?.mac as string;
  return Array.from({ length: SOURCES }, (_, index) => {
    const flow = {
      source: parseAddress(`198.19.${(index >>> 8) & 255}.${index & 255}`) as IpAddress,
      destination: parseAddress(HOST_ADDRESS) as IpAddress,
      protocol: PROTOCOL.TCP,
      sourcePort: 1024 + index,
      destinationPort: OPEN_PORT,
      icmpType: 0,
      icmpCode: 0,
    };
    return flowFrame(flow, { tag: 1, sourceMac, destinationMac: ROUTER_MAC });
  });
}

function deciderOf(who: Who, rules: number, folder: string): Decider {
  switch (who) {
    case 'none':
      return { kind: 'none' };
    case 'tortie': {
      const manifests = join(folder, 'no-policy');
      mkdirSync(manifests, { recursive: true });
      return { kind: 'tortie', manifests, agentFlags: PROTECTION };
    }
    case 'nft-set-ct':
      return { kind: 'nftables', text: nftRules(rules) };
    case 'iptables-ct':
      return { kind: 'iptables', ipv4: iptablesRules(rules), ipv6: '' };
  }
}

function resultsOf({ who, shares, rates, floods }: Lane): BenchResult[] {
  const row = (name: string, values: readonly number[], unit: string): BenchResult => {
    const { median, spread } = summarize(values);
    const round = (value: number): number => (unit === '%' ? Math.round(value * 100) / 100 : Math.round(value));
    return { section: 'xdp-path', name, params: { who }, value: round(median), unit, spread: round(spread) };
  };
  return [row('flood-share', shares, '%'), row('flood-rate', rates, '1/s'), row('flood-syns', floods, '1/s')];
}
