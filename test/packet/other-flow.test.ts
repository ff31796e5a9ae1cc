import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventKind, Reason } from '../../src/abi/event.gen.ts';
import { FlowDims, FlowFlags, FlowKind, FlowState } from '../../src/abi/flow.gen.ts';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { FlowTable } from '../../src/kernel/flow-table.ts';
import {
  bare,
  echo,
  icmp,
  PROTOCOL,
  type Segment,
  sctp,
  type TcpFlag,
  tcp,
  udp,
} from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { DB, HOST, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = { 4: WEB.v4 as string, 6: WEB.v6 as string };
const far = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 };

let machine: Machine;
beforeAll(() => {
  machine = new Machine([WEB, DB]);
});
beforeEach(() => {
  machine.forgetFlows();
  machine.publish(openPolicy());
  machine.at(WEB.id);
});
afterAll(() => machine.close());

const out = (segment: Segment, family: 4 | 6 = 4) => machine.from(packet(web[family], far[family], segment));
const back = (segment: Segment, family: 4 | 6 = 4) => machine.to(packet(far[family], web[family], segment));
const denyIngress = () => machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'ingress', cell: 'deny' }]));
const denyAll = () =>
  machine.publish({
    generation: 1,
    rules: [
      { endpoint: WEB.id, direction: 'ingress', cell: 'deny' },
      { endpoint: WEB.id, direction: 'egress', cell: 'deny' },
    ],
  });

describe.each([4, 6] as const)('UDP over IPv%s', (family) => {
  const query = udp({ sourcePort: 5000, destinationPort: 53 });
  const answer = udp({ sourcePort: 53, destinationPort: 5000 });

  it('replies without permission, and only to what was asked', () => {
    denyIngress();
    out(query, family);
    expect(back(answer, family).reason).toBe('ALLOWED_FLOW');
    expect(back(udp({ sourcePort: 53, destinationPort: 5001 }), family).reason).toBe('DROP_INGRESS_POLICY');
    expect(back(udp({ sourcePort: 54, destinationPort: 5000 }), family).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('becomes established when the initiator speaks after a reply', () => {
    out(query, family);
    expect(machine.onlyFlow().state).toBe(FlowState.NEW);
    back(answer, family);
    expect(machine.onlyFlow().state).toBe(FlowState.REPLIED);
    out(query, family);
    expect(machine.onlyFlow().state).toBe(FlowState.ESTABLISHED);
  });
});

describe('ageing', () => {
  it.each([
    { what: 'UDP without a reply', seconds: 60, segments: [udp({ sourcePort: 1, destinationPort: 2 })], replies: [] },
    {
      what: 'UDP with a reply',
      seconds: 180,
      segments: [udp({ sourcePort: 1, destinationPort: 2 })],
      replies: [udp({ sourcePort: 2, destinationPort: 1 })],
    },
    { what: 'a ping', seconds: 10, segments: [echo({ family: 4, kind: 'request', identifier: 1 })], replies: [] },
    { what: 'SCTP', seconds: 600, segments: [sctp({ sourcePort: 1, destinationPort: 2 })], replies: [] },
    { what: 'another protocol', seconds: 600, segments: [bare(PROTOCOL.GRE)], replies: [] },
  ])('ends $what after $seconds s', ({ seconds, segments, replies }) => {
    const open = (): void => {
      machine.forgetFlows();
      machine.publish(openPolicy());
      for (const segment of segments) out(segment);
      for (const segment of replies) back(segment);
      denyAll();
    };
    open();
    machine.ageFlows(seconds - 1);
    expect(out(segments[0] as Segment).reason).toBe('ALLOWED_FLOW');
    open();
    machine.ageFlows(seconds + 1);
    expect(out(segments[0] as Segment).reason).toBe('DROP_EGRESS_POLICY');
  });
});

describe.each([4, 6] as const)('ping over IPv%s', (family) => {
  const request = (identifier: number) => echo({ family, kind: 'request', identifier });
  const reply = (identifier: number) => echo({ family, kind: 'reply', identifier });

  it('brings its reply home', () => {
    denyIngress();
    out(request(7), family);
    expect(back(reply(7), family).reason).toBe('ALLOWED_FLOW');
    expect(back(reply(8), family).reason).toBe('DROP_INGRESS_POLICY');
    expect(machine.flows()).toMatchObject([
      { key: { kind: FlowKind.ECHO, port: [7, 7] }, flow: { packets: [1n, 1n] } },
    ]);
  });

  it('does not let the other end ping back with the same identifier', () => {
    denyIngress();
    out(request(7), family);
    expect(back(request(7), family).reason).toBe('DROP_INGRESS_POLICY');
  });

  it('from both ends with the same identifier makes two flows', () => {
    out(request(7), family);
    expect(back(request(7), family).reason).toBe('ALLOWED_NEW');
    expect(back(reply(7), family).reason).toBe('ALLOWED_FLOW');
    expect(out(reply(7), family).reason).toBe('ALLOWED_FLOW');
    expect(machine.flows().map(({ flow }) => flow.packets)).toEqual([
      [1n, 1n],
      [1n, 1n],
    ]);
  });

  it('treats a reply that nobody asked for as a message of its own', () => {
    expect(back(reply(9), family).reason).toBe('ALLOWED_NEW');
    expect(machine.flows()).toMatchObject([{ key: { kind: FlowKind.ICMP_OTHER } }]);
    denyAll();
    expect(out(request(9), family).reason).toBe('DROP_EGRESS_POLICY');
  });
});

describe('other traffic', () => {
  it('lets no ICMP message answer another, even of equal type and code', () => {
    const message = icmp({ family: 4, type: 5, code: 5 });
    out(message);
    denyIngress();
    expect(back(message).reason).toBe('DROP_INGRESS_POLICY');
    expect(out(message).reason).toBe('ALLOWED_FLOW');
  });

  it('of a bare protocol is one flow for both directions', () => {
    denyIngress();
    out(bare(PROTOCOL.GRE));
    expect(back(bare(PROTOCOL.GRE)).reason).toBe('ALLOWED_FLOW');
    expect(back(bare(PROTOCOL.ESP)).reason).toBe('DROP_INGRESS_POLICY');
  });
});

describe('the host', () => {
  const call = packet(HOST.v4, web[4], udp({ sourcePort: 9, destinationPort: 10 }));

  it('reaches its workloads whatever their policy, and gets its replies', () => {
    denyAll();
    expect(machine.to(call, { ingressIfindex: 0 })).toMatchObject({
      action: 'ok',
      reason: 'ALLOWED_HOST',
      events: [{ kind: EventKind.NEW_FLOW, egress_word: 0, ingress_word: 0 }],
    });
    const answer = packet(web[4], HOST.v4, udp({ sourcePort: 10, destinationPort: 9 }));
    expect(machine.from(answer).reason).toBe('ALLOWED_FLOW');
    expect(machine.to(call, { ingressIfindex: 0 }).reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow()).toMatchObject({ flags: expect.any(Number), packets: [2n, 1n] });
    expect(machine.onlyFlow().flags & FlowFlags.FROM_HOST).toBe(FlowFlags.FROM_HOST);
  });

  it('keeps its connections when policy changes', () => {
    machine.to(call, { ingressIfindex: 0 });
    machine.publish({ generation: 2, rules: [{ endpoint: WEB.id, direction: 'ingress', cell: 'deny' }] });
    expect(machine.to(call, { ingressIfindex: 0 }).reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().generation).toBe(2);
  });

  it('is not mistaken for the workload that later has its address', () => {
    machine.to(packet(OUTSIDE.v4, web[4], udp({ sourcePort: 9, destinationPort: 10 })), { ingressIfindex: 0 });
    denyAll();
    machine.at(DB.id).change(DB.id, { v4: OUTSIDE.v4 });
    const data = packet(OUTSIDE.v4, web[4], udp({ sourcePort: 9, destinationPort: 10 }));
    machine.publish(openPolicy([{ endpoint: DB.id, direction: 'egress', cell: 'deny' }]));
    const stamp = machine.stamp();
    expect(machine.from(data)).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    // What the receiver's hook has cached of it is void.
    expect(machine.stamp()).toBe(stamp + 1);
    expect(machine.from(data).reason).toBe('DROP_EGRESS_POLICY');
    expect(machine.stamp()).toBe(stamp + 1);
    machine.change(DB.id, {});
  });

  it('is judged at the receiver again once a workload with that address goes on with the flow', () => {
    machine.to(packet(OUTSIDE.v4, web[4], udp({ sourcePort: 9, destinationPort: 10 })), { ingressIfindex: 0 });
    machine.at(DB.id).change(DB.id, { v4: OUTSIDE.v4 });
    const data = packet(OUTSIDE.v4, web[4], udp({ sourcePort: 9, destinationPort: 10 }));
    const stamp = machine.stamp();
    for (let packets = 1; packets <= 2; packets += 1) {
      expect(machine.from(data).reason).toBe('ALLOWED_FLOW');
      expect(machine.stamp()).toBe(stamp + 1);
    }
    machine.change(DB.id, {});
  });

  it('is out of reach for workloads when that is switched off, and only the host is', () => {
    // The loopback interface forwards nothing, so that all it brings counts as the host's.
    machine.publish(openPolicy(), StateFlags.HOST_DROP);
    expect(out(udp({ sourcePort: 9, destinationPort: 10 })).reason).toBe('DROP_HOST');
    expect(machine.from(packet(web[4], DB.v4 as string, udp({ sourcePort: 9, destinationPort: 10 }))).reason).toBe(
      'ALLOWED_NEW',
    );
    machine.publish(openPolicy());
    expect(out(udp({ sourcePort: 9, destinationPort: 10 })).reason).toBe('ALLOWED_NEW');
  });
});

describe('the flow table', () => {
  let small: Machine;
  let evictedBefore: number;

  beforeAll(() => {
    small = new Machine([WEB], { flows: 32 });
    small.publish(openPolicy());
    small.at(WEB.id);
  });
  beforeEach(() => {
    small.forgetFlows();
    evictedBefore = evictedInAll();
  });
  afterAll(() => small.close());

  const flood = (first: number, last: number): void => {
    for (let port = first; port <= last; port += 1) {
      const data = packet(web[4], far[4], udp({ sourcePort: port, destinationPort: 53 }));
      expect(small.from(data).reason).toBe('ALLOWED_NEW');
    }
  };
  const evictedInAll = (): number => Number(small.counter(Reason.FLOW_EVICTED).packets);
  const evicted = (): number => evictedInAll() - evictedBefore;

  it('evicts a flow rather than refusing a new one, and counts that', () => {
    flood(1, 500);
    expect(small.flows().length).toBe(32);
    expect(evicted()).toBe(500 - 32);
  });

  it('evicts those that nobody answered before established connections', () => {
    const call = (...flags: TcpFlag[]) => packet(web[4], far[4], tcp({ sourcePort: 9, destinationPort: 80, flags }));
    const answer = packet(far[4], web[4], tcp({ sourcePort: 80, destinationPort: 9, flags: ['syn', 'ack'] }));
    small.from(call('syn'));
    small.to(answer);
    expect(small.from(call('ack')).reason).toBe('ALLOWED_FLOW');
    flood(1, 500);
    expect(small.from(call('ack', 'fin')).reason).toBe('ALLOWED_FLOW');
  });

  it('gives the places of ended flows away before those of live ones', () => {
    flood(1, 500);
    small.ageFlows(61);
    const before = evicted();
    expect(small.flows()).toEqual([]);
    flood(1001, 1032);
    expect(evicted()).toBe(before);
  });

  it('is counted by protocol and state, without flows that have ended', () => {
    const census = () => new FlowTable(small.map('tt_flows'), 32).census(small.clock().jiffies);
    flood(1, 5);
    small.from(packet(web[4], far[4], tcp({ sourcePort: 9, destinationPort: 80, flags: ['syn'] })));
    small.to(packet(far[4], web[4], tcp({ sourcePort: 80, destinationPort: 9, flags: ['syn', 'ack'] })));
    expect(census()).toEqual([
      { protocol: PROTOCOL.TCP, state: FlowState.REPLIED, flows: 1 },
      { protocol: PROTOCOL.UDP, state: FlowState.NEW, flows: 5 },
    ]);
    small.ageFlows(62);
    expect(census()).toEqual([]);
  });

  it('gives one flow of a full bucket up for the next, and nothing of that one is left', () => {
    const probe = (port: number) => packet(web[4], far[4], udp({ sourcePort: port, destinationPort: 53 }));
    const bucketOf = (port: number): number => {
      small.forgetFlows();
      small.from(probe(port));
      return small.flows()[0]?.bucket ?? -1;
    };
    const ports = Array.from({ length: 400 }, (_, index) => 1 + index);
    const buckets = new Map(ports.map((port) => [port, bucketOf(port)]));
    const crowd = ports.filter((port) => buckets.get(port) === 0).slice(0, FlowDims.WAYS + 1);
    const others = ports.filter((port) => buckets.get(port) === 1).slice(0, FlowDims.WAYS);
    expect([crowd.length, others.length]).toEqual([FlowDims.WAYS + 1, FlowDims.WAYS]);
    small.forgetFlows();
    for (const port of crowd) expect(small.from(probe(port)).reason).toBe('ALLOWED_NEW');
    expect(evicted()).toBe(1);
    expect(small.flows().length).toBe(FlowDims.WAYS);
    const last = crowd.at(-1) as number;
    // These take the rest of the table, among it the place of the flow that was given up.
    for (const port of others) expect(small.from(probe(port)).reason).toBe('ALLOWED_NEW');
    expect(evicted()).toBe(1);
    expect(small.from(probe(last)).reason).toBe('ALLOWED_FLOW');
    expect(others.map((port) => small.from(probe(port)).reason)).toEqual(others.map(() => 'ALLOWED_FLOW'));
  });

  it('keeps an established connection when more flows come to its bucket than that can name', () => {
    const call = (port: number, ...flags: TcpFlag[]) =>
      packet(web[4], far[4], tcp({ sourcePort: port, destinationPort: 53, flags }));
    const answer = (port: number, ...flags: TcpFlag[]) =>
      packet(far[4], web[4], tcp({ sourcePort: 53, destinationPort: port, flags }));
    const bucketOf = (port: number): number => {
      small.forgetFlows();
      small.from(call(port, 'syn'));
      return small.flows()[0]?.bucket ?? -1;
    };
    const ports = Array.from({ length: 800 }, (_, index) => 1 + index).filter((port) => bucketOf(port) === 0);
    expect(ports.length).toBeGreaterThan(4 * FlowDims.WAYS);
    small.forgetFlows();
    const [kept = 0, ...newcomers] = ports;
    small.from(call(kept, 'syn'));
    small.to(answer(kept, 'syn', 'ack'));
    expect(small.from(call(kept, 'ack')).reason).toBe('ALLOWED_FLOW');
    for (const port of newcomers) {
      expect(small.from(call(port, 'syn')).reason).toBe('ALLOWED_NEW');
      expect(small.to(answer(kept, 'ack')).reason).toMatch(/^ALLOWED_(FLOW|CACHED)$/);
    }
    expect(small.to(answer(kept, 'ack', 'fin')).reason).toBe('ALLOWED_FLOW');
    expect(evicted()).toBe(newcomers.length - (FlowDims.WAYS - 1));
    expect(small.flows().filter(({ flow }) => flow.state === FlowState.CLOSING)).toHaveLength(1);
  });

  it('keeps flows of one bucket apart', () => {
    flood(1, 10);
    for (let port = 1; port <= 10; port += 1) {
      const again = packet(web[4], far[4], udp({ sourcePort: port, destinationPort: 53 }));
      expect(small.from(again).reason).toBe('ALLOWED_FLOW');
    }
    expect(small.flows().length).toBe(10);
    expect(small.flows().every(({ flow }) => flow.packets[0] === 2n)).toBe(true);
  });
});
