import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Event, EventKind } from '../../src/abi/event.gen.ts';
import { StateFlags, WordBits } from '../../src/abi/heap.gen.ts';
import { Scope } from '../../src/abi/host.gen.ts';
import { tcp, udp } from '../support/packets/transport.ts';
import { HostMachine, type HostOutcome } from './support/host-machine.ts';
import { ETH0, ETH1, hostPolicy, listId, listsOf, type Saying } from './support/host-topology.ts';
import type { Rule } from './support/tables.ts';
import { OUTSIDE, packet } from './support/topology.ts';

const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const FAR = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 } as const;
const BEYOND = { 4: '198.51.100.7', 6: '2001:db8:7::7' } as const;
const query = udp({ sourcePort: 1000, destinationPort: 53 });
const answer = udp({ sourcePort: 53, destinationPort: 1000 });

let host: HostMachine;
let generation = 0;
beforeAll(() => {
  host = new HostMachine();
});
beforeEach(() => {
  host.machine.forgetFlows();
  host.setInterfaces({ [ETH0]: listsOf(ETH0), [ETH1]: listsOf(ETH1) });
});
afterAll(() => host.close());

/** Untracked and preDNAT lists decide nothing, the others deny, unless it is said. */
function publish(sayings: readonly Saying[], flags = 0, more: readonly Rule[] = []): void {
  generation += 1;
  const base = [ETH0, ETH1].flatMap((at) =>
    (['ingress', 'egress'] as const).flatMap((way): Saying[] => [
      [at, 'untracked', way, 'next'],
      [at, 'preDnat', way, 'next'],
      [at, 'normal', way, 'deny'],
      [at, 'forward', way, 'deny'],
    ]),
  );
  host.machine.publish(hostPolicy([...base, ...sayings], generation, more), flags);
}

/** Of the events of the last run, whether each is of a reply. */
let told: readonly (readonly [kind: number, isReply: number])[] = [];

function reasonOf(outcome: HostOutcome): string {
  told = outcome.events.map(({ kind, is_reply }) => [kind, is_reply]);
  return outcome.reason;
}

describe.each([4, 6] as const)('an untracked list over IPv%s', (family) => {
  const arrive = (segment = query) =>
    reasonOf(host.run('to-host', packet(FAR[family], HOST[family], segment), { in: ETH0 }));
  const leave = (segment = answer) =>
    reasonOf(host.run('from-host', packet(HOST[family], FAR[family], segment), { out: ETH0 }));
  const there = () =>
    reasonOf(host.run('forward', packet(FAR[family], BEYOND[family], query), { in: ETH0, out: ETH1 }));
  const home = () =>
    reasonOf(host.run('forward', packet(BEYOND[family], FAR[family], answer), { in: ETH1, out: ETH0 }));
  const TAKES: Saying = [ETH0, 'untracked', 'ingress', 'allow'];

  it('that lets packets in leaves those that go out to lists of their own', () => {
    publish([TAKES]);
    expect(arrive()).toBe('ALLOWED_UNTRACKED');
    expect(leave()).toBe('DROP_HOST_EGRESS');
    publish([TAKES, [ETH0, 'normal', 'egress', 'allow']]);
    expect(arrive()).toBe('ALLOWED_UNTRACKED');
    expect(leave()).toBe('ALLOWED_NEW');
    publish([TAKES, [ETH0, 'untracked', 'egress', 'allow']]);
    expect(leave()).toBe('ALLOWED_UNTRACKED');
    publish([TAKES, [ETH0, 'untracked', 'egress', 'deny']]);
    expect(leave()).toBe('DROP_UNTRACKED');
  });

  const ways = [
    {
      what: 'to the host',
      opens: [[ETH0, 'normal', 'ingress', 'allow']],
      takes: TAKES,
      answers: [ETH0, 'normal', 'egress', 'allow'],
      open: arrive,
      reply: leave,
    },
    {
      what: 'of the host',
      opens: [[ETH0, 'normal', 'egress', 'allow']],
      takes: [ETH0, 'untracked', 'egress', 'allow'],
      answers: [ETH0, 'normal', 'ingress', 'allow'],
      open: () => leave(query),
      reply: () => arrive(answer),
    },
    {
      what: 'through the host',
      opens: [
        [ETH0, 'forward', 'ingress', 'allow'],
        [ETH1, 'forward', 'egress', 'allow'],
      ],
      takes: TAKES,
      answers: [ETH1, 'forward', 'ingress', 'allow'],
      open: there,
      reply: home,
    },
  ] satisfies readonly { opens: readonly Saying[]; takes: Saying; answers: Saying; [other: string]: unknown }[];

  describe.each(ways)(
    'that takes over what opened a connection $what',
    ({ what, opens, takes, answers, open, reply }) => {
      const through: readonly Saying[] = what === 'through the host' ? [[ETH0, 'forward', 'egress', 'allow']] : [];

      it('leaves its replies to be judged as packets that nobody asked for', () => {
        publish(opens);
        expect(open()).toBe('ALLOWED_NEW');
        publish([...through, takes]);
        expect(reply()).toBe('DROP_REVOKED');
        expect(told).toEqual([[EventKind.FLOW_REVOKED, 0]]);
        expect(reply()).toMatch(/^DROP_HOST_(INGRESS|EGRESS)$/);
        expect(told).toEqual([[EventKind.DENIED, 0]]);
        publish([...through, takes, answers]);
        expect(reply()).toBe('ALLOWED_FLOW');
        expect(reply()).toBe('ALLOWED_FLOW');
      });

      it('gives it back when it passes on again', () => {
        publish(opens);
        open();
        publish([...through, takes, answers]);
        reply();
        publish(opens);
        expect(reply()).toBe('ALLOWED_FLOW');
        publish([]);
        expect(reply()).toBe('DROP_REVOKED');
      });

      it('that now denies it revokes the connection, and says so to every packet', () => {
        const [at, scope, way] = takes;
        publish([...opens, ...through, answers]);
        open();
        publish([...opens, ...through, answers, [at, scope, way, 'deny']]);
        expect(reply()).toBe('DROP_REVOKED');
        expect(told).toEqual([[EventKind.FLOW_REVOKED, 1]]);
        expect(reply()).toBe('DROP_UNTRACKED');
        expect(told).toEqual([[EventKind.DENIED, 1]]);
        publish([...opens, ...through, answers]);
        expect(reply()).toBe('ALLOWED_FLOW');
      });

      it('changes nothing for it where established flows are kept', () => {
        publish(opens);
        open();
        publish([...through, takes], StateFlags.KEEP_ESTABLISHED);
        expect(reply()).toBe('ALLOWED_FLOW');
      });
    },
  );
});

describe('a Log rule of a list that decides nothing', () => {
  const logs = (events: readonly Event[]) =>
    events
      .filter(({ kind }) => kind === EventKind.LOG)
      .map(({ ingress_scope, ingress_word, egress_word }) => [ingress_scope, ingress_word & 0xff, egress_word & 0xff]);
  const arrive = (segment = query) => host.run('to-host', packet(FAR[4], HOST[4], segment), { in: ETH0 });
  const leave = (segment = answer) => host.run('from-host', packet(HOST[4], FAR[4], segment), { out: ETH0 });
  const LOGGED = WordBits.NEXT | WordBits.LOG;
  const logging = (scope: 'untracked' | 'preDnat', direction: 'ingress' | 'egress' = 'ingress'): Rule => ({
    endpoint: listId(ETH0, scope),
    direction,
    cell: 'next',
    log: true,
  });
  const OPEN: Saying = [ETH0, 'normal', 'ingress', 'allow'];

  it('is told of new connections, with the list that it is of', () => {
    publish([OPEN], 0, [logging('untracked'), logging('preDnat')]);
    expect(logs(arrive().events)).toEqual([
      [Scope.UNTRACKED, LOGGED, 0],
      [Scope.PRE_DNAT, LOGGED, 0],
    ]);
  });

  it('is told once of a connection by a preDNAT list, and of every packet by an untracked one', () => {
    publish([OPEN], 0, [logging('preDnat')]);
    arrive();
    expect(logs(arrive().events)).toEqual([]);
    publish([OPEN], 0, [logging('preDnat')]);
    expect(logs(arrive().events)).toEqual([]);
    publish([OPEN], 0, [logging('untracked')]);
    arrive();
    expect(logs(arrive().events)).toEqual([[Scope.UNTRACKED, LOGGED, 0]]);
  });

  it('of an untracked list is told of a reply as of a packet for itself', () => {
    publish([OPEN], 0, [logging('untracked', 'egress')]);
    arrive();
    publish([], 0, [logging('untracked', 'egress')]);
    expect(leave().events.map(({ kind, is_reply }) => [kind, is_reply])).toEqual([
      [EventKind.FLOW_REVOKED, 1],
      [EventKind.LOG, 0],
    ]);
  });

  it('is told of what another list denies', () => {
    publish([], 0, [logging('untracked'), logging('preDnat')]);
    const { events } = arrive(tcp({ sourcePort: 1000, destinationPort: 22, flags: ['syn'] }));
    expect(events[0]).toMatchObject({ kind: EventKind.DENIED, ingress_scope: Scope.NORMAL });
    expect(logs(events)).toHaveLength(2);
  });

  it('is told of what the host sends', () => {
    publish([[ETH0, 'normal', 'egress', 'allow']], 0, [logging('untracked', 'egress')]);
    const [told] = logs(leave(query).events);
    expect(told?.slice(1)).toEqual([0, LOGGED]);
  });

  it('is told of nothing that no rule of it matched', () => {
    publish([OPEN]);
    expect(logs(arrive().events)).toEqual([]);
  });
});
