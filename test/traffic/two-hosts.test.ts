// Policy between two hosts and an outsider that meet on a wire, each host with an agent of its own: whatever happens to link, agent
// or host, what the manifests allow arrives and what they do not allow never does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { datagrams, iperf, type Place, ping } from '../../tools/traffic/programs.ts';
import { PolicyTruth, type ProbeKind } from '../host/support/policy-truth.ts';
import { expectNothingAnswered, type Knocks, startKnocks } from './support/knocks.ts';
import { CLOSED_PORT, HOSTS, IPERF_PORT, OPEN_PORT, OUTSIDER } from './support/network.ts';
import { Setting } from './support/setting.ts';
import { expectAlive, expectNothingLost, startStreams } from './support/streams.ts';

const WORKLOADS = HOSTS.flatMap(({ workloads }) => workloads);
const KINDS: readonly ProbeKind[] = [
  ...[OPEN_PORT, CLOSED_PORT].flatMap((port) =>
    (['tcp', 'udp', 'sctp'] as const).map((transport) => ({ transport, port })),
  ),
  { transport: 'icmp' },
];
/** IP and ICMP headers, by family. */
const PING_HEADERS = [28, 48] as const;
/** Many times what a sender may have under way before anything is acknowledged; iperf3 ends with its last bytes unread. */
const FLOWING = 256 * 1024;
/** So few that a receiver's buffer takes all of them, however busy the machine. */
const UDP_WORDS = ['-u', '-b', '1M', '-n', '80K', '-l', '1200'];
const FRAGMENTED = [1400, 1473, 4000, 8000, 30_000, 60_000];

function addressesOf(name: string): readonly string[] {
  return WORKLOADS.find((one) => one.name === name)?.addresses ?? [];
}

describe('two hosts and an outsider', () => {
  let setting: Setting;
  let web: Place;
  let api: Place;
  let one: Place;

  beforeAll(async () => {
    setting = await Setting.create();
    const [host1, host2] = setting.hosts;
    web = host1.place('web');
    one = host1.place('one');
    api = host2.place('api');
  });

  afterAll(async () => {
    await setting?.close();
  });

  async function expectTruth(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests).cases([...WORKLOADS, OUTSIDER], WORKLOADS, KINDS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  async function expectMtu(mtu: number): Promise<void> {
    await setting.setMtu(mtu);
    for (const [family, address] of addressesOf('api').entries()) {
      const fits = mtu - (PING_HEADERS[family] ?? 0);
      expect({ address, ...(await ping(web, address, fits + 1, true)) }).toMatchObject({ mtu, answered: 0 });
      expect({ address, ...(await ping(web, address, fits, true)) }).toMatchObject({ sent: 3, answered: 3 });
    }
    // Nobody knows the path again: TCP has to find it out by itself.
    await setting.setMtu(mtu);
    for (const address of addressesOf('api')) {
      const { bytes, error } = await iperf(web, api, { address, port: IPERF_PORT, words: ['-n', '2M'] });
      expect({ mtu, address, error }).toEqual({ mtu, address, error: undefined });
      expect(bytes).toBeGreaterThan(FLOWING);
    }
  }

  async function whileKnocking(act: () => Promise<void>): Promise<void> {
    const knocks: Knocks = startKnocks(setting);
    try {
      await act();
    } finally {
      await expectNothingAnswered(knocks);
    }
  }

  it('give every pair of workloads, on one host or on two, what the manifests say', async () => {
    await expectTruth();
  });

  it('give the outsider the same by way of the wrong host', async () => {
    await setting.routeOutsiderThrough(1);
    await expectTruth();
    await setting.routeOutsiderThrough(0);
    await expectTruth();
    await setting.routeOutsiderStraight();
  });

  it('carry iperf3 both ways, in both families, by TCP and UDP, and not where it is not allowed', async () => {
    for (const [from, to, target] of [
      [web, api, 'api'],
      [api, web, 'web'],
    ] as const) {
      for (const address of addressesOf(target)) {
        const tcp = await iperf(from, to, { address, port: IPERF_PORT, words: ['-n', '4M'] });
        expect(tcp).toMatchObject({ error: undefined });
        expect(tcp.bytes).toBeGreaterThan(FLOWING);
        const udp = await iperf(from, to, { address, port: IPERF_PORT, words: UDP_WORDS });
        expect(udp).toMatchObject({ error: undefined, lost: 0 });
        console.log(`traffic: to ${address}: tcp ${(tcp.bitsPerSecond / 1e6).toFixed(0)} Mbit/s`);
      }
    }
    const [address = ''] = addressesOf('api');
    const denied = await iperf(one, api, {
      address,
      port: IPERF_PORT,
      words: ['-t', '1', '--connect-timeout', '1000'],
    });
    expect(denied.error).toMatch(/unable to connect/);
  });

  it('find the MTU of the path through policy, and move data at each', async () => {
    const mtus = [1280, 1400, 1500, 9000].filter((mtu) => mtu <= setting.carrier.largestMtu);
    try {
      for (const mtu of mtus) await expectMtu(mtu);
    } finally {
      await setting.setMtu(1500);
    }
  });

  it('carry packets in fragments where the whole is allowed, and nowhere else', async () => {
    for (const [family, address] of addressesOf('api').entries()) {
      expect(await ping(web, address, 8000, false)).toMatchObject({ sent: 3, answered: 3 });
      expect(await ping(web, address, 60_000, false)).toMatchObject({ sent: 3, answered: 3 });
      expect(await ping(one, address, 8000, false)).toMatchObject({ sent: 3, answered: 0 });
      expect(await datagrams(web, address, OPEN_PORT, FRAGMENTED)).toEqual(FRAGMENTED);
      expect(await datagrams(web, address, CLOSED_PORT, FRAGMENTED)).toEqual([]);
      expect(await datagrams(setting.outsider, address, OPEN_PORT, FRAGMENTED)).toEqual([]);
      const two = addressesOf('two')[family] ?? '';
      expect(await datagrams(one, two, OPEN_PORT, FRAGMENTED)).toEqual(FRAGMENTED);
    }
  });

  it('keep connections through a link that flaps, and let nothing else through it', async () => {
    const streams = await startStreams(setting.peer('web'), addressesOf('api'));
    await whileKnocking(async () => {
      for (const host of setting.hosts) {
        await host.flapLink(1000);
        await expectAlive(streams);
      }
    });
    for (const stream of streams) await stream.stop();
    await expectTruth();
  });

  it('drop what is not allowed from the moment that a new interface exists', async () => {
    await whileKnocking(async () => {
      const [host1, host2] = setting.hosts;
      await Promise.all([host1.replug('one'), host2.replug('two')]);
      await setting.waitForWorkloads();
    });
    await expectTruth();
  });

  it('change agents to a later build under traffic without a lost or a wrong packet', async () => {
    const streams = await startStreams(setting.peer('web'), addressesOf('api'));
    await whileKnocking(async () => {
      await Promise.all(
        setting.hosts.map(async (host) => {
          const before = await host.status();
          await host.endAgent('SIGTERM');
          host.launchAgent(setting.builds.next);
          const after = await host.waitForAgent(({ inSync, loading }) => inSync && !loading);
          expect(after.version).not.toBe(before?.version);
          expect(after.generation).toBeGreaterThanOrEqual(before?.generation ?? Infinity);
          expect(after.repairs).toBe(0);
        }),
      );
    });
    await expectNothingLost(streams);
    await expectTruth();
  });

  it('have policy in force before interfaces carry traffic after a reboot', async () => {
    const [host1, host2] = setting.hosts;
    const knocks = startKnocks(setting, ['two', 'api']);
    try {
      await host2.reboot();
      await setting.bringUp(host2);
    } finally {
      await expectNothingAnswered(knocks);
    }
    expect((await host1.status())?.inSync).toBe(true);
    await expectTruth();
  });
});
