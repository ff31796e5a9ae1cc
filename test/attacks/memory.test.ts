// What an attacker cannot be shown to have failed at by packets alone: choosing a bucket of the flow table, and being delivered to where a
// workload has left.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint, encodeEndpoint } from '../../src/abi/endpoint.gen.ts';
import { FlowBucket, FlowDims, FlowEntry } from '../../src/abi/flow.gen.ts';
import { State } from '../../src/abi/heap.gen.ts';
import { Machine } from '../packet/support/machine.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from '../packet/support/topology.ts';
import { udp } from '../support/packets/transport.ts';

const FIRST_ENTRY = FlowDims.REGION_HEAD + FlowDims.REGION_BUCKETS * FlowBucket.SIZE;

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

describe('the flow table', () => {
  /** Bucket of the only flow there is. */
  function bucket(): number {
    const view = new DataView(machine.map('tt_flows').mmap());
    const used = Array.from({ length: 1024 }, (_, number) => FIRST_ENTRY + number * FlowEntry.SIZE)
      .map((at) => view.getUint32(at + FlowEntry.OFFSET.named_by, true))
      .filter((name) => name !== 0);
    expect(used).toHaveLength(1);
    return Math.floor(((used[0] ?? 0) - 1) / FlowDims.WAYS);
  }

  function bucketUnder(seed: bigint, low: string, high: string): number {
    machine.forgetFlows();
    new DataView(machine.map('tt_state').mmap()).setBigUint64(State.OFFSET.flow_seed, seed, true);
    expect(machine.from(packet(low, high, udp({ sourcePort: 1000, destinationPort: 53 }))).reason).toBe('ALLOWED_NEW');
    return bucket();
  }

  it.each([
    { what: 'IPv4', source: WEB.v4 as string, destination: OUTSIDE.v4 },
    { what: 'IPv6', source: WEB.v6 as string, destination: OUTSIDE.v6 },
  ])('puts flows of $what elsewhere under another seed, whichever of its bits differs', ({ source, destination }) => {
    const seeds = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
    const places = new Set(seeds.map((seed) => bucketUnder(seed, source, destination)));
    expect(places.size).toBeGreaterThan(32);
  });

  it('keeps two flows of one bucket apart from one seed to the next', () => {
    const ports = Array.from({ length: 200 }, (_, index) => 1000 + index);
    const place = (port: number, seed: bigint): number => {
      machine.forgetFlows();
      new DataView(machine.map('tt_state').mmap()).setBigUint64(State.OFFSET.flow_seed, seed, true);
      machine.from(packet(WEB.v4 as string, OUTSIDE.v4, udp({ sourcePort: port, destinationPort: 53 })));
      return bucket();
    };
    const under = (seed: bigint) => ports.map((port) => place(port, seed));
    const [first, second] = [under(1n), under(0x9e37_79b9_7f4a_7c15n)];
    const pairs = ports.flatMap((_, a) => ports.slice(a + 1).map((_, index) => [a, a + 1 + index] as const));
    const together = pairs.filter(([a, b]) => first[a] === first[b]);
    expect(together.length).toBeGreaterThan(20);
    expect(together.filter(([a, b]) => second[a] === second[b]).length).toBeLessThan(together.length / 4);
  });
});

describe('a workload that left', () => {
  it('is not delivered to, nor is whoever has its place in the table, while the cache still names it', () => {
    const data = packet(WEB.v4 as string, DB.v4 as string, udp({ sourcePort: 5000, destinationPort: 53 }));
    for (let round = 0; round < 3; round += 1) machine.from(data);
    expect(machine.from(data)).toMatchObject({ action: 'redirect', reason: 'ALLOWED_CACHED' });
    const endpoints = new DataView(machine.map('tt_endpoints').mmap());
    const at = DB.ifindex * Endpoint.SIZE;
    const before = new Uint8Array(endpoints.buffer, at, Endpoint.SIZE).slice();
    const zero = { word: [0, 0, 0, 0] };
    const mac = new Uint8Array(6).fill(9);
    // The stamp has not been raised yet, as while the agent is at work.
    encodeEndpoint(endpoints, at, { ifindex: 77, flags: 0, id: 9, mtu: 1500, mac, host_mac: mac, v4: zero, v6: zero });
    const outcome = machine.from(data);
    new Uint8Array(endpoints.buffer, at, Endpoint.SIZE).set(before);
    expect(outcome).toMatchObject({ action: 'ok', reason: 'ALLOWED_CACHED' });
    expect(outcome.data).toEqual(data);
  });
});
