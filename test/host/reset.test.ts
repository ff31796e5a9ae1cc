// Both ends of a connection that a change of policy stops learn of it within a second, where they are to be told; else neither does.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../tools/lab/agent.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting, WORKLOADS_FILE } from './support/setting.ts';
import { Talk, type TalkSpec } from './support/talk.ts';
import { workload, workloadManifests } from './support/workloads.ts';

const near = workload('lab', 'near', 1);
const far = workload('lab', 'far', 2);
const WORKLOADS = [near, far];
const NET = {
  name: 'net',
  hostInterface: 'up0',
  subnets: [
    { host: '192.0.2.1/24', outsider: '192.0.2.2/24' },
    { host: '2001:db8::1/64', outsider: '2001:db8::2/64' },
  ],
};
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  near: near.addresses,
  far: far.addresses,
  net: ['192.0.2.2', '2001:db8::2'],
};
const FILE = '50-policy.yaml';
/** Client and server: where policy is enforced at one end's hook, at the other's, and at none but the one end that is here. */
const PAIRS = [
  ['near', 'far'],
  ['far', 'near'],
  ['near', 'net'],
  ['net', 'near'],
] as const;
/** One for each pair. */
const PORTS = [7000, 7001, 7002, 7003];
const OTHER_PORT = 7100;
/** How soon both ends must know. */
const SECOND_MS = 1000;

describe('a connection that a change of policy stops', () => {
  let setting: Setting;
  let agent: Agent | undefined;
  let talks: readonly Talk[] = [];

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, outsiders: [NET], listeners: [] });
  });

  afterEach(async () => {
    for (const talk of talks) talk.close();
    talks = [];
    await setting.disarm(agent);
    agent = undefined;
    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
  });

  afterAll(async () => {
    await setting?.close();
  });

  /** The workload `near` may open connections and be asked for some, or neither. */
  function put(isOpen: boolean): void {
    const rules = allowPorts(isOpen ? PORTS : [OTHER_PORT]);
    const open = [{ action: 'Allow' as const }];
    setting.manifests.write(FILE, [
      policy({ name: 'near', namespace: 'lab', selector: "app == 'near'", ingress: rules, egress: rules }),
      policy({ name: 'far', namespace: 'lab', selector: "app == 'far'", ingress: open, egress: open }),
    ]);
  }

  /** A connection of each pair, all of which policy stops at once. */
  async function stopAll(
    talker: TalkSpec['talker'],
    family: 4 | 6,
    onDeny: 'drop' | 'reset',
    isIdle = false,
  ): Promise<void> {
    put(true);
    agent = await setting.startAgent({ onDeny });
    talks = await Promise.all(
      PAIRS.map(([client, server], index) => {
        const address = ADDRESSES[server]?.[family === 4 ? 0 : 1] ?? '';
        return Talk.open(setting.lab, { client, server, talker, isIdle, address, port: PORTS[index] as number });
      }),
    );
    expect(await said(200)).toEqual(PAIRS.map((pair) => [...pair, 'nothing', 'nothing']));
    put(false);
  }

  async function said(timeoutMs: number): Promise<readonly string[][]> {
    const words = await Promise.all(talks.map((talk) => talk.said(timeoutMs)));
    return words.map((pair, index) => [...(PAIRS[index] ?? []), ...pair]);
  }

  describe.each(['client', 'server'] as const)('while only its %s talks', (talker) => {
    it.each([4, 6] as const)('is reset at both ends over IPv%s', { timeout: 60_000 }, async (family) => {
      await stopAll(talker, family, 'reset');
      expect(await said(SECOND_MS)).toEqual(PAIRS.map((pair) => [...pair, 'ECONNRESET', 'ECONNRESET']));
    });

    it('is reset at both ends by a keepalive', { timeout: 60_000 }, async () => {
      await stopAll(talker, 4, 'reset', true);
      expect(await said(3 * SECOND_MS)).toEqual(PAIRS.map((pair) => [...pair, 'ECONNRESET', 'ECONNRESET']));
    });

    it('is left alone where it is to be dropped', { timeout: 60_000 }, async () => {
      await stopAll(talker, 4, 'drop');
      expect(await said(2 * SECOND_MS)).toEqual(PAIRS.map((pair) => [...pair, 'nothing', 'nothing']));
    });
  });
});
