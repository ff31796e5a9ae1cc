import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Reason } from '../../src/abi/event.gen.ts';
import { FlowState } from '../../src/abi/flow.gen.ts';
import { bare, echo, PROTOCOL, type Segment, type TcpFlag, tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const web = { 4: WEB.v4 as string, 6: WEB.v6 as string };
const far = { 4: OUTSIDE.v4, 6: OUTSIDE.v6 };
const query = udp({ sourcePort: 5000, destinationPort: 53 });
const answer = udp({ sourcePort: 53, destinationPort: 5000 });
const call = (...flags: TcpFlag[]) => tcp({ sourcePort: 40000, destinationPort: 80, flags });
const reply = (...flags: TcpFlag[]) => tcp({ sourcePort: 80, destinationPort: 40000, flags });

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

const out = (segment: Segment, family: 4 | 6 = 4) => machine.from(packet(web[family], far[family], segment)).reason;
const back = (segment: Segment, family: 4 | 6 = 4) => machine.to(packet(far[family], web[family], segment)).reason;

describe.each([4, 6] as const)('the flow cache, IPv%s', (family) => {
  it('answers for a known UDP flow, each direction for itself', () => {
    expect([out(query, family), out(query, family), out(query, family)]).toEqual([
      'ALLOWED_NEW',
      'ALLOWED_FLOW',
      'ALLOWED_CACHED',
    ]);
    expect([back(answer, family), back(answer, family)]).toEqual(['ALLOWED_FLOW', 'ALLOWED_CACHED']);
  });

  it('answers for TCP only once it is established', () => {
    expect([
      out(call('syn'), family),
      back(reply('syn', 'ack'), family),
      out(call('ack'), family),
      out(call('ack'), family),
    ]).toEqual(['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_FLOW', 'ALLOWED_CACHED']);
  });

  it('leaves to the flow table what changes the state of a connection', () => {
    for (const [run, segment] of [
      [out, call('syn')],
      [back, reply('syn', 'ack')],
      [out, call('ack')],
      [out, call('ack')],
    ] as const) {
      run(segment, family);
    }
    expect(out(call('fin', 'ack'), family)).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().state).toBe(FlowState.CLOSING);
    for (let round = 0; round < 3; round += 1) expect(out(call('ack'), family)).toBe('ALLOWED_FLOW');
  });

  it('leaves to the flow table the packet that establishes a connection picked up in the middle', () => {
    expect([1, 2, 3].map(() => out(call('ack'), family))).toEqual(['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_FLOW']);
    expect([1, 2, 3].map(() => back(reply('ack'), family))).toEqual(['ALLOWED_FLOW', 'ALLOWED_FLOW', 'ALLOWED_FLOW']);
    expect(out(call('ack'), family)).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow()).toMatchObject({ state: FlowState.ESTABLISHED, packets: [4n, 3n] });
  });

  it('keeps every count, and hands them to the flow within a second of traffic', () => {
    for (let round = 0; round < 10; round += 1) out(query, family);
    const [slot] = machine.cached();
    expect(slot).toMatchObject({ packets: 8n, reply: 0 });
    expect(machine.onlyFlow().packets).toEqual([2n, 0n]);
    machine.ageFlows(1);
    expect(out(query, family)).toBe('ALLOWED_FLOW');
    const length = BigInt((family === 4 ? 20 : 40) + 8);
    expect(machine.onlyFlow()).toMatchObject({ packets: [11n, 0n], bytes: [11n * length, 0n] });
    expect(machine.cached()).toMatchObject([{ packets: 0n, bytes: 0n }]);
  });

  it('hands the counts of replies to their own direction', () => {
    out(query, family);
    for (let round = 0; round < 10; round += 1) back(answer, family);
    expect(machine.cached()).toMatchObject([{ packets: 9n, reply: 1 }]);
    machine.ageFlows(1);
    expect(back(answer, family)).toBe('ALLOWED_FLOW');
    const length = BigInt((family === 4 ? 20 : 40) + 8);
    expect(machine.onlyFlow()).toMatchObject({ packets: [1n, 11n], bytes: [length, 11n * length] });
  });

  it('hands over what a slot held when another flow takes it', () => {
    const ports = collidingPorts(family);
    const first = udp({ sourcePort: ports[0], destinationPort: 53 });
    const second = udp({ sourcePort: ports[1], destinationPort: 53 });
    for (let round = 0; round < 5; round += 1) out(first, family);
    expect(machine.cached()).toMatchObject([{ source_port: ports[0], packets: 3n }]);
    for (let round = 0; round < 5; round += 1) out(second, family);
    expect(machine.cached()).toMatchObject([{ source_port: ports[1], packets: 3n }]);
    expect(out(first, family)).toBe('ALLOWED_FLOW');
    const counts = machine.flows().map(({ flow }) => flow.packets[0]);
    expect(counts.toSorted()).toEqual([5n, 6n]);
  });
});

describe('the flow cache', () => {
  it('holds bare protocols, and no ICMP', () => {
    for (let round = 0; round < 3; round += 1) out(bare(PROTOCOL.GRE));
    expect(out(bare(PROTOCOL.GRE))).toBe('ALLOWED_CACHED');
    const ping = echo({ family: 4, kind: 'request', identifier: 1 });
    expect([out(ping), out(ping), out(ping)]).toEqual(['ALLOWED_NEW', 'ALLOWED_FLOW', 'ALLOWED_FLOW']);
  });

  it('does not answer across a change of policy', () => {
    for (let round = 0; round < 3; round += 1) out(query);
    machine.publish(openPolicy([], 2));
    expect([out(query), out(query)]).toEqual(['ALLOWED_FLOW', 'ALLOWED_CACHED']);
  });

  it('does not let a flow outlive its entry by more than a second', () => {
    for (let round = 0; round < 3; round += 1) out(query);
    machine.clearFlowTable();
    expect(out(query)).toBe('ALLOWED_CACHED');
    machine.ageCache(1);
    expect(out(query)).toBe('ALLOWED_NEW');
  });

  it('does not answer for a spoofed copy of the packet, nor at another hook', () => {
    for (let round = 0; round < 3; round += 1) out(query);
    machine.change(WEB.id, { v4: '10.65.0.77' });
    expect(out(query)).toBe('DROP_SPOOFED_ADDRESS');
    machine.change(WEB.id, {});
    expect(machine.to(packet(web[4], far[4], query)).reason).toBe('ALLOWED_FLOW');
  });

  it('does not answer for an endpoint that lost its policy', () => {
    for (let round = 0; round < 3; round += 1) out(query);
    machine.change(WEB.id, { flags: 0 });
    expect(out(query)).toBe('DROP_NOT_READY');
    machine.change(WEB.id, {});
    expect([out(query), out(query)]).toEqual(['ALLOWED_FLOW', 'ALLOWED_CACHED']);
  });

  it('does not credit a new connection with the packets of an old one on the same ports', () => {
    out(call('syn'));
    back(reply('syn', 'ack'));
    for (let round = 0; round < 4; round += 1) out(call('ack'));
    back(reply('rst'));
    out(call('syn'));
    expect(machine.onlyFlow().packets).toEqual([1n, 0n]);
    expect(machine.cached()).toEqual([]);
  });

  it('agrees with the counters on how many packets there were', () => {
    const before = [Reason.ALLOWED_CACHED, Reason.ALLOWED_FLOW, Reason.ALLOWED_NEW].map(
      (reason) => machine.counter(reason).packets,
    );
    const data = packet(web[4], far[4], query);
    machine.from(data, { repeat: 1000 });
    const after = [Reason.ALLOWED_CACHED, Reason.ALLOWED_FLOW, Reason.ALLOWED_NEW].map(
      (reason) => machine.counter(reason).packets,
    );
    expect(after.map((count, index) => count - (before[index] as bigint)).reduce((sum, count) => sum + count)).toBe(
      1000n,
    );
    const inCache = machine.cached().reduce((sum, slot) => sum + slot.packets, 0n);
    expect((machine.onlyFlow().packets[0] as bigint) + inCache).toBe(1000n);
  });
});

/** Two source ports whose flows share a slot: found by trying, so that the test does not know the hash. */
function collidingPorts(family: 4 | 6): readonly [number, number] {
  const seen = new Map<string, number>();
  for (let port = 1; port < 5000; port += 1) {
    machine.forgetFlows();
    const data = packet(web[family], far[family], udp({ sourcePort: port, destinationPort: 53 }));
    machine.from(data, { repeat: 3 });
    const place = machine.cachePlaces().join();
    const other = seen.get(place);
    if (other !== undefined) {
      machine.forgetFlows();
      return [other, port];
    }
    seen.set(place, port);
  }
  throw new Error('no two ports share a slot');
}
