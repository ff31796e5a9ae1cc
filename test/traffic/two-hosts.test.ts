// Policy between two hosts and an outsider that meet on a wire, each host with an agent of its own: whatever happens to link, agent
// or host, what the manifests allow arrives and what they do not allow never does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';
import { datagrams, type IperfCount, iperf, type Place, ping } from '../../tools/traffic/programs.ts';
import { type Party, PolicyTruth, type ProbeKind } from '../host/support/policy-truth.ts';
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
/** Many times what a sender may have under way before anything is acknowledged; a starved guest moves little more in a second. */
const FLOWING = 128 * 1024;
/** By time: iperf3 ends with what is in buffers unread, which on a fast machine is most of a few megabytes. */
const TCP_WORDS = ['-t', '1'];
/** So few that a receiver's buffer takes all of them, however busy the machine. */
const UDP_WORDS = ['-u', '-b', '1M', '-n', '80K', '-l', '1200'];
const FRAGMENTED = [1400, 1473, 4000, 8000, 30_000, 60_000];

function addressesOf(name: string): readonly string[] {
  return WORKLOADS.find((one) => one.name === name)?.addresses ?? [];
}

/** Both families of a workload, side by side: while one waits the other works. */
async function eachFamily(name: string, act: (address: string, family: number) => Promise<unknown>): Promise<void> {
  await Promise.all(addressesOf(name).map(act));
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

  async function expectTruth(senders: readonly Party[] = [...WORKLOADS, OUTSIDER]): Promise<void> {
    const cases = new PolicyTruth(setting.manifests).cases(senders, WORKLOADS, KINDS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  async function expectData(from: Place, to: Place, address: string, words: readonly string[]): Promise<IperfCount> {
    const count = await iperf(from, to, { address, port: IPERF_PORT, words });
    expect({ address, ...count }).toMatchObject({ address, error: undefined, lost: 0 });
    if (!words.includes('-u')) expect(count.bytes).toBeGreaterThan(FLOWING);
    return count;
  }

  async function expectMtu(mtu: number): Promise<void> {
    await setting.setMtu(mtu);
    await eachFamily('api', async (address, family) => {
      const fits = mtu - (PING_HEADERS[family] ?? 0);
      expect({ address, ...(await ping(web, address, fits + 1, true)) }).toMatchObject({ mtu, answered: 0 });
      expect({ address, ...(await ping(web, address, fits, true)) }).toMatchObject({ sent: 3, answered: 3 });
    });
    // TCP has to find it out by itself.
    await setting.forgetPaths();
    await eachFamily('api', (address) => expectData(web, api, address, TCP_WORDS));
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
    await expectTruth([OUTSIDER]);
    await setting.routeOutsiderThrough(0);
    await expectTruth([OUTSIDER]);
    await setting.routeOutsiderStraight();
  });

  it('carry iperf3 both ways, in both families, by TCP and UDP, and not where it is not allowed', async () => {
    for (const [from, to, target] of [
      [web, api, 'api'],
      [api, web, 'web'],
    ] as const) {
      await eachFamily(target, async (address) => {
        const { bitsPerSecond } = await expectData(from, to, address, TCP_WORDS);
        console.log(`traffic: to ${address}: tcp ${(bitsPerSecond / 1e6).toFixed(0)} Mbit/s`);
      });
      await eachFamily(target, (address) => expectData(from, to, address, UDP_WORDS));
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
    const targets = (name: string, port: number) =>
      addressesOf(name).map((address) => ({ address, port, sizes: FRAGMENTED }));
    const [fromWeb, fromOne, fromOutsider] = await Promise.all([
      datagrams(web, [...targets('api', OPEN_PORT), ...targets('api', CLOSED_PORT)]),
      datagrams(one, targets('two', OPEN_PORT)),
      datagrams(setting.outsider, targets('api', OPEN_PORT)),
    ]);
    expect(fromWeb).toEqual([FRAGMENTED, FRAGMENTED, [], []]);
    expect(fromOne).toEqual([FRAGMENTED, FRAGMENTED]);
    expect(fromOutsider).toEqual([[], []]);
    await eachFamily('api', async (address) => {
      const [whole, large, denied] = await Promise.all([
        ping(web, address, 8000, false),
        ping(web, address, 60_000, false),
        ping(one, address, 8000, false),
      ]);
      expect([whole, large]).toMatchObject([{ answered: 3 }, { answered: 3 }]);
      expect(denied).toMatchObject({ sent: 3, answered: 0 });
    });
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
