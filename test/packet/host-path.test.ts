import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostFlags } from '../../src/abi/host.gen.ts';
import { udp } from '../support/packets/transport.ts';
import { HOST_SLOTS, HostMachine, type ScopeName } from './support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listsOf, OTHER, type Saying, VETH } from './support/host-topology.ts';
import { OUTSIDE, packet } from './support/topology.ts';

type Answer = 'none' | 'allow' | 'deny' | 'next';
const ANSWERS: readonly Answer[] = ['none', 'allow', 'deny', 'next'];
const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const FAR = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 } as const;
const BEYOND = { 4: '198.51.100.7', 6: '2001:db8:7::7' } as const;

let host: HostMachine;
beforeAll(() => {
  host = new HostMachine();
});
beforeEach(() => host.machine.forgetFlows());
afterAll(() => host.close());

/** Lists of interfaces that give these answers; `none` = the interface has no such list. */
function say(answers: readonly (readonly [number, ScopeName, 'ingress' | 'egress', Answer])[]): void {
  const there = answers.filter(([, , , answer]) => answer !== 'none');
  const scopesOf = (at: number): ScopeName[] => there.filter(([one]) => one === at).map(([, scope]) => scope);
  const others = listsOf(OTHER, scopesOf(OTHER));
  host.setInterfaces({ [ETH0]: listsOf(ETH0, scopesOf(ETH0)), [ETH1]: listsOf(ETH1, scopesOf(ETH1)) }, others);
  host.machine.publish(hostPolicy(there as readonly Saying[]));
}

function combinations(count: number): Answer[][] {
  if (count === 0) return [[]];
  return combinations(count - 1).flatMap((rest) => ANSWERS.map((answer) => [...rest, answer]));
}

/** The first reason that applies, as the documentation lists them. */
function firstOf(steps: readonly (readonly [Answer | undefined, Answer, string])[], end: string): string {
  return steps.find(([answer, wanted]) => answer === wanted)?.[2] ?? end;
}

const isAny = (answers: readonly (Answer | undefined)[]): boolean =>
  answers.some((answer) => (answer ?? 'none') !== 'none');

describe.each([4, 6] as const)('a packet over IPv%s', (family) => {
  const query = udp({ sourcePort: 1000, destinationPort: 53 });
  const inward = packet(FAR[family], HOST[family], query);
  const outward = packet(HOST[family], FAR[family], query);
  const through = packet(FAR[family], BEYOND[family], query);

  it.each(combinations(3))('to the host, untracked %s, pre-DNAT %s, normal %s', (untracked, preDnat, normal) => {
    say([
      [ETH0, 'untracked', 'ingress', untracked as Answer],
      [ETH0, 'preDnat', 'ingress', preDnat as Answer],
      [ETH0, 'normal', 'ingress', normal as Answer],
    ]);
    const reason = firstOf(
      [
        [untracked, 'deny', 'DROP_UNTRACKED'],
        [untracked, 'allow', 'ALLOWED_UNTRACKED'],
        [preDnat, 'deny', 'DROP_PRE_DNAT'],
        [preDnat, 'allow', 'ALLOWED_NEW'],
        [normal, 'deny', 'DROP_HOST_INGRESS'],
      ],
      isAny([preDnat, normal]) ? 'ALLOWED_NEW' : 'ALLOWED_UNPOLICED',
    );
    const outcome = host.run('to-host', inward, { in: ETH0 });
    expect(outcome.reason).toBe(reason);
    expect(outcome.action).toBe(reason.startsWith('DROP') ? 'drop' : 'accept');
    expect(host.machine.flows()).toHaveLength(/^ALLOWED_(NEW|UNPOLICED)$/.test(reason) ? 1 : 0);
  });

  it.each(combinations(2))('from the host, untracked %s, normal %s', (untracked, normal) => {
    say([
      [ETH0, 'untracked', 'egress', untracked as Answer],
      [ETH0, 'normal', 'egress', normal as Answer],
    ]);
    const reason = firstOf(
      [
        [untracked, 'deny', 'DROP_UNTRACKED'],
        [untracked, 'allow', 'ALLOWED_UNTRACKED'],
        [normal, 'deny', 'DROP_HOST_EGRESS'],
      ],
      isAny([normal]) ? 'ALLOWED_NEW' : 'ALLOWED_UNPOLICED',
    );
    expect(host.run('from-host', outward, { out: ETH0 }).reason).toBe(reason);
  });

  it.each(combinations(4))(
    'forwarded, untracked %s, pre-DNAT %s, forward in %s, forward out %s',
    (untracked, preDnat, into, out) => {
      say([
        [ETH0, 'untracked', 'ingress', untracked as Answer],
        [ETH0, 'preDnat', 'ingress', preDnat as Answer],
        [ETH0, 'forward', 'ingress', into as Answer],
        [ETH1, 'forward', 'egress', out as Answer],
      ]);
      const isEntered = untracked === 'allow' || (untracked !== 'deny' && preDnat === 'allow');
      const asked = preDnat === 'allow' ? [preDnat, out] : [preDnat, into, out];
      const reason = firstOf(
        [
          [untracked, 'deny', 'DROP_UNTRACKED'],
          [isEntered ? undefined : preDnat, 'deny', 'DROP_PRE_DNAT'],
          [isEntered ? undefined : into, 'deny', 'DROP_HOST_INGRESS'],
          [out, 'deny', 'DROP_HOST_EGRESS'],
          [untracked, 'allow', 'ALLOWED_UNTRACKED'],
        ],
        isAny(asked) ? 'ALLOWED_NEW' : 'ALLOWED_UNPOLICED',
      );
      expect(host.run('forward', through, { in: ETH0, out: ETH1 }).reason).toBe(reason);
    },
  );

  it.each([
    { preDnat: 'deny', drops: false, reason: 'DROP_PRE_DNAT' },
    { preDnat: 'allow', drops: false, reason: 'ALLOWED_NEW' },
    { preDnat: 'next', drops: false, reason: 'ALLOWED_NEW' },
    { preDnat: 'allow', drops: true, reason: 'DROP_HOST' },
    { preDnat: 'next', drops: true, reason: 'DROP_HOST' },
  ] as const)('from a workload to the host, pre-DNAT $preDnat, dropped: $drops', ({ preDnat, drops, reason }) => {
    const lists = listsOf(VETH, ['normal', 'forward', 'preDnat', 'untracked'], drops ? HostFlags.DROP_LOCAL : 0);
    host.setInterfaces({ [VETH]: lists });
    const others = ['normal', 'forward', 'untracked'] as const;
    host.machine.publish(
      hostPolicy([
        [VETH, 'preDnat', 'ingress', preDnat],
        ...others.map((scope): Saying => [VETH, scope, 'ingress', 'deny']),
      ]),
    );
    expect(host.run('to-host', inward, { in: VETH }).reason).toBe(reason);
  });

  it('to the host from a workload passes where nothing is asked', () => {
    host.setInterfaces({ [VETH]: listsOf(VETH, []) });
    expect(host.run('to-host', inward, { in: VETH }).reason).toBe('ALLOWED_UNPOLICED');
  });

  it.each([
    { what: 'from a workload', run: { in: VETH, out: ETH1 }, direction: 'ingress', reason: 'DROP_HOST_INGRESS' },
    { what: 'to a workload', run: { in: ETH0, out: VETH }, direction: 'egress', reason: 'DROP_HOST_EGRESS' },
  ] as const)('forwarded $what meets the forward list for all interfaces', ({ run, direction, reason }) => {
    host.setInterfaces({ [VETH]: listsOf(VETH), [ETH0]: listsOf(ETH0, []), [ETH1]: listsOf(ETH1, []) });
    const sayings: Saying[] = [
      [VETH, 'preDnat', 'ingress', 'next'],
      [VETH, 'untracked', 'ingress', 'deny'],
      [VETH, 'normal', 'ingress', 'deny'],
    ];
    host.machine.publish(hostPolicy([...sayings, [VETH, 'forward', direction, 'allow']]));
    expect(host.run('forward', through, run).reason).toBe('ALLOWED_NEW');
    host.machine.forgetFlows();
    host.machine.publish(hostPolicy([...sayings, [VETH, 'forward', direction, 'deny']], 2));
    expect(host.run('forward', through, run).reason).toBe(reason);
  });

  it('from the host to its own workload passes whatever the lists say', () => {
    host.setInterfaces({ [VETH]: listsOf(VETH) });
    const deny = (['normal', 'forward', 'untracked'] as const).map((scope): Saying => [VETH, scope, 'egress', 'deny']);
    host.machine.publish(hostPolicy(deny));
    expect(host.run('from-host', outward, { out: VETH }).action).toBe('accept');
  });

  it.each(['untracked', 'preDnat', 'normal'] as const)('finds a hole in the %s list, and drops', (scope) => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, [scope]) });
    host.machine.publish(hostPolicy([[ETH0, scope, 'ingress', 'hole']]));
    expect(host.run('to-host', inward, { in: ETH0 }).reason).toBe('DROP_TABLE_HOLE');
  });

  it('whose word both allows and denies is denied', () => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) });
    host.machine.publish(hostPolicy([[ETH0, 'normal', 'ingress', 'both']]));
    expect(host.run('to-host', inward, { in: ETH0 }).reason).toBe('DROP_HOST_INGRESS');
  });

  it('over loopback is left alone', () => {
    host.setInterfaces({}, listsOf(OTHER));
    host.machine.publish(hostPolicy([[OTHER, 'normal', 'ingress', 'deny']]));
    expect(host.run('to-host', inward, { in: 1 })).toMatchObject({ action: 'accept', reason: '' });
    expect(host.run('from-host', outward, { out: 1 })).toMatchObject({ action: 'accept', reason: '' });
  });

  it('is left alone at hooks where no list has a say', () => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) }, {}, HostFlags.ANY_LOCAL);
    host.machine.publish(hostPolicy([[ETH0, 'normal', 'ingress', 'deny']]));
    expect(host.run('forward', through, { in: ETH0, out: ETH1 })).toMatchObject({ action: 'accept', reason: '' });
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['forward']) }, {}, HostFlags.ANY_FORWARD);
    expect(host.run('to-host', inward, { in: ETH0 })).toMatchObject({ action: 'accept', reason: '' });
  });

  it('at an interface without an endpoint of its own meets the lists for all others', () => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) }, listsOf(OTHER, ['normal']));
    host.machine.publish(
      hostPolicy([
        [ETH0, 'normal', 'ingress', 'allow'],
        [OTHER, 'normal', 'ingress', 'deny'],
      ]),
    );
    expect(host.run('to-host', inward, { in: ETH0 }).reason).toBe('ALLOWED_NEW');
    host.machine.forgetFlows();
    expect(host.run('to-host', inward, { in: 77 }).reason).toBe('DROP_HOST_INGRESS');
  });

  it('at an interface whose entry stands in a later place meets its own lists', () => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, []) }, listsOf(OTHER, ['normal']));
    host.setInterfaceAt(ETH0 + 3, ETH0 + HOST_SLOTS, listsOf(ETH1, ['normal']));
    host.machine.publish(
      hostPolicy([
        [ETH1, 'normal', 'ingress', 'allow'],
        [OTHER, 'normal', 'ingress', 'deny'],
      ]),
    );
    expect(host.run('to-host', inward, { in: ETH0 + HOST_SLOTS }).reason).toBe('ALLOWED_NEW');
  });

  describe('that the host translates', () => {
    const NODE_PORT = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
    const original = { address: NODE_PORT[family], port: 30080 };
    const toBackend = packet(FAR[family], BEYOND[family], udp({ sourcePort: 1000, destinationPort: 8080 }));
    const back = packet(BEYOND[family], FAR[family], udp({ sourcePort: 8080, destinationPort: 1000 }));
    const rules = (port: number, generation = 1) =>
      hostPolicy(
        [
          [ETH0, 'forward', 'ingress', 'deny'],
          [ETH0, 'preDnat', 'ingress', 'next'],
        ],
        generation,
        [
          {
            endpoint: 12,
            direction: 'ingress',
            l4: `udp:${port}`,
            peer: FAR[family],
            local: NODE_PORT[family],
            cell: 'allow',
          },
        ],
      );
    beforeEach(() => host.setInterfaces({ [ETH0]: listsOf(ETH0, ['preDnat', 'forward']), [ETH1]: listsOf(ETH1, []) }));

    it('meets pre-DNAT policy with the destination that it was sent to', () => {
      host.machine.publish(rules(30080));
      expect(host.run('forward', toBackend, { in: ETH0, out: ETH1, original }).reason).toBe('ALLOWED_NEW');
      host.machine.forgetFlows();
      expect(host.run('forward', toBackend, { in: ETH0, out: ETH1 }).action).toBe('drop');
      host.machine.publish(rules(8080, 2));
      expect(host.run('forward', toBackend, { in: ETH0, out: ETH1, original }).action).toBe('drop');
    });

    it('is judged again by a reply with that destination, too', () => {
      host.machine.publish(rules(30080));
      host.run('forward', toBackend, { in: ETH0, out: ETH1, original });
      host.machine.publish(rules(30080, 2));
      expect(host.run('forward', back, { in: ETH1, out: ETH0, original }).reason).toBe('ALLOWED_FLOW');
      host.machine.publish(rules(8080, 3));
      expect(host.run('forward', back, { in: ETH1, out: ETH0, original }).reason).toBe('DROP_REVOKED');
    });
  });
});
