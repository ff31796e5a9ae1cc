// Policy edited while traffic runs: what both versions allow is never disturbed, what neither allows never gets through, and a
// change reaches open connections. A version of the policy is one file, so the change from one to the next is one change.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Agent } from '../../tools/lab/agent.ts';
import type { Peer, ServedTransport } from '../../tools/lab/peer.ts';
import type { Stream } from '../../tools/lab/stream.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting, WORKLOADS_FILE } from './support/setting.ts';
import { expectUndisturbed } from './support/undisturbed.ts';
import { type Workload, workload, workloadManifests } from './support/workloads.ts';

const client = workload('lab', 'client', 1, { labels: { app: 'client', role: 'one' } });
const alpha = workload('lab', 'alpha', 2);
const beta = workload('lab', 'beta', 3);
const WORKLOADS: readonly Workload[] = [client, alpha, beta];
const [BETA_V4 = '', BETA_V6 = ''] = beta.addresses;

const PORT = 7000;
/** What neither version allows. */
const FORBIDDEN = 7100;
/** Open in one version only: they tell which one is in force. */
const MARKERS = [7201, 7202] as const;
const PORTS = [PORT, FORBIDDEN, ...MARKERS];
const LISTENERS = PORTS.flatMap((port) => (['tcp', 'udp'] as const).map((transport) => ({ transport, port }) as const));

const FILE = '50-policy.yaml';
/** How soon a change must be felt. */
const REACTION_MS = 1000;
/** TCP sends again at doubling intervals: a connection cut for half a second may need as long again to notice. */
const REVIVAL_MS = 5000;

type Version = 0 | 1;

describe('editing policy under traffic', () => {
  let setting: Setting;
  let agent: Agent | undefined;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
  });

  afterEach(async () => {
    await setting.disarm(agent);
    agent = undefined;
    setting.manifests.remove(FILE);
    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
  });

  afterAll(async () => {
    await setting?.close();
  });

  function ask(transport: ServedTransport, port: number, timeoutMs: number): ReturnType<Setting['probe']> {
    return setting.probe('client', { transport, address: BETA_V4, port, timeoutMs });
  }

  /** Waits until a new connection finds what it should. */
  async function untilPort(port: number, expected: 'open' | 'timeout'): Promise<void> {
    await vi.waitUntil(async () => (await ask('udp', port, 60)) === expected, { timeout: REACTION_MS, interval: 1 });
  }

  describe('with two versions that agree on one connection and disagree on another', () => {
    const betaRules = [
      [{ action: 'Deny', protocol: 'TCP', destination: { ports: [PORT] } }, ...allowPorts([MARKERS[0]])],
      [...allowPorts([PORT]), ...allowPorts([MARKERS[1]])],
    ] as const;
    const alphaRules = [
      allowPorts([PORT], { source: { selector: "app == 'client'" } }),
      [{ action: 'Pass', protocol: 'ICMP' }, ...allowPorts([PORT])],
    ] as const;

    function put(version: Version): void {
      setting.manifests.write(FILE, [
        policy({ name: 'alpha', namespace: 'lab', selector: "app == 'alpha'", ingress: alphaRules[version] }),
        policy({ name: 'beta', namespace: 'lab', selector: "app == 'beta'", ingress: betaRules[version] }),
      ]);
    }

    async function openStreams(): Promise<{ a: readonly Stream[]; b: readonly Stream[] }> {
      const peer = setting.peer('client');
      const open = (one: Workload) =>
        one.addresses.map((address) => peer.stream({ address, port: PORT, intervalMs: 10 }));
      const streams = { a: open(alpha), b: open(beta) };
      await Promise.all([...streams.a, ...streams.b].map((stream) => stream.progress(10, 3000)));
      return streams;
    }

    it('cuts and revives the one within a second, and the other never notices', { timeout: 120_000 }, async () => {
      put(1);
      agent = await setting.startAgent();
      const { a, b } = await openStreams();
      for (let round = 0; round < 10; round++) {
        const cutMs = performance.now();
        put(0);
        await Promise.all(b.map((stream) => stream.waitFor((report) => report.state === 'stalled', REACTION_MS)));
        expect(performance.now() - cutMs).toBeLessThan(REACTION_MS);
        expect(await ask('tcp', PORT, 100)).toBe('timeout');
        put(1);
        await Promise.all(b.map((stream) => stream.waitFor((report) => report.state === 'alive', REVIVAL_MS)));
        expect(await ask('tcp', PORT, 1000)).toBe('open');
        await Promise.all(a.map((stream) => stream.progress(1, 1000)));
      }
      await expectUndisturbed(a);
      const ended = await Promise.all(b.map((stream) => stream.stop()));
      expect(ended.map((report) => report.state)).toEqual(['stopped', 'stopped']);
    });

    it('follows sixty edits in a row with new connections', { timeout: 120_000 }, async () => {
      put(1);
      agent = await setting.startAgent();
      const { a, b } = await openStreams();
      for (let edit = 0; edit < 60; edit++) {
        const version = (edit % 2) as Version;
        put(version);
        await untilPort(MARKERS[version], 'open');
        expect(await ask('udp', MARKERS[version === 0 ? 1 : 0], 60)).toBe('timeout');
      }
      await Promise.all([...a, ...b].map((stream) => stream.waitFor((report) => report.state === 'alive', REVIVAL_MS)));
      await expectUndisturbed(a);
      const ended = await Promise.all(b.map((stream) => stream.stop()));
      expect(ended.map((report) => report.state)).toEqual(['stopped', 'stopped']);
    });

    it('keeps what is open and denies what is new, if told to keep', { timeout: 60_000 }, async () => {
      put(1);
      agent = await setting.startAgent({ established: 'keep' });
      const { a, b } = await openStreams();
      put(0);
      await untilPort(MARKERS[0], 'open');
      expect(await ask('tcp', PORT, 300)).toBe('timeout');
      await Promise.all([...a, ...b].map((stream) => stream.progress(50, 3000)));
      await expectUndisturbed([...a, ...b]);
    });
  });

  describe('with two versions whose mixture would allow what both deny', () => {
    /** Flips between the versions while datagrams and connections to the forbidden port are tried all the time. */
    async function expectNeverOpen(put: (version: Version) => void): Promise<void> {
      put(0);
      agent = await setting.startAgent();
      await untilPort(MARKERS[0], 'open');
      const peer = setting.peer('client');
      const storms = [peer.storm(BETA_V4, FORBIDDEN), peer.storm(BETA_V6, FORBIDDEN)];
      let isOver = false;
      const connecting = connectUntil(peer, () => isOver);
      for (let edit = 1; edit <= 60; edit++) {
        const version = (edit % 2) as Version;
        put(version);
        await untilPort(MARKERS[version], 'open');
      }
      isOver = true;
      const counts = await Promise.all(storms.map((stop) => stop()));
      expect(counts.map((count) => count.answered)).toEqual([0, 0]);
      for (const count of counts) expect(count.sent).toBeGreaterThan(20_000);
      expect([...(await connecting)]).toEqual(['timeout']);
    }

    /** Whatever TCP connections to the forbidden port find, 16 at a time. */
    async function connectUntil(peer: Peer, isOver: () => boolean): Promise<Set<string>> {
      const found = new Set<string>();
      const worker = async (number: number) => {
        const address = number % 2 === 0 ? BETA_V4 : BETA_V6;
        while (!isOver()) {
          found.add((await peer.probe({ transport: 'tcp', address, port: FORBIDDEN, timeoutMs: 50 })).result);
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, number) => worker(number)));
      return found;
    }

    it('shows that a storm is answered where it may', { timeout: 60_000 }, async () => {
      setting.manifests.write(FILE, [
        policy({ name: 'beta', namespace: 'lab', selector: "app == 'beta'", ingress: allowPorts([FORBIDDEN]) }),
      ]);
      agent = await setting.startAgent();
      const stop = setting.peer('client').storm(BETA_V4, FORBIDDEN);
      expect(await ask('tcp', FORBIDDEN, 1000)).toBe('open');
      const count = await stop();
      expect(count.sent).toBeGreaterThan(0);
      expect(count.answered).toBeGreaterThan(count.sent * 0.9);
    });

    it('moves a denial from the receiver to the sender and back', { timeout: 120_000 }, async () => {
      await expectNeverOpen((version) => {
        const marker = MARKERS[version];
        const open = [FORBIDDEN, marker];
        const [egress, ingress] = version === 0 ? [open, [marker]] : [[marker], open];
        setting.manifests.write(FILE, [
          policy({ name: 'client', namespace: 'lab', selector: "app == 'client'", egress: allowPorts(egress) }),
          policy({ name: 'beta', namespace: 'lab', selector: "app == 'beta'", ingress: allowPorts(ingress) }),
        ]);
      });
    });

    it('moves a workload to another label and the permission to the label it had', { timeout: 120_000 }, async () => {
      await expectNeverOpen((version) => {
        const role = version === 0 ? 'one' : 'two';
        const permitted = version === 0 ? 'two' : 'one';
        const others = [{ ...client, labels: { app: 'client', role } }, alpha, beta];
        setting.manifests.write(WORKLOADS_FILE, [
          ...workloadManifests(others),
          policy({
            name: 'beta',
            namespace: 'lab',
            selector: "app == 'beta'",
            ingress: [
              ...allowPorts([FORBIDDEN], { source: { selector: `role == '${permitted}'` } }),
              ...allowPorts([MARKERS[version]]),
            ],
          }),
        ]);
      });
    });

    it('moves a denial from one tier to the next and back', { timeout: 120_000 }, async () => {
      const deny = ['TCP', 'UDP'].map((protocol) => ({
        action: 'Deny' as const,
        protocol,
        destination: { ports: [FORBIDDEN] },
      }));
      await expectNeverOpen((version) => {
        const common = { namespace: 'lab', selector: "app == 'beta'" };
        const first = [...(version === 0 ? deny : []), { action: 'Pass' as const }];
        const second = allowPorts(version === 0 ? [FORBIDDEN, MARKERS[0]] : [MARKERS[1]]);
        setting.manifests.write(FILE, [
          { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name: 'first' }, spec: { order: 1 } },
          policy({ ...common, name: 'first.beta', tier: 'first', ingress: first }),
          policy({ ...common, name: 'beta', ingress: second }),
        ]);
      });
    });
  });
});
