import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EndpointFlags } from '../../src/abi/endpoint.gen.ts';
import { EventKind } from '../../src/abi/event.gen.ts';
import { FlowFlags } from '../../src/abi/flow.gen.ts';
import { StateFlags } from '../../src/abi/heap.gen.ts';
import { echo, type Segment, tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { wordOf } from './support/tables.ts';
import { API, DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = WEB.v4 as string;
const api = API.v4 as string;
const query = udp({ sourcePort: 5000, destinationPort: 53 });
const answer = udp({ sourcePort: 53, destinationPort: 5000 });

let machine: Machine;
beforeAll(() => {
  machine = new Machine([{ ...WEB, sources: [{ address: '10.99.0.0', length: 16 }] }, DB, API]);
});
beforeEach(() => {
  machine.forgetFlows();
  machine.publish(openPolicy([], 1));
  machine.at(WEB.id);
});
afterAll(() => machine.close());

const out = (segment: Segment = query) => machine.at(WEB.id).from(packet(web, OUTSIDE.v4, segment));
const back = (segment: Segment = answer) => machine.at(WEB.id).to(packet(OUTSIDE.v4, web, segment));
const denyEgress = (generation: number, flags = 0) =>
  machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'deny' }], generation), flags);

describe('a flow after a change of policy', () => {
  it('that still allows it goes on, under the new generation and words', () => {
    out();
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', cell: 'allow', traceId: 77 }], 2));
    expect(out()).toMatchObject({ reason: 'ALLOWED_FLOW', events: [] });
    expect(machine.onlyFlow()).toMatchObject({
      generation: 2,
      egress_word: wordOf({ cell: 'allow', traceId: 77 }),
      packets: [2n, 0n],
    });
  });

  it('that denies it is revoked by its next packet', () => {
    out();
    denyEgress(2);
    const event = { kind: EventKind.FLOW_REVOKED, egress_word: wordOf({ cell: 'deny' }), generation: 2 };
    expect(out()).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED', events: [event] });
    expect(machine.onlyFlow().flags & FlowFlags.REVOKED).toBe(FlowFlags.REVOKED);
    expect(out().reason).toBe('DROP_EGRESS_POLICY');
  });

  it('that denies it is not opened the other way round by its responder', () => {
    out();
    back();
    denyEgress(2);
    expect(out().reason).toBe('DROP_REVOKED');
    for (let round = 0; round < 2; round += 1) {
      expect(back()).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
      expect(out()).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
    }
  });

  it('that denies it, and of another that allows it again, comes back', () => {
    out();
    denyEgress(2);
    expect(out().reason).toBe('DROP_REVOKED');
    denyEgress(3);
    expect(back()).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
    machine.publish(openPolicy([], 4));
    expect(back().reason).toBe('ALLOWED_FLOW');
    expect(out().reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().flags & FlowFlags.REVOKED).toBe(0);
  });

  it('is revoked by a reply just as well, judged in the direction it was opened in', () => {
    out();
    denyEgress(2);
    expect(back()).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    expect(machine.onlyFlow().flags & FlowFlags.REVOKED).toBe(FlowFlags.REVOKED);
  });

  it('is not revoked by a policy against the replies', () => {
    out();
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'ingress', cell: 'deny' }], 2));
    expect(back().reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().generation).toBe(2);
  });

  it('from the cache is judged again, too', () => {
    for (let round = 0; round < 3; round += 1) out();
    expect(out().reason).toBe('ALLOWED_CACHED');
    denyEgress(2);
    expect(out().reason).toBe('DROP_REVOKED');
  });

  it('of pings is judged as the request it began with', () => {
    out(echo({ family: 4, kind: 'request', identifier: 3 }));
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', l4: 'icmp:0:0', cell: 'deny' }], 2));
    expect(back(echo({ family: 4, kind: 'reply', identifier: 3 })).reason).toBe('ALLOWED_FLOW');
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', l4: 'icmp:8:0', cell: 'deny' }], 3));
    expect(back(echo({ family: 4, kind: 'reply', identifier: 3 })).reason).toBe('DROP_REVOKED');
  });

  it('stays when established flows are to be kept', () => {
    out();
    denyEgress(2, StateFlags.KEEP_ESTABLISHED);
    expect(out().reason).toBe('ALLOWED_FLOW');
    expect(back().reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().generation).toBe(1);
    expect(out(udp({ sourcePort: 5001, destinationPort: 53 })).reason).toBe('DROP_EGRESS_POLICY');
  });

  it('is dropped, not revoked, while the tables have a hole', () => {
    out();
    machine.publish({ generation: 2, rules: [{ endpoint: WEB.id, direction: 'egress', cell: 'hole' }] });
    expect(out().reason).toBe('DROP_TABLE_HOLE');
    machine.publish(openPolicy([], 3));
    expect(out().reason).toBe('ALLOWED_FLOW');
  });
});

describe('a flow between local workloads after a change of policy', () => {
  const there = (segment: Segment = query) => packet(web, api, segment);
  const home = (segment: Segment = answer) => packet(api, web, segment, {}, { sourceMac: API.mac });
  const hooks = {
    'the sender': () => machine.at(WEB.id).from(there()),
    'the receiver': () => machine.at(API.id).to(there()),
    'the replying receiver': () => machine.at(API.id).from(home()),
    'the sender, taking a reply': () => machine.at(WEB.id).to(home()),
  };

  it.each(Object.entries(hooks))('is revoked at %s whichever end denies it', (_, run) => {
    for (const [endpoint, direction] of [
      [WEB.id, 'egress'],
      [API.id, 'ingress'],
    ] as const) {
      machine.forgetFlows();
      machine.publish(openPolicy([], 1));
      machine.at(WEB.id).from(there());
      machine.publish(openPolicy([{ endpoint, direction, cell: 'deny' }], 2));
      expect(run()).toMatchObject({ action: 'shot', reason: 'DROP_REVOKED' });
    }
  });

  it.each(Object.entries(hooks))('is renewed at %s with both words', (_, run) => {
    machine.at(WEB.id).from(there());
    const sender = { endpoint: WEB.id, direction: 'egress', cell: 'allow', traceId: 31 } as const;
    const receiver = { endpoint: API.id, direction: 'ingress', cell: 'allow', traceId: 32 } as const;
    machine.publish(openPolicy([sender, receiver], 2));
    expect(run().reason).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow()).toMatchObject({
      generation: 2,
      egress_word: wordOf(sender),
      ingress_word: wordOf(receiver),
    });
  });
});

describe('a flow from a prefix, whose sender its address does not name, after a change of policy', () => {
  const prefix = '10.99.1.1';
  const there = packet(prefix, api, tcp({ sourcePort: 1, destinationPort: 2, flags: ['ack'] }));
  const home = packet(
    api,
    prefix,
    tcp({ sourcePort: 2, destinationPort: 1, flags: ['ack'] }),
    {},
    { sourceMac: API.mac },
  );
  const fromSender = () => {
    machine.at(WEB.id).change(WEB.id, { flags: EndpointFlags.READY | EndpointFlags.MORE_SOURCES });
    return machine.from(there).reason;
  };
  const fromReceiver = () => machine.at(API.id).from(home).reason;
  const toSender = () => {
    machine.at(WEB.id).change(WEB.id, { flags: EndpointFlags.READY | EndpointFlags.MORE_SOURCES });
    return machine.to(home).reason;
  };
  afterEach(() => machine.at(WEB.id).change(WEB.id, {}));

  it('is settled by the sender', () => {
    expect(fromSender()).toBe('ALLOWED_NEW');
    denyEgress(2);
    expect(fromReceiver()).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().egress_word).toBe(0);
    expect(fromSender()).toBe('DROP_REVOKED');
  });

  it("is settled by a reply at the sender's hook, and stays so", () => {
    expect(fromSender()).toBe('ALLOWED_NEW');
    for (const generation of [2, 3]) {
      denyEgress(generation);
      expect(fromReceiver()).toBe('ALLOWED_FLOW');
      expect(toSender()).toBe('DROP_REVOKED');
      expect([fromReceiver(), toSender(), fromSender()]).toEqual(Array(3).fill('DROP_EGRESS_POLICY'));
    }
  });

  it("that still allows it goes on, under the word of the sender's hook", () => {
    expect(fromSender()).toBe('ALLOWED_NEW');
    const sender = { endpoint: WEB.id, direction: 'egress', cell: 'allow', traceId: 31 } as const;
    machine.publish(openPolicy([sender], 2));
    expect(fromReceiver()).toBe('ALLOWED_FLOW');
    expect(toSender()).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().egress_word).toBe(wordOf(sender));
  });

  it('stays revoked once the sender has settled it, whatever the receiver goes on to send', () => {
    expect(fromSender()).toBe('ALLOWED_NEW');
    denyEgress(2);
    expect(fromSender()).toBe('DROP_REVOKED');
    const revoked = machine.onlyFlow();
    for (let round = 0; round < 2; round += 1) expect(fromReceiver()).toBe('DROP_EGRESS_POLICY');
    expect(machine.onlyFlow()).toEqual({ ...revoked, seen_jiffies: expect.any(BigInt) });
    expect(fromSender()).toBe('DROP_EGRESS_POLICY');
    expect(machine.at(API.id).to(there).reason).toBe('DROP_EGRESS_POLICY');
  });
});
