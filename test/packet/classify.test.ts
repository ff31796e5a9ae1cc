import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bare, echo, icmp, PROTOCOL, type Segment, sctp, tcp, udp, udpLite } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { type Rule, wordOf } from './support/tables.ts';
import { API, DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const address = (workload: { v4?: string; v6?: string }, family: 4 | 6): string =>
  (family === 4 ? workload.v4 : workload.v6) as string;
const ports = (destinationPort: number, sourcePort = 1000) => ({ sourcePort, destinationPort });

describe('classification', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([{ ...WEB, moreAddresses: ['10.65.1.2', 'fd00:65:1::2'] }, DB, API]);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  const egress = (rule: Omit<Rule, 'endpoint' | 'direction'>): Rule => ({
    endpoint: WEB.id,
    direction: 'egress',
    ...rule,
  });
  const ingress = (rule: Omit<Rule, 'endpoint' | 'direction'>): Rule => ({
    endpoint: WEB.id,
    direction: 'ingress',
    ...rule,
  });

  it.each([
    { l4: 'tcp:80', hit: tcp({ ...ports(80), flags: ['syn'] }), miss: tcp({ ...ports(81), flags: ['syn'] }) },
    { l4: 'udp:80', hit: udp(ports(80)), miss: tcp({ ...ports(80), flags: ['syn'] }) },
    { l4: 'sctp:80', hit: sctp(ports(80)), miss: udp(ports(80)) },
    { l4: 'udplite:80', hit: udpLite(ports(80)), miss: udp(ports(80)) },
    { l4: 'tcp:65535', hit: tcp({ ...ports(65535), flags: ['syn'] }), miss: tcp({ ...ports(0), flags: ['syn'] }) },
    { l4: 'other:47', hit: bare(PROTOCOL.GRE), miss: bare(PROTOCOL.ESP) },
    { l4: 'icmp:3:1', hit: icmp({ family: 4, type: 3, code: 1 }), miss: icmp({ family: 4, type: 3, code: 2 }) },
    {
      l4: 'icmp:8:0',
      hit: echo({ family: 4, kind: 'request', identifier: 4 }),
      miss: icmp({ family: 4, type: 8, code: 1 }),
    },
    {
      l4: 'icmpv6:1:0',
      hit: { ...icmp({ family: 6, type: 1 }), hasPseudoHeader: false },
      miss: icmp({ family: 4, type: 1 }),
    },
  ] as const)(
    'tells $l4 from its neighbours, in both families',
    ({ l4, hit, miss }: { l4: string; hit: Segment; miss: Segment }) => {
      machine.publish(openPolicy([egress({ l4, cell: 'deny' })]));
      for (const family of [4, 6] as const) {
        const send = (segment: Segment) =>
          machine.from(packet(address(WEB, family), address(OUTSIDE, family), segment)).reason;
        expect(send(hit)).toBe('DROP_EGRESS_POLICY');
        expect(send(miss)).toBe('ALLOWED_NEW');
      }
    },
  );

  it.each([4, 6] as const)('tells addresses apart that share all but the last byte (IPv%s)', (family) => {
    const peer = address(OUTSIDE, family);
    const near = peer.replace(/9$/, '8');
    const far = family === 4 ? '198.51.100.9' : '2001:dead::9';
    machine.publish(
      openPolicy([egress({ peer, cell: 'deny' }), egress({ peer: address(DB, family), cell: 'allow', traceId: 5 })]),
    );
    const send = (destination: string) =>
      machine.from(packet(address(WEB, family), destination, udp(ports(53)))).reason;
    expect([peer, near, far].map(send)).toEqual(['DROP_EGRESS_POLICY', 'ALLOWED_NEW', 'ALLOWED_NEW']);
  });

  it.each([4, 6] as const)('judges the source by ingress and the destination by egress (IPv%s)', (family) => {
    const peer = address(OUTSIDE, family);
    machine.publish(openPolicy([ingress({ peer, cell: 'deny' })]));
    expect(machine.from(packet(address(WEB, family), peer, udp(ports(53)))).reason).toBe('ALLOWED_NEW');
    machine.forgetFlows();
    expect(machine.to(packet(peer, address(WEB, family), udp(ports(53)))).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('looks at the source port only where a rule asks for it', () => {
    machine.publish(openPolicy([egress({ l4: 'udp:123', sourcePort: 123, cell: 'allow', traceId: 9 })]));
    const send = (sourcePort: number) =>
      machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp(ports(123, sourcePort))));
    expect(send(123)).toMatchObject({
      reason: 'ALLOWED_NEW',
      events: [{ egress_word: wordOf({ cell: 'allow', traceId: 9 }) }],
    });
    expect(send(124).reason).toBe('DROP_EGRESS_POLICY');
  });

  it('looks at the own address only where a policy depends on it', () => {
    const rules = [egress({ local: '10.65.1.2', cell: 'allow' }), ingress({ local: 'fd00:65:1::2', cell: 'allow' })];
    machine.publish({ generation: 1, rules });
    machine.change(WEB.id, { v4: '10.65.1.2' });
    expect(machine.from(packet('10.65.1.2', OUTSIDE.v4, udp(ports(53)))).reason).toBe('ALLOWED_NEW');
    machine.change(WEB.id, {});
    expect(machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp(ports(53)))).reason).toBe('DROP_EGRESS_POLICY');
    expect(machine.to(packet(OUTSIDE.v6, 'fd00:65:1::2', udp(ports(53)))).reason).toBe('ALLOWED_NEW');
    expect(machine.to(packet(OUTSIDE.v6, WEB.v6 as string, udp(ports(53)))).reason).toBe('DROP_INGRESS_POLICY');
  });

  it.each([
    { what: 'a cell', rules: [egress({ cell: 'hole' })] },
    { what: 'an endpoint', rules: [{ ...egress({ cell: 'allow' }), endpoint: API.id }] },
  ])('drops what meets a hole in $what', ({ rules }) => {
    machine.publish({ generation: 1, rules });
    expect(machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp(ports(53))))).toMatchObject({
      action: 'shot',
      reason: 'DROP_TABLE_HOLE',
      events: [{ kind: 5, egress_word: 0 }],
    });
  });

  it('takes a word that says both for a denial', () => {
    machine.publish({ generation: 1, rules: [egress({ cell: 'both' })] });
    expect(machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp(ports(53)))).reason).toBe('DROP_EGRESS_POLICY');
  });

  it('drops when an offset leads out of the heap', () => {
    machine.publish(openPolicy());
    const state = new DataView(machine.map('tt_state').mmap());
    for (const word of [16, 24, 32, 48, 56, 64]) state.setUint32(word, 0x7fffff00, true);
    expect(machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp(ports(53)))).reason).toBe('DROP_TABLE_HOLE');
  });
});

describe('a packet between two local workloads', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB, DB, API]);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  const send = (destination = DB.v4 as string) =>
    machine.from(packet(WEB.v4 as string, destination, tcp({ ...ports(5432), flags: ['syn'] })));

  it('is judged by both policies in one run, and both words are kept', () => {
    const sender: Rule = { endpoint: WEB.id, direction: 'egress', cell: 'allow', traceId: 21 };
    const receiver: Rule = { endpoint: DB.id, direction: 'ingress', cell: 'allow', traceId: 22 };
    machine.publish(openPolicy([sender, receiver], 7));
    const words = { egress_word: wordOf(sender), ingress_word: wordOf(receiver), generation: 7 };
    expect(send()).toMatchObject({ action: 'redirect', reason: 'ALLOWED_NEW', events: [words] });
    expect(machine.onlyFlow()).toMatchObject(words);
  });

  it("is dropped at the sender when the receiver's policy denies, and no flow is kept", () => {
    machine.publish(openPolicy([{ endpoint: DB.id, direction: 'ingress', cell: 'deny' }]));
    expect(send()).toMatchObject({ action: 'shot', reason: 'DROP_INGRESS_POLICY', events: [{ kind: 2 }] });
    expect(machine.flows()).toEqual([]);
  });

  it('is dropped before the receiver is asked when the sender may not', () => {
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }]));
    expect(send()).toMatchObject({ reason: 'DROP_EGRESS_POLICY', events: [{ ingress_word: 0 }] });
  });

  it('is dropped while the receiver has no policy yet', () => {
    machine.publish(openPolicy());
    machine.change(API.id, { flags: 0 });
    expect(send(API.v4)).toMatchObject({ action: 'shot', reason: 'DROP_NOT_READY' });
    machine.change(API.id, {});
    expect(send(API.v4)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
  });
});
