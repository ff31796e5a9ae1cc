// The lab by itself, with no policy in the way: every kind of probe tells open, closed and dropped apart, and nothing is left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/bench/command.ts';
import { netnsPath, processesIn } from '../../src/bench/net-namespaces.ts';
import { bpffsPath } from '../../tools/lab/leftovers.ts';
import { HOST, Lab } from '../../tools/lab/namespaces.ts';
import { Peer, type ProbeResult, type Transport } from '../../tools/lab/peer.ts';
import type { LabSpec } from '../../tools/lab/topology.ts';
import { describeDisagreements, type TruthCase, truthTable } from '../../tools/lab/truth-table.ts';

const OPEN_PORT = 8080;
const CLOSED_PORT = 8081;
const PORTED: readonly Transport[] = ['tcp', 'udp', 'sctp'];

const SPEC: LabSpec = {
  workloads: [
    { name: 'red', hostInterface: 'calired', addresses: ['10.65.9.1', 'fd00:65:9::1'] },
    { name: 'green', hostInterface: 'caligreen', addresses: ['10.65.9.2', 'fd00:65:9::2'], mac: '02:00:00:00:00:02' },
    { name: 'blue', hostInterface: 'caliblue', addresses: ['10.65.9.3', 'fd00:65:9::3'] },
  ],
  outsiders: [
    {
      name: 'outsider',
      hostInterface: 'eth0',
      subnets: [
        { host: '198.51.100.1/24', outsider: '198.51.100.10/24' },
        { host: '2001:db8:51::1/64', outsider: '2001:db8:51::10/64' },
      ],
    },
  ],
};

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  red: ['10.65.9.1', 'fd00:65:9::1'],
  green: ['10.65.9.2', 'fd00:65:9::2'],
  blue: ['10.65.9.3', 'fd00:65:9::3'],
  outsider: ['198.51.100.10', '2001:db8:51::10'],
  [HOST]: ['172.31.255.1', 'fd00:ff::1'],
};

function casesTo(
  to: string,
  transport: Transport,
  port: number | undefined,
  expected: ProbeResult,
  timeoutMs = 1000,
): TruthCase[] {
  return (ADDRESSES[to] ?? []).flatMap((address) =>
    Object.keys(ADDRESSES)
      .filter((from) => from !== to)
      .map((from) => ({ from, to, request: { transport, address, port, timeoutMs }, expected: [expected] })),
  );
}

async function startPeers(lab: Lab): Promise<Map<string, Peer>> {
  const names = Object.keys(ADDRESSES);
  const peers = await Promise.all(names.map((name) => Peer.start(lab, name)));
  await Promise.all(
    peers.flatMap((peer) => (['tcp', 'udp', 'sctp'] as const).map((kind) => peer.listen(kind, [OPEN_PORT]))),
  );
  return new Map(names.map((name, index) => [name, peers[index] as Peer]));
}

const forwardRule = (rule: string) => `table inet lab { chain c { type filter hook forward priority 0; ${rule}; }; }`;

/** ICMP errors sent by a namespace: IPv4 destination unreachable, IPv6 parameter problem (its word for an unknown protocol). */
async function countIcmpErrors(lab: Lab, name: string): Promise<{ v4: number; v6: number }> {
  const [names = '', values = ''] = (await lab.exec(name, ['grep', '^Icmp:', '/proc/net/snmp'])).stdout.split('\n');
  const v4 = values.split(' ')[names.split(' ').indexOf('OutDestUnreachs')];
  const v6 = (await lab.exec(name, ['grep', 'Icmp6OutParmProblems', '/proc/net/snmp6'])).stdout.split(/\s+/)[1];
  return { v4: Number(v4), v6: Number(v6) };
}

describe('the lab', () => {
  let lab: Lab;
  let peers: Map<string, Peer>;

  beforeAll(async () => {
    Lab.sweep();
    lab = await Lab.create(SPEC);
    peers = await startPeers(lab);
  });

  afterAll(async () => {
    await lab?.close();
  });

  async function expectTruth(cases: readonly TruthCase[]): Promise<void> {
    expect(cases.length).toBeGreaterThan(0);
    expect(describeDisagreements(await truthTable(peers, cases))).toEqual([]);
  }

  it('opens every kind of probe between all pairs, host and outsider included, in both families', async () => {
    const names = Object.keys(ADDRESSES);
    const ported = names.flatMap((to) => PORTED.flatMap((transport) => casesTo(to, transport, OPEN_PORT, 'open')));
    await expectTruth([...ported, ...names.flatMap((to) => casesTo(to, 'icmp', undefined, 'open'))]);
  });

  it('is refused where nothing listens', async () => {
    await expectTruth(PORTED.flatMap((transport) => casesTo('green', transport, CLOSED_PORT, 'refused')));
  });

  it('is unreachable where the host has no route', async () => {
    const cases = ['10.65.9.99', 'fd00:65:9::99'].flatMap((address) =>
      (['tcp', 'udp', 'icmp'] as const).map((transport) => ({
        from: 'red',
        to: 'nobody',
        request: { transport, address, port: OPEN_PORT },
        expected: ['unreachable'] as const,
      })),
    );
    await expectTruth(cases);
  });

  it('does not take ICMP protocol unreachable for an answer to SCTP', async () => {
    // Without a peer and its raw socket, the outsider's kernel answers for protocol 132.
    await (peers.get('outsider') as Peer).close();
    await expectTruth(
      (ADDRESSES.outsider ?? []).map((address) => ({
        from: 'red',
        to: 'outsider',
        request: { transport: 'sctp', address, port: OPEN_PORT, timeoutMs: 300 },
        expected: ['timeout'],
      })),
    );
    expect(await countIcmpErrors(lab, 'outsider')).toEqual({ v4: 1, v6: 1 });
    const again = await Peer.start(lab, 'outsider');
    await Promise.all((['tcp', 'udp', 'sctp'] as const).map((kind) => again.listen(kind, [OPEN_PORT])));
    peers.set('outsider', again);
  });

  it('sends from the address and port it is told', async () => {
    const red = peers.get('red') as Peer;
    const request = { address: '10.65.9.2', port: OPEN_PORT, sourceAddress: '10.65.9.1', sourcePort: 4444 } as const;
    for (let round = 0; round < 2; round++) {
      for (const transport of PORTED) expect((await red.probe({ ...request, transport })).result).toBe('open');
    }
    await expect(red.probe({ ...request, transport: 'tcp', sourceAddress: '10.65.9.77' })).rejects.toThrow(
      /assign requested address/,
    );
  });

  it('times out where the host drops, and a stream tells the stall from the recovery', async () => {
    const stream = (peers.get('red') as Peer).stream({ address: '10.65.9.3', port: OPEN_PORT });
    await stream.progress(10, 2000);
    await lab.exec(HOST, ['nft', '-f', '-'], forwardRule('oifname "caliblue" drop'));
    const closed = [...PORTED, 'icmp' as const].flatMap((transport) =>
      casesTo('blue', transport, OPEN_PORT, 'timeout', 300),
    );
    await expectTruth(closed.filter((one) => one.from !== HOST));
    await stream.waitFor((report) => report.state === 'stalled', 2000);
    await lab.exec(HOST, ['nft', 'delete', 'table', 'inet', 'lab']);
    await stream.waitFor((report) => report.state === 'alive', 5000);
    const last = await stream.stop();
    expect(last.state).toBe('stopped');
    expect(last.lost).toBeGreaterThan(0);
    expect(stream.longestGapMs).toBeGreaterThan(250);
  });

  it('reports a stream that is reset, and one that never opens', async () => {
    const red = peers.get('red') as Peer;
    const refused = red.stream({ address: 'fd00:65:9::2', port: CLOSED_PORT });
    await refused.waitFor((report) => report.state === 'refused', 2000);
    const stream = red.stream({ address: '10.65.9.2', port: OPEN_PORT });
    await stream.progress(5, 2000);
    await lab.exec(HOST, ['nft', '-f', '-'], forwardRule('meta l4proto tcp reject with tcp reset'));
    const last = await stream.waitFor((report) => report.state === 'reset', 2000);
    await lab.exec(HOST, ['nft', 'delete', 'table', 'inet', 'lab']);
    expect(last.detail).toBe('Connection reset by peer');
  });

  it('counts the answers to a storm of datagrams, in both families', async () => {
    const red = peers.get('red') as Peer;
    for (const address of ADDRESSES.green ?? []) {
      const stop = red.storm(address, OPEN_PORT);
      expect((await red.probe({ transport: 'tcp', address, port: OPEN_PORT })).result).toBe('open');
      const { sent, answered } = await stop();
      expect(sent).toBeGreaterThan(0);
      expect(answered).toBe(sent);
    }
    const stop = red.storm('10.65.9.2', CLOSED_PORT);
    expect((await red.probe({ transport: 'udp', address: '10.65.9.2', port: CLOSED_PORT })).result).toBe('refused');
    const unanswered = await stop();
    expect(unanswered.sent).toBeGreaterThan(0);
    expect(unanswered.answered).toBe(0);
  });

  it('takes an interface away and gives it back, in two steps', async () => {
    const request = { transport: 'icmp', address: '10.65.9.3', timeoutMs: 300 } as const;
    const red = peers.get('red') as Peer;
    await lab.removeInterface('blue');
    expect((await red.probe(request)).result).toBe('unreachable');
    await lab.addInterface('blue');
    expect((await red.probe(request)).result).toBe('unreachable');
    await lab.connect('blue');
    expect((await red.probe(request)).result).toBe('open');
    await expect(lab.addInterface('outsider')).rejects.toThrow(/no such workload/);
  });

  it('keeps a bpffs of its own visible to programs in a namespace', async () => {
    const { stdout } = await lab.exec(HOST, ['stat', '--file-system', '--format=%T', lab.bpffs]);
    expect(stdout.trim()).toBe('bpf_fs');
  });
});

describe('a lab that ended badly', () => {
  const leftovers = () => readdirSync('/run/netns').filter((name) => name.startsWith('tt'));
  const ofThisProcess = () => leftovers().filter((name) => name.startsWith(`tt${process.pid}-`));

  it('is swept by the next run, with its bpffs and the programs that were left in it', async () => {
    // The names a crashed lab leaves are those of a process that is no more.
    const ghost = spawn('true');
    await once(ghost, 'close');
    const prefix = `tt${ghost.pid}-0.1`;
    await runCommand(['ip', 'netns', 'add', `${prefix}-host`]);
    mkdirSync(bpffsPath(prefix), { recursive: true });
    await runCommand(['mount', '-t', 'bpf', prefix, bpffsPath(prefix)]);
    const orphan = spawn('nsenter', [`--net=${netnsPath(`${prefix}-host`)}`, '--', 'sleep', '600']);
    await vi.waitUntil(() => processesIn([`${prefix}-host`]).includes(orphan.pid ?? 0));

    // Whoever makes a lab meanwhile sweeps too, and may have been first.
    Lab.sweep();
    await once(orphan, 'close');
    expect(leftovers()).not.toContain(`${prefix}-host`);
    expect(existsSync(bpffsPath(prefix))).toBe(false);
  });

  it('is not confused with one that runs', async () => {
    const first = await Lab.create(SPEC);
    const second = await Lab.create(SPEC);
    const swept = Lab.sweep();
    expect(swept).not.toContain(first.prefix);
    expect(swept).not.toContain(second.prefix);
    expect((await first.exec('red', ['ip', '-br', 'address', 'show', 'eth0'])).stdout).toContain('10.65.9.1/32');
    await first.close();
    await second.close();
    expect(leftovers().filter((name) => name.startsWith(first.prefix) || name.startsWith(second.prefix))).toEqual([]);
  });

  it('leaves nothing when the network cannot be built', async () => {
    const before = ofThisProcess();
    const spec = { workloads: [{ name: 'x', hostInterface: 'more-than-15-characters', addresses: [] }] };
    await expect(Lab.create(spec)).rejects.toThrow(/ip -n/);
    expect(ofThisProcess()).toEqual(before);
  });
});
