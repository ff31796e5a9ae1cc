// What it costs to drop packets of blocked sources that come in by an interface, by who drops them: the guard, and sets or rules of
// others at their earliest hooks. All deciders stand beside each other in networks of their own, everything on one CPU.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arena } from '../src/bench/arena.ts';
import { type Decider, ROUTER, type SentFlow } from '../src/bench/arena-spec.ts';
import { agentSocket, openArena, tortieCommand } from '../src/bench/deciders.ts';
import { Traffic } from '../src/bench/traffic.ts';
import { type IpAddress, parseAddress } from '../src/model/address.ts';
import { GUESTS, HOST_ADDRESS, OPEN_PORT, SENDER, udpPacket } from './host-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';

const SOURCES = 10_000;
const QUICK_SOURCES = 100;
const UPLINK = 'uplink2';
/** Of so many packets one is let through: its arrival tells when those before it were done with. */
const CYCLE = 16;
const READING_PACKETS = 96_000;
/** More than this share lost, and what was measured is not the path. */
const LOSS_ALLOWED = 0.01;
const DECIDERS = ['tortie', 'nft-ingress', 'nft-raw', 'iptables-raw'] as const;

type Who = (typeof DECIDERS)[number];

interface Lane {
  readonly who: Who | 'sink';
  readonly traffic: Traffic;
  readonly readings: number[];
}

export async function benchRivals(run: BenchRun, folder: string): Promise<BenchResult[]> {
  const sources = run.isQuick ? QUICK_SOURCES : SOURCES;
  const lanes: Lane[] = [];
  for (const who of ['sink', ...DECIDERS] as const) {
    run.progress(`xdp: set up ${who}, ${sources} sources`);
    lanes.push(await openLane(who, sources, folder, run));
  }
  for (let round = 0; round <= run.rounds; round += 1) {
    run.progress(`xdp: drop, round ${round} of ${run.rounds}`);
    for (const lane of lanes) {
      const reading = await measureOnce(lane, sources);
      // The first round warms up.
      if (round > 0) lane.readings.push(reading);
    }
  }
  return lanes.map(({ who, readings }) => {
    const { median, spread } = summarize(readings);
    const params = { who, sources };
    return {
      section: 'xdp-path',
      name: 'drop',
      params,
      value: Math.round(median),
      unit: 'ns',
      spread: Math.round(spread),
    };
  });
}

async function openLane(who: Lane['who'], sources: number, folder: string, run: BenchRun): Promise<Lane> {
  const arena = await openArena(GUESTS, deciderOf(who, sources, folder));
  run.onEnd(() => arena.close());
  await arena.exec(ROUTER, ['ip', 'address', 'add', `${HOST_ADDRESS}/32`, 'dev', 'lo']);
  if (who === 'tortie') await block(arena, sources, folder);
  const traffic = Traffic.open(arena, { end: who === 'sink' ? 'router' : 'sockets' });
  if (who !== 'sink') traffic.receive(HOST_ADDRESS, OPEN_PORT);
  const blocked = await traffic.measure([blockedPacket(sources - 1)], CYCLE);
  if (who !== 'sink' && blocked.arrived > 0)
    throw new Error(`${who}: ${blocked.arrived} packets of a blocked source passed`);
  return { who, traffic, readings: [] };
}

/** By the command, as somebody under attack would. */
async function block(arena: Arena, sources: number, folder: string): Promise<void> {
  const path = join(folder, 'blocked.txt');
  writeFileSync(path, `${addresses(sources).join('\n')}\n`);
  await arena.exec(ROUTER, [...tortieCommand(), 'block', 'add', '--from-file', path, '--socket', agentSocket(arena)]);
}

/** Nanoseconds for each dropped packet, with what it takes to make it and to bring it to the interface. */
async function measureOnce({ who, traffic }: Lane, sources: number): Promise<number> {
  const open = udpPacket(SENDER, HOST_ADDRESS, OPEN_PORT);
  const packets = Math.round(READING_PACKETS / CYCLE / 2) * CYCLE;
  const alone = await traffic.measure([open], packets);
  if (who === 'sink') return alone.elapsedNs / alone.arrived;
  const dropped = Array.from({ length: CYCLE - 1 }, (_, index) => blockedPacket(Math.floor((index * sources) / CYCLE)));
  // Nobody waits for those that do not arrive.
  const mixed = await traffic.measure([...dropped, open], packets, 0);
  const expected = packets / CYCLE;
  if (Math.abs(mixed.arrived - expected) > LOSS_ALLOWED * expected || alone.arrived < (1 - LOSS_ALLOWED) * packets)
    throw new Error(
      `${who}: ${mixed.arrived} of ${expected} packets arrived between dropped ones, ${alone.arrived} of ${packets} alone`,
    );
  const passed = (alone.elapsedNs / alone.arrived) * mixed.arrived;
  return (mixed.elapsedNs - passed) / (mixed.sent - mixed.arrived);
}

function blockedPacket(index: number): SentFlow {
  const { from, flow } = udpPacket(SENDER, HOST_ADDRESS, OPEN_PORT);
  return { from, flow: { ...flow, source: parseAddress(addressAt(index)) as IpAddress } };
}

function addressAt(index: number): string {
  return `198.18.${index >>> 8}.${index & 255}`;
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => addressAt(index));
}

function deciderOf(who: Lane['who'], sources: number, folder: string): Decider {
  const elements = `elements = { ${addresses(sources).join(', ')} }`;
  switch (who) {
    case 'sink':
      return { kind: 'none' };
    case 'tortie': {
      const manifests = join(folder, 'no-manifests');
      mkdirSync(manifests, { recursive: true });
      return { kind: 'tortie', manifests, agentFlags: ['--guard-interfaces', UPLINK] };
    }
    case 'nft-ingress':
      return {
        kind: 'nftables',
        text: nftTable('netdev', `filter hook ingress device ${UPLINK} priority -500`, elements),
      };
    case 'nft-raw':
      return { kind: 'nftables', text: nftTable('ip', 'filter hook prerouting priority -300', elements) };
    case 'iptables-raw':
      return { kind: 'iptables', ipv4: iptablesRules(sources), ipv6: '' };
  }
}

function nftTable(family: string, hook: string, elements: string): string {
  return `table ${family} bench {
  set blocked {
    type ipv4_addr
    ${elements}
  }
  chain drop_blocked {
    type ${hook}; policy accept;
    ip saddr @blocked drop
  }
}
`;
}

function iptablesRules(sources: number): string {
  const rules = addresses(sources).map((address) => `-A PREROUTING -s ${address}/32 -j DROP`);
  return ['*raw', ':PREROUTING ACCEPT', ...rules, 'COMMIT', ''].join('\n');
}
