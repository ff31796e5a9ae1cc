// Host endpoints on interfaces of every kind, enforced by a running agent: they appear, are judged in, out and through, and vanish.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { GUEST_INTERFACE } from '../../tools/lab/topology.ts';
import { hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { CLIENT, GATE, HostStage, PORT, SERVER, SSH } from './support/host-stage.ts';
import { HERE, LINK, LINK_KINDS, plug, THERE } from './support/link-kinds.ts';

const BESIDE = { hostInterface: 'hepin', outsider: 'client', outsiderInterface: GUEST_INTERFACE } as const;
const NAME = 'link';
const BY_NAME = hostEndpoint(NAME, { interfaceName: LINK });
const BY_ADDRESS = hostEndpoint(NAME, { expectedIPs: [HERE.v4, HERE.v6] });
const TO_PORT = [{ action: 'Allow', protocol: 'TCP', destination: { ports: [PORT] } }] as const;
const OPEN = hostPolicy({ name: 'open', ingress: TO_PORT, egress: TO_PORT });
const NONE_THROUGH = hostPolicy({ name: 'through', applyOnForward: true, ingress: [{ action: 'Deny' }] });
const DENIED_BEFORE = hostPolicy({
  name: 'before',
  applyOnForward: true,
  doNotTrack: true,
  ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [PORT] } }],
});
/** Of an endpoint that nobody has written policy for. */
const SHUT = { in: 'timeout', failsafe: 'open', out: 'timeout', through: 'open' };
const FREE = { in: 'open', failsafe: 'open', out: 'open', through: 'open' };

describe('a host endpoint', { timeout: 60_000 * PATIENCE }, () => {
  let stage: HostStage;
  let unplug: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    stage = await HostStage.create();
    await stage.start();
  });

  afterEach(async () => {
    await unplug?.();
    unplug = undefined;
    await stage.apply();
  });

  afterAll(async () => {
    await stage?.clear();
    await stage?.close();
  });

  const becomes = (state: string): Promise<void> =>
    stage.becomes(async () => (await stage.statusOf(NAME))?.state ?? 'unknown', state);

  /** By the interface: to the host, from it, and to another outsider behind it. */
  async function ways(family: 'v4' | 'v6'): Promise<Record<keyof typeof SHUT, string>> {
    const [inwards, failsafe, out, through] = await Promise.all([
      stage.knock('client', HERE[family]),
      stage.knock('client', HERE[family], SSH),
      stage.knock(HOST, THERE[family]),
      stage.knock('client', SERVER[family]),
    ]);
    return { in: inwards, failsafe, out, through };
  }

  it.for(LINK_KINDS.map((kind) => [kind.kind, kind] as const))(
    'has an interface of kind %s from when it appears until it vanishes',
    async ([, kind]) => {
      const plugIn = async (): Promise<void> => {
        const under = { ...BESIDE, host: GATE, outside: CLIENT };
        unplug = await plug(kind, { lab: stage.setting.lab, under }, SERVER);
      };
      const expectWays = async (expected: typeof SHUT): Promise<void> => {
        for (const family of kind.families) expect([family, await ways(family)]).toEqual([family, expected]);
      };
      await stage.apply(BY_NAME);
      expect(await stage.statusOf(NAME)).toMatchObject({ interfaces: [], state: 'waiting' });
      await plugIn();
      await becomes('ready');
      expect(await stage.statusOf(NAME)).toMatchObject({ interfaces: [LINK], reason: '' });
      await expectWays(SHUT);
      await stage.apply(BY_NAME, OPEN);
      await expectWays(FREE);
      await stage.apply(BY_NAME, OPEN, NONE_THROUGH);
      await expectWays({ ...FREE, through: 'timeout' });
      await stage.apply(BY_NAME, OPEN, DENIED_BEFORE);
      await expectWays({ ...FREE, in: 'timeout', through: 'timeout' });
      await unplug?.();
      await becomes('waiting');
      await stage.apply(BY_ADDRESS);
      await plugIn();
      await becomes('ready');
      await expectWays(SHUT);
      await stage.apply(hostEndpoint(NAME, { interfaceName: '*' }));
      expect((await stage.statusOf(NAME))?.interfaces).toContain(LINK);
      for (const family of kind.families) expect(await stage.knock(HOST, THERE[family])).toBe('timeout');
      await stage.apply();
      await expectWays(FREE);
    },
  );
});
