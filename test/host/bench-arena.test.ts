// Arenas: packets arrive where the router lets them, by both ways of sending, and nothing stays on the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Arena } from '../../src/bench/arena.ts';
import type { Decider, SentFlow } from '../../src/bench/arena-spec.ts';
import { runCommand } from '../../src/bench/command.ts';
import { openArena } from '../../src/bench/deciders.ts';
import { sweepArenas } from '../../src/bench/leftovers.ts';
import { namespacesWithPrefix, processesIn } from '../../src/bench/net-namespaces.ts';
import { prepareClient, runConnections } from '../../src/bench/sockets.ts';
import { type Injection, Traffic } from '../../src/bench/traffic.ts';
import { type IpAddress, parseAddress } from '../../src/model/address.ts';
import { PROTOCOL } from '../../src/model/flow.ts';
import { takeArenaTurn } from './support/arena-turn.ts';

const ENDS = { 4: ['10.65.0.2', '10.65.0.3'], 6: ['fd00:65::2', 'fd00:65::3'] } as const;
const GUESTS = [
  { name: 'client', hostInterface: 'caliclient', addresses: [ENDS[4][0], ENDS[6][0]] },
  { name: 'server', hostInterface: 'caliserver', addresses: [ENDS[4][1], ENDS[6][1]] },
];
const IPTABLES = '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp --dport 54 -j DROP\nCOMMIT\n';
const NFTABLES =
  'table inet t { chain f { type filter hook forward priority 0; policy accept; meta l4proto { tcp, udp } th dport 54 drop; }; }\n';

takeArenaTurn();

let arena: Arena | undefined;
afterEach(() => arena?.close());

async function open(decider: Decider): Promise<Arena> {
  arena = await openArena(GUESTS, decider);
  return arena;
}

function datagram(family: 4 | 6, destinationPort: number): SentFlow {
  const [source, destination] = ENDS[family].map((text) => parseAddress(text) as IpAddress) as [IpAddress, IpAddress];
  const rest = { protocol: PROTOCOL.UDP, sourcePort: 40_000, destinationPort, icmpType: 0, icmpCode: 0 };
  return { from: 'client', flow: { source, destination, ...rest } };
}

const FLOWS = [datagram(4, 53), datagram(4, 54), datagram(6, 53), datagram(6, 54)];

describe('an arena', () => {
  it.each<{ decider: Decider; arrived: (string | undefined)[] }>([
    { decider: { kind: 'none' }, arrived: ['server', 'server', 'server', 'server'] },
    { decider: { kind: 'empty' }, arrived: ['server', 'server', 'server', 'server'] },
    {
      decider: { kind: 'iptables', ipv4: IPTABLES, ipv6: IPTABLES },
      arrived: ['server', undefined, 'server', undefined],
    },
    { decider: { kind: 'nftables', text: NFTABLES }, arrived: ['server', undefined, 'server', undefined] },
  ])('lets arrive what its router lets through: $decider.kind', async ({ decider, arrived }) => {
    const traffic = Traffic.open(await open(decider));
    expect(await traffic.arrivals(FLOWS)).toEqual(arrived);
  });

  it.each<Injection>(['live frames', 'packet socket'])('counts every packet that is sent: %s', async (injection) => {
    const traffic = Traffic.open(await open({ kind: 'none' }), { injection });
    for (const flows of [[datagram(4, 53)], [datagram(6, 53), datagram(4, 53), datagram(4, 54)]]) {
      expect(await traffic.measure(flows, 3000)).toMatchObject({ sent: 3000, arrived: 3000 });
    }
  });

  it('carries connections, and refuses to go on without', async () => {
    const built = await open({ kind: 'nftables', text: NFTABLES });
    await prepareClient(built, 'client');
    const options = { from: 'client', to: 'server', port: 53, forMs: 50 };
    const stream = await runConnections(built, { ...options, kind: 'stream' });
    expect(stream.bytes).toBeGreaterThan(0);
    for (const kind of ['rr', 'crr'] as const) {
      expect((await runConnections(built, { ...options, kind })).latenciesNs.length).toBeGreaterThan(0);
    }
    await expect(runConnections(built, { ...options, kind: 'rr', port: 54 })).rejects.toThrow(/10\.65\.0\.3 port 54/);
  });

  it('leaves the rules of the machine alone, and nothing behind', async () => {
    const before = (await runCommand(['nft', 'list', 'ruleset'])).stdout;
    const built = await open({ kind: 'nftables', text: NFTABLES });
    expect((await runCommand(['nft', 'list', 'ruleset'])).stdout).toBe(before);
    const { directory } = built;
    const prefix = `tortie-bench-${directory.split('/').at(-1)}-`;
    expect(namespacesWithPrefix(prefix)).toHaveLength(3);
    await built.close();
    expect(namespacesWithPrefix(prefix)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });

  it('says what a rule set that does not load has against it, and leaves nothing', async () => {
    const before = namespacesWithPrefix('tortie-bench-');
    await expect(open({ kind: 'nftables', text: 'nonsense' })).rejects.toThrow(/nft.*syntax error/s);
    expect(namespacesWithPrefix('tortie-bench-')).toEqual(before);
  });
});

describe('sweepArenas', () => {
  it('removes what a run left that did not end in order, with the programs inside, and no arena in use', async () => {
    const built = await open({ kind: 'none' });
    const id = '00c0ffee';
    await runCommand(['ip', 'netns', 'add', `tortie-bench-${id}-router`]);
    mkdirSync(`/run/tortie-bench/${id}/bpf`, { recursive: true });
    const orphan = spawn('nsenter', [`--net=/run/netns/tortie-bench-${id}-router`, '--', 'sleep', '600']);
    const ended = once(orphan, 'close');
    // nsenter is in the namespace only once it runs the program.
    await vi.waitUntil(() => processesIn([`tortie-bench-${id}-router`]).includes(orphan.pid ?? 0));
    expect(sweepArenas()).toContain(id);
    await ended;
    expect(namespacesWithPrefix(`tortie-bench-${id}`)).toEqual([]);
    expect(existsSync(built.directory)).toBe(true);
  });
});
