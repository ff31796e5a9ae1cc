import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventKind, Hook } from '../../src/abi/event.gen.ts';
import { FlowFlags, FlowState } from '../../src/abi/flow.gen.ts';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { HostFlags, Scope } from '../../src/abi/host.gen.ts';
import { fragmentHeader } from '../support/packets/ip.ts';
import { echo, icmp, icmpError, type Segment, tcp, udp } from '../support/packets/transport.ts';
import { HostMachine } from './support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listsOf, type Saying, VETH } from './support/host-topology.ts';
import { wordOf } from './support/tables.ts';
import { ip, OUTSIDE, packet, WEB } from './support/topology.ts';

const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const FAR = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 } as const;
const BEYOND = { 4: '198.51.100.7', 6: '2001:db8:7::7' } as const;
const POD = { 4: WEB.v4 as string, 6: WEB.v6 as string } as const;
const query = udp({ sourcePort: 1000, destinationPort: 53 });
const answer = udp({ sourcePort: 53, destinationPort: 1000 });

let host: HostMachine;
beforeAll(() => {
  host = new HostMachine([WEB]);
});
beforeEach(() => {
  host.machine.forgetFlows();
  host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal', 'forward']), [ETH1]: listsOf(ETH1, ['normal', 'forward']) });
});
afterAll(() => host.close());

/** Everything that is not said otherwise is denied. */
function publish(generation: number, sayings: readonly Saying[], flags = 0): void {
  const denied = [ETH0, ETH1, VETH].flatMap((at) =>
    (['normal', 'forward'] as const).flatMap((scope) =>
      (['ingress', 'egress'] as const).map((direction): Saying => [at, scope, direction, 'deny']),
    ),
  );
  host.machine.publish(hostPolicy([...denied, ...sayings], generation), flags);
}

const IN: Saying = [ETH0, 'normal', 'ingress', 'allow'];
const OUT: Saying = [ETH0, 'normal', 'egress', 'allow'];
const THROUGH: readonly Saying[] = [
  [ETH0, 'forward', 'ingress', 'allow'],
  [ETH1, 'forward', 'egress', 'allow'],
];

describe.each([4, 6] as const)('a connection over IPv%s', (family) => {
  const arrive = (segment: Segment = query) =>
    host.run('to-host', packet(FAR[family], HOST[family], segment), { in: ETH0 });
  const leave = (segment: Segment = answer) =>
    host.run('from-host', packet(HOST[family], FAR[family], segment), { out: ETH0 });
  const there = (segment: Segment = query) =>
    host.run('forward', packet(FAR[family], BEYOND[family], segment), { in: ETH0, out: ETH1 });
  const home = (segment: Segment = answer) =>
    host.run('forward', packet(BEYOND[family], FAR[family], segment), { in: ETH1, out: ETH0 });
  const ways = [
    { what: 'to the host', allows: [IN], open: arrive, reply: leave },
    { what: 'of the host', allows: [OUT], open: () => leave(query), reply: () => arrive(answer) },
    { what: 'through the host', allows: THROUGH, open: there, reply: home },
  ] as const;

  describe.each(ways)('$what', ({ allows, open, reply }) => {
    it('has its replies let through, and nothing but them', () => {
      publish(1, allows);
      expect(reply().action).toBe('drop');
      expect(open().reason).toBe('ALLOWED_NEW');
      expect(reply().reason).toBe('ALLOWED_FLOW');
      expect(open().reason).toBe('ALLOWED_FLOW');
      expect(host.machine.onlyFlow()).toMatchObject({ packets: [2n, 1n], state: FlowState.ESTABLISHED });
    });

    it('is not remembered when it is denied', () => {
      publish(1, []);
      expect(open().action).toBe('drop');
      expect(host.machine.flows()).toEqual([]);
    });

    it.each(['open', 'reply'] as const)(
      'is judged again after a change by its next packet (%s), and may come back',
      (next) => {
        const again = next === 'open' ? open : reply;
        publish(1, allows);
        open();
        publish(2, allows);
        expect(again().reason).toBe('ALLOWED_FLOW');
        publish(3, []);
        const revoked = again();
        expect(revoked).toMatchObject({ action: 'drop', reason: 'DROP_REVOKED' });
        const isReply = Number(next === 'reply');
        expect(revoked.events).toMatchObject([{ kind: EventKind.FLOW_REVOKED, generation: 3, is_reply: isReply }]);
        for (const run of [open, reply, open]) {
          const { reason, events } = run();
          expect(reason).toMatch(/^DROP_HOST_(INGRESS|EGRESS)$/);
          expect(events).toMatchObject([{ kind: EventKind.DENIED, is_reply: Number(run === reply) }]);
        }
        publish(4, allows);
        expect(again().reason).toBe('ALLOWED_FLOW');
      },
    );

    it('goes on after a change when established flows are to be kept', () => {
      publish(1, allows);
      open();
      publish(2, [], StateFlags.KEEP_ESTABLISHED);
      expect(reply().reason).toBe('ALLOWED_FLOW');
      expect(open().reason).toBe('ALLOWED_FLOW');
    });

    it('ends with its time', () => {
      publish(1, allows);
      open();
      host.machine.ageFlows(61);
      expect(reply().action).toBe('drop');
    });
  });

  it('is reported with the interfaces, the word and the list that it is of', () => {
    publish(1, THROUGH);
    expect(there().events).toMatchObject([
      {
        kind: EventKind.NEW_FLOW,
        hook: Hook.FORWARD,
        ifindex: ETH0,
        out_ifindex: ETH1,
        ingress_word: wordOf({ cell: 'allow' }),
        ingress_scope: Scope.FORWARD,
        egress_scope: Scope.FORWARD,
      },
    ]);
    publish(2, []);
    expect(arrive().events).toMatchObject([
      {
        kind: EventKind.DENIED,
        hook: Hook.TO_HOST,
        ingress_word: wordOf({ cell: 'deny' }),
        ingress_scope: Scope.NORMAL,
      },
    ]);
  });

  it('that a SYN asks for anew is judged in the direction of the SYN, and starts over once it was closing', () => {
    publish(1, [IN]);
    const syn = tcp({ sourcePort: 1000, destinationPort: 80, flags: ['syn'] });
    const back = tcp({ sourcePort: 80, destinationPort: 1000, flags: ['syn'] });
    expect(arrive(syn).reason).toBe('ALLOWED_NEW');
    expect(arrive(syn).reason).toBe('ALLOWED_FLOW');
    expect(leave(back)).toMatchObject({ action: 'drop', reason: 'DROP_HOST_EGRESS' });
    expect(leave(tcp({ sourcePort: 80, destinationPort: 1000, flags: ['rst'] })).reason).toBe('ALLOWED_FLOW');
    expect(host.machine.onlyFlow().state).toBe(FlowState.CLOSED);
    expect(arrive(syn).reason).toBe('ALLOWED_NEW');
    expect(host.machine.onlyFlow()).toMatchObject({ state: FlowState.NEW, packets: [1n, 0n] });
  });

  it('of pings takes replies to what was asked, and no others', () => {
    publish(1, [IN]);
    expect(leave(echo({ family, kind: 'reply', identifier: 3 })).action).toBe('drop');
    expect(arrive(echo({ family, kind: 'request', identifier: 3 })).reason).toBe('ALLOWED_NEW');
    expect(leave(echo({ family, kind: 'reply', identifier: 3 })).reason).toBe('ALLOWED_FLOW');
  });

  it('that leaves by an interface nobody polices has its replies let in by one that is policed', () => {
    publish(1, []);
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) });
    expect(host.run('from-host', packet(HOST[family], FAR[family], query), { out: ETH1 }).reason).toBe(
      'ALLOWED_UNPOLICED',
    );
    expect(arrive(answer).reason).toBe('ALLOWED_FLOW');
  });

  describe('in fragments', () => {
    const whole = udp({ sourcePort: 1000, destinationPort: 53, payload: new Uint8Array(40) });
    const piece = (offset: number, hasMore: boolean) => {
      const segment = { ...whole, bytes: offset === 0 ? whole.bytes.slice(0, 24) : whole.bytes.slice(24) };
      const options =
        family === 4
          ? { identification: 9, fragmentOffset: offset, hasMoreFragments: hasMore }
          : { extensions: [fragmentHeader({ identification: 9, offset, hasMore })] };
      return host.run('forward', packet(FAR[family], BEYOND[family], segment, options), { in: ETH0, out: ETH1 });
    };

    it('goes by the ports of the first; without it, not at all', () => {
      publish(1, THROUGH);
      expect(piece(24, false).reason).toBe('DROP_FRAGMENT_ORPHAN');
      expect(piece(0, true).reason).toBe('ALLOWED_NEW');
      expect(piece(24, false).reason).toBe('ALLOWED_FLOW');
    });
  });

  describe('that an ICMP error speaks of', () => {
    const cites = (from: string, to: string) => ip(from, to, query).bytes;
    const type = family === 4 ? 3 : 1;
    const router = { 4: '203.0.113.1', 6: '2001:db8:ffff::1' } as const;

    it('lets the error in with it, and none that speaks of another', () => {
      publish(1, [OUT]);
      leave(query);
      const about = (source: string) => icmpError({ family, type, cites: cites(source, FAR[family]) });
      const error = (segment: Segment) =>
        host.run('to-host', packet(router[family], HOST[family], segment), { in: ETH0 });
      expect(error(about(HOST[family])).reason).toBe('ALLOWED_RELATED');
      expect(error(about(BEYOND[family])).reason).toBe('DROP_HOST_INGRESS');
      publish(2, [OUT]);
      expect(error(about(HOST[family])).reason).toBe('DROP_HOST_INGRESS');
    });

    it('lets out what the host says of packets that it forwards unjudged, and nothing of its own', () => {
      publish(1, []);
      host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) }, {}, HostFlags.ANY_LOCAL);
      const tell = (about: string) => {
        const segment = icmpError({ family, type, cites: cites(FAR[family], about) });
        return host.run('from-host', packet(HOST[family], FAR[family], segment), { out: ETH0 }).reason;
      };
      expect(tell(BEYOND[family])).toBe('ALLOWED_RELATED');
      expect(tell(HOST[family])).toBe('DROP_HOST_EGRESS');
      host.setInterfaces({ [ETH0]: listsOf(ETH0, ['normal']) });
      expect(tell(BEYOND[family])).toBe('DROP_HOST_EGRESS');
    });

    it('lets the error through where the host forwards it', () => {
      publish(1, THROUGH);
      there();
      const segment = icmpError({ family, type, cites: cites(FAR[family], BEYOND[family]) });
      const error = packet(router[family], FAR[family], segment);
      expect(host.run('forward', error, { in: ETH1, out: ETH0 }).reason).toBe('ALLOWED_RELATED');
    });
  });

  describe('of a workload, which its own hooks judge too', () => {
    const pod = POD[family];
    const work = () => host.machine.at(WEB.id);
    const lists = listsOf(VETH, ['forward']);
    const out: Saying = [ETH1, 'forward', 'egress', 'allow'];
    const entered: Saying = [VETH, 'forward', 'ingress', 'allow'];
    const into: readonly Saying[] = [
      [ETH1, 'forward', 'ingress', 'allow'],
      [VETH, 'forward', 'egress', 'allow'],
    ];
    const sent = packet(pod, FAR[family], query);
    const received = packet(FAR[family], pod, answer);
    const asked = packet(FAR[family], pod, query);
    const given = packet(pod, FAR[family], answer);
    beforeEach(() => host.setInterfaces({ [VETH]: lists, [ETH1]: listsOf(ETH1, ['forward']) }));

    it('to the outside is judged at both, and is one flow', () => {
      publish(1, [out, entered]);
      expect(work().from(sent).reason).toBe('ALLOWED_NEW');
      expect(host.run('forward', sent, { in: VETH, out: ETH1 }).reason).toBe('ALLOWED_NEW');
      expect(host.run('forward', received, { in: ETH1, out: VETH }).reason).toBe('ALLOWED_FLOW');
      expect(work().to(received).reason).toBe('ALLOWED_FLOW');
      expect(host.machine.onlyFlow()).toMatchObject({ packets: [1n, 1n], egress_word: wordOf({ cell: 'allow' }) });
    });

    it('to the outside that the host meets by its reply is told of as what the reply answers', () => {
      publish(1, [out, entered]);
      work().from(sent);
      const { reason, events } = host.run('forward', received, { in: ETH1, out: VETH });
      expect([reason, events.map(({ kind, is_reply }) => [kind, is_reply])]).toEqual([
        'ALLOWED_NEW',
        [[EventKind.NEW_FLOW, 1]],
      ]);
      expect(host.run('forward', sent, { in: VETH, out: ETH1 }).events).toEqual([]);
    });

    it('to the outside that the host denies stays denied, though its own policy allows it', () => {
      publish(1, [entered]);
      for (let round = 0; round < 2; round += 1) {
        expect(work().from(sent).action).toBe('ok');
        expect(host.run('forward', sent, { in: VETH, out: ETH1 }).reason).toBe('DROP_HOST_EGRESS');
        expect(host.run('forward', received, { in: ETH1, out: VETH }).action).toBe('drop');
      }
    });

    it('from the outside is new to both, and each says so once', () => {
      publish(1, into);
      expect(host.run('forward', asked, { in: ETH1, out: VETH }).reason).toBe('ALLOWED_NEW');
      expect(host.machine.onlyFlow().flags & FlowFlags.UNMET).toBe(FlowFlags.UNMET);
      expect(work().to(asked).reason).toBe('ALLOWED_NEW');
      expect(host.machine.onlyFlow()).toMatchObject({
        flags: expect.any(Number),
        packets: [1n, 0n],
        host_generation: 1,
      });
      expect(host.machine.onlyFlow().flags & FlowFlags.UNMET).toBe(0);
      expect(host.run('forward', asked, { in: ETH1, out: VETH }).reason).toBe('ALLOWED_FLOW');
      expect(work().to(asked).reason).toBe('ALLOWED_FLOW');
      expect(work().from(given).reason).toBe('ALLOWED_FLOW');
      expect(host.run('forward', given, { in: VETH, out: ETH1 }).reason).toBe('ALLOWED_FLOW');
      expect(host.machine.onlyFlow()).toMatchObject({ packets: [2n, 1n] });
    });

    it('from the outside that the workload denies does not open the way for what the workload sends', () => {
      publish(1, into);
      host.machine.publish({
        generation: 1,
        rules: [
          ...hostPolicy([...into]).rules,
          { endpoint: WEB.id, direction: 'ingress', cell: 'deny' },
          { endpoint: WEB.id, direction: 'egress', cell: 'deny' },
        ],
      });
      expect(host.run('forward', asked, { in: ETH1, out: VETH }).reason).toBe('ALLOWED_NEW');
      expect(work().to(asked).reason).toBe('DROP_INGRESS_POLICY');
      expect(work().from(given).reason).toBe('DROP_EGRESS_POLICY');
    });

    it('is revoked by either of the two without the other', () => {
      publish(1, [out, entered]);
      work().from(sent);
      host.run('forward', sent, { in: VETH, out: ETH1 });
      publish(2, [entered]);
      expect(work().from(sent).reason).toBe('ALLOWED_FLOW');
      expect(host.run('forward', sent, { in: VETH, out: ETH1 }).reason).toBe('DROP_REVOKED');
      expect(host.run('forward', received, { in: ETH1, out: VETH }).reason).toBe('DROP_HOST_EGRESS');
      publish(3, [out, entered]);
      expect(host.run('forward', received, { in: ETH1, out: VETH }).reason).toBe('ALLOWED_FLOW');
    });

    it('that the host opens itself passes both ways, whatever the lists say', () => {
      host.setInterfaces({ [VETH]: { ...listsOf(VETH, ['preDnat']), flags: 16 | 32 } });
      host.machine.publish(hostPolicy([[VETH, 'preDnat', 'ingress', 'deny']]));
      const probe = packet(HOST[family], pod, query);
      const reply = packet(pod, HOST[family], answer);
      expect(host.run('from-host', probe, { out: VETH }).action).toBe('accept');
      expect(work().to(probe, { ingressIfindex: 0 }).reason).toBe('ALLOWED_HOST');
      expect(work().from(reply).reason).toBe('ALLOWED_FLOW');
      expect(host.run('to-host', reply, { in: VETH }).reason).toBe('ALLOWED_FLOW');
      expect(host.run('to-host', packet(pod, HOST[family], query), { in: VETH }).reason).toBe('DROP_PRE_DNAT');
    });
  });
});

describe('untracked policy', () => {
  it('judges each packet for itself and remembers none', () => {
    host.setInterfaces({ [ETH0]: listsOf(ETH0, ['untracked', 'normal']) });
    host.machine.publish(
      hostPolicy([
        [ETH0, 'untracked', 'ingress', 'allow'],
        [ETH0, 'untracked', 'egress', 'next'],
        [ETH0, 'normal', 'egress', 'deny'],
      ]),
    );
    expect(host.run('to-host', packet(FAR[4], HOST[4], query), { in: ETH0 }).reason).toBe('ALLOWED_UNTRACKED');
    expect(host.run('from-host', packet(HOST[4], FAR[4], answer), { out: ETH0 }).reason).toBe('DROP_HOST_EGRESS');
    expect(host.machine.flows()).toEqual([]);
  });
});

describe('neighbour discovery', () => {
  it.each([
    { what: 'a solicitation of the link', source: 'fe80::1', destination: 'ff02::1:ff00:1', type: 135, hopLimit: 255 },
    {
      what: 'an advertisement between global addresses',
      source: FAR[6],
      destination: HOST[6],
      type: 136,
      hopLimit: 255,
    },
    { what: 'a listener report of the link', source: 'fe80::1', destination: 'ff02::16', type: 131, hopLimit: 1 },
  ])('passes before policy, in and out: $what', ({ source, destination, type, hopLimit }) => {
    publish(1, []);
    const data = packet(source, destination, icmp({ family: 6, type, payload: new Uint8Array(16) }), { hopLimit });
    expect(host.run('to-host', data, { in: ETH0 }).reason).toBe('ALLOWED_NEIGHBOUR');
    expect(host.run('from-host', data, { out: ETH0 }).reason).toBe('ALLOWED_NEIGHBOUR');
  });

  it.each([
    { what: 'that a router may have forwarded', type: 136, hopLimit: 254 },
    { what: 'by a router, which says where to send', type: 134, hopLimit: 255 },
    { what: 'of listeners beyond the link', type: 131, hopLimit: 255 - 1 },
  ])('is judged by policy $what', ({ type, hopLimit }) => {
    publish(1, []);
    const data = packet(FAR[6], HOST[6], icmp({ family: 6, type, payload: new Uint8Array(16) }), { hopLimit });
    expect(host.run('to-host', data, { in: ETH0 }).reason).toBe('DROP_HOST_INGRESS');
  });
});

describe('a packet that lies about itself', () => {
  it.each([
    {
      what: 'a header shorter than it can be',
      change: (bytes: Uint8Array) => bytes.fill(0x44, 14, 15),
      reason: 'DROP_MALFORMED',
    },
    {
      what: 'more bytes than there are',
      change: (bytes: Uint8Array) => bytes.fill(0x7f, 16, 17),
      reason: 'DROP_TRUNCATED',
    },
  ])('with $what is dropped', ({ change, reason }) => {
    publish(1, [IN]);
    const data = packet(FAR[4], HOST[4], query);
    change(data);
    expect(host.runBytes('to-host', 4, data, { in: ETH0 }).reason).toBe(reason);
  });
});
