// The programs at netfilter's hooks under real sockets: where in the host's own translation they see a packet, and that a change
// of policy reaches what is connected. Lists and interfaces are written by hand.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostFlags } from '../../src/abi/host.gen.ts';
import { HostLinks } from '../../src/kernel/host-links.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import type { ProbeRequest } from '../../tools/lab/peer.ts';
import { HostMachine } from '../packet/support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listId, listsOf, OTHER, type Saying, VETH } from '../packet/support/host-topology.ts';
import type { Rule } from '../packet/support/tables.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const pod = workload('lab', 'pod', 1);
const CLIENT = { v4: '192.0.2.10', v6: '2001:db8:1::10' } as const;
const SERVER = { v4: '198.51.100.10', v6: '2001:db8:2::10' } as const;
const GATE = { v4: '192.0.2.1', v6: '2001:db8:1::1' } as const;
const FAR_GATE = { v4: '198.51.100.1', v6: '2001:db8:2::1' } as const;
const OUTSIDERS = [
  {
    name: 'client',
    hostInterface: 'hepin',
    subnets: [
      { host: `${GATE.v4}/24`, outsider: `${CLIENT.v4}/24` },
      { host: `${GATE.v6}/64`, outsider: `${CLIENT.v6}/64` },
    ],
  },
  {
    name: 'server',
    hostInterface: 'hepout',
    subnets: [
      { host: `${FAR_GATE.v4}/24`, outsider: `${SERVER.v4}/24` },
      { host: `${FAR_GATE.v6}/64`, outsider: `${SERVER.v6}/64` },
    ],
  },
] as const;
const PORT = 7000;
const NODE_PORT = 30080;
const PATIENCE_MS = 400;
const LISTENERS = [{ transport: 'tcp', port: PORT } as const, { transport: 'udp', port: PORT } as const];
const FAMILIES = ['v4', 'v6'] as const;

describe('a host with policy of its own', { timeout: 60_000 }, () => {
  let setting: Setting;
  let host: HostMachine;
  let links: HostLinks;
  let inHost: <T>(call: () => T) => T;
  let interfaces: ReadonlyMap<string, number>;
  let generation = 0;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: [pod], outsiders: [...OUTSIDERS], listeners: LISTENERS });
    host = new HostMachine([], { isReal: true });
    inHost = (call) => loadNative().inNamespace(`/run/netns/${setting.lab.namespace(HOST)}`, call);
    interfaces = new Map(inHost(() => loadNative().linkList()).map(({ name, ifindex }) => [name, ifindex]));
    links = new HostLinks(host.object, `${setting.lab.bpffs}/host-links`);
    host.setInterfaces({}, {}, 0);
    publish([]);
    expect(inHost(() => links.ensure())).toHaveLength(6);
  });

  afterAll(async () => {
    links?.detach();
    host?.close();
    await setting?.close();
  });

  /** hepin has the lists of ETH0, hepout those of ETH1, the workload's interface those of all. */
  beforeEach(async () => {
    const at = (name: string): number => interfaces.get(name) as number;
    host.setInterfaces({
      [at('hepin')]: listsOf(ETH0),
      [at('hepout')]: listsOf(ETH1),
      [at(pod.hostInterface)]: listsOf(VETH, ['forward', 'preDnat']),
    });
    host.machine.forgetFlows();
    await nft('flush ruleset');
  });

  const nft = (rules: string): Promise<unknown> => setting.lab.exec(HOST, ['nft', '-f', '-'], rules);

  /** Lists say `next`, or what is said here; of the normal ones everything is denied but neighbours. */
  function publish(sayings: readonly Saying[], rules: readonly Rule[] = []): void {
    generation += 1;
    const base = [ETH0, ETH1, OTHER].flatMap((at) =>
      (['forward', 'preDnat', 'untracked'] as const).flatMap((scope) =>
        (['ingress', 'egress'] as const).map((direction): Saying => [at, scope, direction, 'next']),
      ),
    );
    const normal = [ETH0, ETH1].flatMap((at) =>
      (['ingress', 'egress'] as const).map((direction): Saying => [at, 'normal', direction, 'deny']),
    );
    host.machine.publish(hostPolicy([...base, ...normal, ...sayings], generation, rules));
  }

  /** What a host may not send, its own sockets are told at once. */
  const probe = (from: string, request: Omit<ProbeRequest, 'timeoutMs'>): Promise<string> =>
    setting
      .probe(from, { ...request, timeoutMs: PATIENCE_MS })
      .catch((error: Error) => (/not permitted/.test(error.message) ? 'timeout' : Promise.reject(error)));

  it.each(FAMILIES)('takes what its interface allows, and answers (%s)', async (family) => {
    const request = { transport: 'tcp', address: GATE[family], port: PORT } as const;
    publish([]);
    expect(await probe('client', request)).toBe('timeout');
    publish([], [{ endpoint: listId(ETH0, 'normal'), direction: 'ingress', l4: `tcp:${PORT}`, cell: 'allow' }]);
    expect(await probe('client', request)).toBe('open');
    expect(await probe('client', { ...request, transport: 'udp' })).toBe('timeout');
  });

  it.each(FAMILIES)('sends what its interface allows, and takes the answer (%s)', async (family) => {
    const request = { transport: 'udp', address: SERVER[family], port: PORT } as const;
    publish([]);
    expect(await probe(HOST, request)).toBe('timeout');
    publish([[ETH1, 'normal', 'egress', 'allow']]);
    expect(await probe(HOST, request)).toBe('open');
  });

  it.each(FAMILIES)('forwards unless a forward list denies, and what runs is cut by a change (%s)', async (family) => {
    publish([]);
    const stream = setting.peer('client').stream({ address: SERVER[family], port: PORT, intervalMs: 20 });
    await stream.progress(3, 5000);
    publish([[ETH1, 'forward', 'egress', 'deny']]);
    expect(await probe('client', { transport: 'tcp', address: SERVER[family], port: PORT })).toBe('timeout');
    const stuck = stream.last?.alive;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    expect((stream.last?.alive ?? 0) - (stuck ?? 0)).toBeLessThanOrEqual(1);
    publish([]);
    await stream.progress(3, 5000);
    await stream.stop();
  });

  it.each(FAMILIES)(
    'judges what it redirects to itself by its own port, pre-DNAT and untracked by the port before (%s)',
    async (family) => {
      const table = family === 'v4' ? 'ip' : 'ip6';
      await nft(
        `table ${table} lab { chain pre { type nat hook prerouting priority dstnat; tcp dport ${NODE_PORT} redirect to :${PORT}\n}\n}`,
      );
      const request = { transport: 'tcp', address: GATE[family], port: NODE_PORT } as const;
      const ingress = (list: 'normal' | 'preDnat' | 'untracked', port: number, cell: 'allow' | 'deny'): Rule => ({
        endpoint: listId(ETH0, list),
        direction: 'ingress',
        l4: `tcp:${port}`,
        cell,
      });
      publish([], [ingress('normal', NODE_PORT, 'allow')]);
      expect(await probe('client', request)).toBe('timeout');
      publish([], [ingress('normal', PORT, 'allow')]);
      expect(await probe('client', request)).toBe('open');
      publish([], [ingress('normal', PORT, 'allow'), ingress('preDnat', PORT, 'deny')]);
      expect(await probe('client', request)).toBe('open');
      publish([], [ingress('normal', PORT, 'allow'), ingress('preDnat', NODE_PORT, 'deny')]);
      expect(await probe('client', request)).toBe('timeout');
      publish([], [ingress('preDnat', NODE_PORT, 'allow')]);
      expect(await probe('client', request)).toBe('open');
      publish([], [ingress('normal', PORT, 'allow'), ingress('untracked', PORT, 'deny')]);
      expect(await probe('client', request)).toBe('open');
      publish([], [ingress('normal', PORT, 'allow'), ingress('untracked', NODE_PORT, 'deny')]);
      expect(await probe('client', request)).toBe('timeout');
    },
  );

  it.each(FAMILIES)(
    'judges what it sends on to another machine by that, pre-DNAT and untracked as it came (%s)',
    async (family) => {
      const [table, to] = family === 'v4' ? ['ip', SERVER.v4] : ['ip6', `[${SERVER.v6}]`];
      await nft(
        `table ${table} lab {
        chain pre { type nat hook prerouting priority dstnat; tcp dport ${NODE_PORT} dnat to ${to}:${PORT}\n}
        chain post { type nat hook postrouting priority srcnat; oifname "hepout" masquerade\n}
      }`,
      );
      const request = { transport: 'tcp', address: GATE[family], port: NODE_PORT } as const;
      const only = (address: string): Rule[] => [
        { endpoint: listId(ETH1, 'forward'), direction: 'egress', cell: 'deny' },
        { endpoint: listId(ETH1, 'forward'), direction: 'egress', peer: address, cell: 'allow' },
      ];
      publish([], only(SERVER[family]));
      expect(await probe('client', request)).toBe('open');
      publish([], only(GATE[family]));
      expect(await probe('client', request)).toBe('timeout');
      const denied = (list: 'preDnat' | 'untracked', port: number): Rule => ({
        endpoint: listId(ETH0, list),
        direction: 'ingress',
        l4: `tcp:${port}`,
        cell: 'deny',
      });
      for (const list of ['preDnat', 'untracked'] as const) {
        publish([], [...only(SERVER[family]), denied(list, NODE_PORT)]);
        expect(await probe('client', request)).toBe('timeout');
        publish([], [...only(SERVER[family]), denied(list, PORT)]);
        expect(await probe('client', request)).toBe('open');
      }
    },
  );

  it.each(FAMILIES)('lets itself reach its workload, and the workload it, as the setting says (%s)', async (family) => {
    const [v4 = '', v6 = ''] = pod.addresses;
    const address = { v4, v6 }[family];
    publish([]);
    expect(await probe(HOST, { transport: 'tcp', address, port: PORT })).toBe('open');
    const back = { transport: 'tcp', address: GATE[family], port: PORT } as const;
    expect(await probe('pod', back)).toBe('open');
    const at = interfaces.get(pod.hostInterface) as number;
    host.setInterfaces({ [at]: listsOf(VETH, ['forward', 'preDnat'], HostFlags.DROP_LOCAL) });
    expect(await probe('pod', back)).toBe('timeout');
    expect(await probe(HOST, { transport: 'udp', address, port: PORT })).toBe('open');
  });

  it('leaves loopback alone', async () => {
    publish([]);
    host.setInterfaces({}, listsOf(ETH0));
    expect(await probe(HOST, { transport: 'tcp', address: '127.0.0.1', port: PORT })).toBe('open');
    expect(await probe(HOST, { transport: 'tcp', address: GATE.v4, port: PORT })).toBe('open');
  });

  it('goes on when its programs are replaced, and takes everything when they are gone', async () => {
    publish([]);
    const request = { transport: 'tcp', address: GATE.v4, port: PORT } as const;
    const other = new HostLinks(host.object, `${setting.lab.bpffs}/host-links`);
    expect(inHost(() => other.ensure())).toEqual([]);
    expect(await probe('client', request)).toBe('timeout');
    other.detach();
    expect(await probe('client', request)).toBe('open');
    other.close();
    links.close();
    links = new HostLinks(host.object, `${setting.lab.bpffs}/host-links`);
    expect(inHost(() => links.ensure())).toHaveLength(6);
    expect(await probe('client', request)).toBe('timeout');
  });
});
