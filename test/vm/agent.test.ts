// One agent on one network, through everything that the kernel has a part in: verdicts, its death and its return, what others do
// to its programs, cleanup. In a guest each start of an agent takes long, so there are as few as prove it; test/host asks more,
// one thing at a time.
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { type Agent, cleanUp, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import type { Stream } from '../../tools/lab/stream.ts';
import type { TruthCase } from '../../tools/lab/truth-table.ts';
import { isOlder } from '../../tools/vm/tier/plan.ts';
import { hostEndpoint } from '../host/support/host-policies.ts';
import { allowPorts, policy } from '../host/support/policies.ts';
import { PolicyTruth } from '../host/support/policy-truth.ts';
import { Setting, WORKLOADS_FILE } from '../host/support/setting.ts';
import {
  expectBothVerdicts,
  expectTruth,
  KINDS,
  LISTENERS,
  OUTSIDERS,
  POLICIES,
  partyOf,
  testTruth,
  WORKLOADS,
} from '../host/support/truth-suite.ts';
import { expectUndisturbed } from '../host/support/undisturbed.ts';
import { workload, workloadManifests } from '../host/support/workloads.ts';
import { testClock } from './support/clock-suite.ts';
import { AUDIT_LIMIT_MS, SYNC_LIMIT_MS } from './support/limits.ts';
import { isOpenBefore, startStorms, startStreams } from './support/traffic.ts';
import { isClosedToUdp, isOpenToTcp, ofEachFamily } from './support/truth-cases.ts';

/** Has an interface only in the test that is about it. */
const late = workload('front', 'late', 3, { labels: { app: 'web' }, isUnplugged: true });
/** Asked again and again: all of them would take a guest ten times as long, and the truth table has them. */
const FEW = WORKLOADS.filter(({ pod }) => ['web-1', 'api-1', 'db-1', 'guest-1'].includes(pod));
const few = FEW.map(partyOf);
const EDITED_FILE = '90-edited.yaml';
const HOST_FILE = '95-host.yaml';
/** Programs at netfilter's hooks. */
const HOST_POLICY_SINCE = [6, 4] as const;
/** From its launch to its being in sync. */
const AGENT_START_MS = 2000 * PATIENCE;
const EDIT_MS = 150 * PATIENCE;

/** Versions differ in a port that nobody asks for. */
function edit({ manifests }: Setting, version: number): void {
  const ports = [8080, 8443, 10_000 + version];
  manifests.write(EDITED_FILE, [
    policy({ name: 'edited', namespace: 'free', selector: "app == 'guest'", ingress: allowPorts(ports) }),
  ]);
}

describe('one agent', () => {
  let setting: Setting;
  let truth: PolicyTruth;
  let table: readonly TruthCase[];
  let agent: Agent;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: [...WORKLOADS, late], outsiders: OUTSIDERS, listeners: LISTENERS });
    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
    setting.manifests.copyFrom(POLICIES);
    edit(setting, 0);
    truth = new PolicyTruth(setting.manifests.path);
    table = truth.cases(few, few, KINDS);
    agent = await setting.startAgent();
  });

  afterAll(async () => {
    await setting?.close();
  });

  const expectVerdictsStand = () => expectTruth(setting, table);
  const untilSync = () => agent.waitFor((status) => status.inSync, SYNC_LIMIT_MS);

  /** Waits until the agent has mended what happened since `before`, and judges by the policy again. */
  async function expectRepaired(before: AgentStatus): Promise<void> {
    await agent.waitFor((status) => status.repairs > before.repairs && status.inSync, AUDIT_LIMIT_MS);
    await expectVerdictsStand();
  }

  describe('sockets', () => {
    testTruth(() => ({ setting, truth, agent }));

    it('looks at enough pairs again later', () => expectBothVerdicts(table));
  });

  describe('restart', () => {
    let streams: readonly Stream[] = [];
    let last: AgentStatus;

    beforeAll(async () => {
      last = await untilSync();
    });

    beforeEach(async () => {
      const open = table.filter(isOpenToTcp);
      streams = await startStreams(setting, [...ofEachFamily(open), ...ofEachFamily([...open].reverse())]);
    });

    it('is killed, and its verdicts stand', async () => {
      await agent.kill();
      await expectVerdictsStand();
      await expectUndisturbed(streams);
    });

    it('is killed at a random instant of its start, and nothing gets through', async () => {
      const stopStorms = startStorms(setting, table);
      agent = setting.launchAgent();
      const delayMs = randomInt(AGENT_START_MS);
      // The instant is what is tried here; nothing is waited for.
      await sleep(delayMs);
      await agent.kill();
      const hint = `killed after ${delayMs} ms`;
      for (const { sent, answered } of await stopStorms()) {
        expect(answered, hint).toBe(0);
        expect(sent, hint).toBeGreaterThan(0);
      }
      await expectUndisturbed(streams).catch((cause: unknown) => {
        throw new Error(hint, { cause });
      });
    });

    it('takes over what is pinned: the generation stays, and counters and flows go on', async () => {
      agent = await setting.startAgent();
      const after = await untilSync();
      expect(after.generation).toBe(last.generation);
      expect(after.counters.allowed_new?.packets).toBeGreaterThanOrEqual(last.counters.allowed_new?.packets ?? 1);
      expect(after.flows).toBeGreaterThanOrEqual(streams.length);
      await expectUndisturbed(streams);
      await expectVerdictsStand();
      last = after;
    });

    it('is killed while it takes up edits, and the next one has them in force', async () => {
      for (let version = 1; version <= 3; version++) edit(setting, version);
      const delayMs = randomInt(EDIT_MS);
      const hint = `killed after ${delayMs} ms`;
      await sleep(delayMs);
      await agent.kill();
      await expectVerdictsStand();
      agent = await setting.startAgent();
      const after = await untilSync();
      expect(after.generation, hint).toBeGreaterThan(last.generation);
      await expectVerdictsStand();
      await expectUndisturbed(streams).catch((cause: unknown) => {
        throw new Error(hint, { cause });
      });
    });
  });

  describe('clock', () => {
    testClock(() => ({ setting, agent, table }));
  });

  describe('host endpoints', () => {
    it('are in force where the kernel has programs for them; elsewhere it is said why not, and all else stands', async () => {
      const [outsider] = OUTSIDERS;
      const [subnet] = outsider?.subnets ?? [];
      const address = String(subnet?.host.replace(/\/.*/, ''));
      const knock = { transport: 'tcp', address, port: 8080, timeoutMs: 1000 } as const;
      expect(await setting.probe(String(outsider?.name), knock)).toBe('open');
      setting.manifests.write(HOST_FILE, [hostEndpoint('lan', { interfaceName: outsider?.hostInterface })]);
      const canEnforce = !isOlder(release(), HOST_POLICY_SINCE);
      const isTold = ({ conditions }: AgentStatus) =>
        conditions.some(({ reason, message }) => reason === 'HostEndpointsNotEnforced' && message.includes('6.4'));
      const status = await agent.waitFor(
        (found) => found.hostEndpoints.length === 1 && found.inSync && (canEnforce || isTold(found)),
        AUDIT_LIMIT_MS,
      );
      expect(isTold(status)).toBe(!canEnforce);
      expect(status.hostEndpoints).toMatchObject([{ state: canEnforce ? 'ready' : 'error' }]);
      expect(await setting.probe(String(outsider?.name), knock)).toBe(canEnforce ? 'timeout' : 'open');
      if (!canEnforce) await expectVerdictsStand();
      setting.manifests.remove(HOST_FILE);
      await agent.waitFor((found) => found.hostEndpoints.length === 0 && found.inSync, SYNC_LIMIT_MS);
      expect(await setting.probe(String(outsider?.name), knock)).toBe('open');
    });
  });

  describe('attachment', () => {
    /** The agent that is up, or another one if that attaches in another way. */
    async function startAttaching(mode: 'tcx' | 'clsact'): Promise<AgentStatus> {
      if ((await agent.status())?.attachMode !== mode) {
        await setting.disarm(agent);
        agent = await setting.startAgent({ attach: mode });
      }
      const status = await untilSync();
      expect(status.attachMode).toBe(mode);
      return status;
    }

    it('lets nothing in or out of a workload interface that no endpoint claims, until one does', async () => {
      const { counters } = await untilSync();
      const dropped = counters.drop_not_ready?.packets ?? 0;
      await setting.lab.addInterface('late');
      await setting.lab.connect('late');
      const around = WORKLOADS.slice(0, 2).map(partyOf);
      const mates = [partyOf(late)];
      // Nobody is asked before the interface is seen: the host's own packet is the first.
      const knock = { transport: 'udp', address: String(late.addresses[0]), port: 8443, timeoutMs: 50 } as const;
      const isDropping = async (): Promise<boolean> => {
        await setting.probe(HOST, knock);
        return ((await agent.status())?.counters.drop_not_ready?.packets ?? 0) > dropped;
      };
      await vi.waitUntil(isDropping, { timeout: 3000 * PATIENCE });
      const ways = [...truth.cases(around, mates, KINDS), ...truth.cases(mates, around, KINDS)];
      await expectTruth(
        setting,
        ways.map((one) => ({
          ...one,
          request: { ...one.request, timeoutMs: 500 },
          expected: ['timeout', 'unreachable'],
        })),
      );

      setting.manifests.write(WORKLOADS_FILE, workloadManifests([...WORKLOADS, late]));
      const isReady = ({ inSync, endpoints }: AgentStatus) =>
        inSync && endpoints.some((one) => one.endpoint === 'front/late' && one.state === 'ready');
      await agent.waitFor(isReady, SYNC_LIMIT_MS);
      const claimed = new PolicyTruth(setting.manifests.path);
      const now = [...claimed.cases(around, mates, KINDS), ...claimed.cases(mates, around, KINDS)];
      expectBothVerdicts(now);
      await expectTruth(setting, now);

      await setting.lab.removeInterface('late');
      setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
      await agent.waitFor(({ inSync, endpoints }) => inSync && endpoints.length === WORKLOADS.length, SYNC_LIMIT_MS);
    });

    it('attaches again what somebody else took off, by TCX', async () => {
      const before = await startAttaching('tcx');
      const pins = pinRoot(setting.lab);
      const ours = readdirSync(pins, { recursive: true, encoding: 'utf8' }).filter((path) =>
        path.includes(String(FEW[0]?.hostInterface)),
      );
      expect(ours).toHaveLength(2);
      for (const path of ours) {
        const link = loadNative().BpfLink.openPinned(join(pins, path));
        link.detach();
        link.close();
      }
      await expectRepaired(before);
    });

    it('takes its place in front again when a program before it lets everything pass', async () => {
      const before = await startAttaching('tcx');
      const { from, to, request } = table.find(isClosedToUdp) as TruthCase;
      const ends = FEW.filter(({ pod }) => pod === from || pod === to);
      const places = ends.flatMap(({ hostInterface }) =>
        ['ingress', 'egress'].map((direction) => {
          return { hostInterface, direction, pin: join(setting.lab.bpffs, `${hostInterface}-${direction}`) };
        }),
      );
      const script = `
        const native = process.getBuiltinModule('module').createRequire('/')(${JSON.stringify(builtFile('build/Release/tortie.node'))});
        const pass = native.BpfObject.open(${JSON.stringify(builtFile('build/bpf/test/native.bpf.o'))}, {}).program('pass');
        for (const { hostInterface, direction, pin } of ${JSON.stringify(places)}) {
          const { ifindex } = native.linkList().find(({ name }) => name === hostInterface);
          native.BpfLink.attachTcx(pass, ifindex, direction).pin(pin);
        }`;
      const attach = () => setting.lab.exec(HOST, [process.execPath, '--input-type=module', '--eval', script]);
      let last = before;
      let wasOpen = false;
      // The agent may look so soon that no packet came before: then this has shown nothing yet.
      while (!wasOpen) {
        try {
          const repaired = attach().then(() => expectRepaired(last));
          wasOpen = await isOpenBefore(repaired, () => setting.probe(from, { ...request, timeoutMs: 200 }));
        } finally {
          // What stayed would let everything pass in the tests that follow.
          for (const { pin } of places) rmSync(pin, { force: true });
        }
        last = await untilSync();
      }
    });

    it('attaches again what somebody else took off, by clsact, after the same verdicts', async () => {
      const before = await startAttaching('clsact');
      await expectVerdictsStand();
      await setting.lab.exec(HOST, ['tc', 'qdisc', 'delete', 'dev', String(FEW[0]?.hostInterface), 'clsact']);
      await expectRepaired(before);
    });

    it('is not needed for cleanup, which opens everything', async () => {
      const streams = await startStreams(setting, ofEachFamily(table.filter(isOpenToTcp)));
      expect(await agent.stop()).toBe(0);
      await cleanUp(setting.lab);
      expect(existsSync(pinRoot(setting.lab))).toBe(false);
      for (const { hostInterface } of WORKLOADS) {
        for (const direction of ['ingress', 'egress']) {
          const { stdout } = await setting.lab.exec(HOST, ['tc', 'filter', 'show', 'dev', hostInterface, direction]);
          expect(stdout).toBe('');
        }
      }
      await expectTruth(
        setting,
        table.map((one) => ({ ...one, request: { ...one.request, timeoutMs: 5000 }, expected: ['open'] })),
      );
      await expectUndisturbed(streams);
    });
  });
});
