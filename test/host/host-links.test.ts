// Where the programs at netfilter's hooks stand among those of others, and that they come back where somebody takes them off. What
// stands at a hook is told by what it does: an interface's lists deny everything that the host sends.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostLinks, PRIORITIES } from '../../src/kernel/host-links.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { HostMachine } from '../packet/support/host-machine.ts';
import { hostPolicy, listsOf, OTHER } from '../packet/support/host-topology.ts';
import { Setting } from './support/setting.ts';

const SERVER = '198.51.100.10';
const PORT = 7000;
const CHAIN_OF_OTHERS = (hook: string, priority: number): string =>
  `chain ${hook}-${-priority} { type filter hook ${hook} priority ${priority}; }`;

describe('programs at the hooks of a host', { timeout: 60_000 }, () => {
  let setting: Setting;
  let host: HostMachine;
  let links: HostLinks;
  let directory: string;
  let generation = 0;
  let inHost: <T>(call: () => T) => T;

  beforeAll(async () => {
    setting = await Setting.create({
      workloads: [],
      outsiders: [
        { name: 'server', hostInterface: 'hep0', subnets: [{ host: '198.51.100.1/24', outsider: `${SERVER}/24` }] },
      ],
      listeners: [{ transport: 'udp', port: PORT }],
    });
    host = new HostMachine([], { isReal: true });
    inHost = (call) => loadNative().inNamespace(`/run/netns/${setting.lab.namespace(HOST)}`, call);
    directory = join(setting.lab.bpffs, 'host-links');
    host.setInterfaces({}, listsOf(OTHER, ['normal']));
    publish('deny');
  });
  beforeEach(async () => {
    await setting.lab.exec(HOST, ['nft', 'flush', 'ruleset']);
    links = new HostLinks(host.object, directory);
  });
  afterEach(() => {
    inHost(() => links.detach());
    links.close();
  });
  afterAll(async () => {
    host?.close();
    await setting?.close();
  });

  function publish(egress: 'allow' | 'deny'): void {
    generation += 1;
    const sayings = [
      [OTHER, 'normal', 'ingress', 'allow'],
      [OTHER, 'normal', 'egress', egress],
    ] as const;
    host.machine.publish(hostPolicy(sayings, generation));
  }

  const nft = (text: string): Promise<unknown> => setting.lab.exec(HOST, ['nft', '-f', '-'], text);
  const ensure = () => inHost(() => links.ensure());
  const pinned = (): string[] => readdirSync(directory).sort();

  /** The host is told at once that it may not send, or it has an answer. */
  const isDenied = async (): Promise<boolean> => {
    const asked = setting.probe(HOST, { transport: 'udp', address: SERVER, port: PORT, timeoutMs: 2000 });
    const result = await asked.catch((error: Error) =>
      /not permitted/.test(error.message) ? 'denied' : error.message,
    );
    expect(result).toMatch(/^(denied|open)$/);
    return result === 'denied';
  };

  it('are there once, and nothing is to do the next time', async () => {
    expect(await isDenied()).toBe(false);
    expect(ensure()).toHaveLength(6);
    expect(await isDenied()).toBe(true);
    expect(ensure()).toEqual([]);
    expect(pinned()).toHaveLength(6);
  });

  it.each(['bpftool', 'an agent that was not there'])(
    'come back when their link was detached, noticed by %s',
    async (who) => {
      ensure();
      const pin = pinned().find((name) => name.startsWith('local-out-4-')) as string;
      const link = loadNative().BpfLink.openPinned(join(directory, pin));
      link.detach();
      link.close();
      expect(await isDenied()).toBe(false);
      if (who !== 'bpftool') {
        links.close();
        links = new HostLinks(host.object, directory);
      }
      expect(ensure()).toMatchObject([{ cause: 'program-missing', target: 'local-out-4' }]);
      expect(await isDenied()).toBe(true);
      expect(ensure()).toEqual([]);
      expect(pinned()).toHaveLength(6);
    },
  );

  it('come back when their pin was removed', () => {
    ensure();
    const [pin = ''] = pinned();
    rmSync(join(directory, pin));
    expect(ensure()).toMatchObject([{ cause: 'pin-missing' }]);
    expect(pinned()).toHaveLength(6);
  });

  it('give way to the programs of another object without a packet between them', async () => {
    ensure();
    const other = new HostMachine([], { isReal: true });
    try {
      other.setInterfaces({}, listsOf(OTHER, ['normal']));
      other.machine.publish(
        hostPolicy([
          [OTHER, 'normal', 'ingress', 'allow'],
          [OTHER, 'normal', 'egress', 'allow'],
        ]),
      );
      const next = new HostLinks(other.object, directory);
      const repairs = inHost(() => next.ensure());
      expect(repairs.map(({ cause }) => cause)).toEqual(Array(6).fill('program-replaced'));
      expect(pinned()).toHaveLength(6);
      expect(await isDenied()).toBe(false);
      inHost(() => next.detach());
    } finally {
      other.close();
    }
  });

  it('find a priority that nobody else has', async () => {
    const [free, ...taken] = [...PRIORITIES].reverse() as [number, ...number[]];
    await nft(`table ip lab {\n${taken.map((priority) => CHAIN_OF_OTHERS('output', priority)).join('\n')}\n}`);
    expect(ensure()).toHaveLength(6);
    expect(await isDenied()).toBe(true);
    expect(ensure()).toEqual([]);
    const pin = pinned().find((name) => name.startsWith('local-out-4-')) as string;
    const link = loadNative().BpfLink.openPinned(join(directory, pin));
    expect(loadNative().netfilterQuery(link)?.priority).toBe(free);
    link.close();
  });

  it('say so where others have all of them', async () => {
    await nft(`table ip lab {\n${PRIORITIES.map((priority) => CHAIN_OF_OTHERS('output', priority)).join('\n')}\n}`);
    expect(ensure).toThrow(/IPv4 local-out: .*-8, -7, .*-1.*nft list hooks/);
    await setting.lab.exec(HOST, ['nft', 'flush', 'ruleset']);
    expect(ensure().length).toBeGreaterThan(0);
    expect(await isDenied()).toBe(true);
  });

  it('let others that come later in the order drop what they allow', async () => {
    publish('allow');
    ensure();
    expect(await isDenied()).toBe(false);
    await nft(`table ip lab { chain out { type filter hook output priority 0; udp dport ${PORT} reject\n}\n}`);
    const asked = setting.probe(HOST, { transport: 'udp', address: SERVER, port: PORT, timeoutMs: 300 });
    expect(await asked.catch(() => 'denied')).not.toBe('open');
    publish('deny');
  });
});
