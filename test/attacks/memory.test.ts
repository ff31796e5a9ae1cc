// What an attacker cannot be shown to have failed at by packets alone: choosing a bucket of the flow table, passing for a flow whose bucket
// and tag it has, and being delivered to where a workload has left.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint, EndpointFlags, encodeEndpoint } from '../../src/abi/endpoint.gen.ts';
import { State } from '../../src/abi/heap.gen.ts';
import { Machine, type Outcome } from '../packet/support/machine.ts';
import { DB, OUTSIDE, openPolicy, packet, WEB } from '../packet/support/topology.ts';
import { udp } from '../support/packets/transport.ts';

/** Places of a flow table that has no more than one bucket. */
const ONE_BUCKET = 8;

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
  /** Bucket of the flow that the packet opens. */
  function bucketUnder(seed: bigint, data: Uint8Array): number {
    machine.forgetFlows();
    new DataView(machine.map('tt_state').mmap()).setBigUint64(State.OFFSET.flow_seed, seed, true);
    expect(machine.from(data).reason).toBe('ALLOWED_NEW');
    const [{ bucket } = { bucket: -1 }, ...rest] = machine.flows();
    expect(rest).toEqual([]);
    return bucket;
  }

  it.each([
    { what: 'IPv4', source: WEB.v4 as string, destination: OUTSIDE.v4 },
    { what: 'IPv6', source: WEB.v6 as string, destination: OUTSIDE.v6 },
  ])('puts flows of $what elsewhere under another seed, whichever of its bits differs', ({ source, destination }) => {
    const seeds = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
    const data = packet(source, destination, udp({ sourcePort: 1000, destinationPort: 53 }));
    const places = new Set(seeds.map((seed) => bucketUnder(seed, data)));
    expect(places.size).toBeGreaterThan(32);
  });

  it('keeps two flows of one bucket apart from one seed to the next', () => {
    const ports = Array.from({ length: 200 }, (_, index) => 1000 + index);
    const under = (seed: bigint) =>
      ports.map((port) =>
        bucketUnder(seed, packet(WEB.v4 as string, OUTSIDE.v4, udp({ sourcePort: port, destinationPort: 53 }))),
      );
    const [first, second] = [under(1n), under(0x9e37_79b9_7f4a_7c15n)];
    const pairs = ports.flatMap((_, a) => ports.slice(a + 1).map((_, index) => [a, a + 1 + index] as const));
    const together = pairs.filter(([a, b]) => first[a] === first[b]);
    expect(together.length).toBeGreaterThan(20);
    expect(together.filter(([a, b]) => second[a] === second[b]).length).toBeLessThan(together.length / 4);
  });

  it.each([4, 6] as const)('takes a key for no other, though bucket and tag are the same (IPv%s)', (family) => {
    const small = new Machine([WEB], { flows: ONE_BUCKET });
    try {
      small.publish(openPolicy());
      const [known, strange] = alike(small, family);
      const deny = { endpoint: WEB.id, direction: 'egress', peer: strange, cell: 'deny' } as const;
      small.publish(openPolicy([deny]));
      small.forgetFlows();
      expect(send(small, family, known).reason).toBe('ALLOWED_NEW');
      expect(send(small, family, strange)).toMatchObject({ action: 'shot', reason: 'DROP_EGRESS_POLICY' });
      small.publish(openPolicy());
      expect(send(small, family, strange).reason).toBe('ALLOWED_NEW');
      expect([send(small, family, known).reason, send(small, family, strange).reason]).toEqual([
        'ALLOWED_FLOW',
        'ALLOWED_FLOW',
      ]);
      expect(small.flows().map(({ flow }) => flow.packets[0])).toEqual([2n, 2n]);
    } finally {
      small.close();
    }
  });
});

function send(small: Machine, family: 4 | 6, destination: string): Outcome {
  const source = (family === 4 ? WEB.v4 : WEB.v6) as string;
  return small.at(WEB.id).from(packet(source, destination, udp({ sourcePort: 1000, destinationPort: 53 })));
}

/** Two destinations whose flows have one bucket and one tag: found by trying, so that the test does not know the hash. */
function alike(small: Machine, family: 4 | 6): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let number = 0; number < 5000; number += 1) {
    const destination =
      family === 4
        ? `198.51.${number >> 8}.${number & 255}`
        : `2001:db8:${number.toString(16)}::${number.toString(16)}`;
    small.forgetFlows();
    send(small, family, destination);
    const name = small
      .flows()
      .map(({ bucket, tag }) => `${bucket} ${tag}`)
      .join();
    const other = seen.get(name);
    if (other !== undefined) return [other, destination];
    seen.set(name, destination);
  }
  throw new Error('no two flows have one bucket and one tag');
}

describe('a workload that left', () => {
  const data = packet(WEB.v4 as string, DB.v4 as string, udp({ sourcePort: 5000, destinationPort: 53 }));
  const mac = new Uint8Array(6).fill(9);
  const zero = { word: [0, 0, 0, 0] };
  const flags = EndpointFlags.READY | EndpointFlags.PEER_DELIVERY;
  /** The table's memory, so that no stamp is raised, as while the agent is at work. */
  const endpoints = () => new Uint8Array(machine.map('tt_endpoints').mmap(), DB.ifindex * Endpoint.SIZE, Endpoint.SIZE);

  /** What becomes of the packet while the workload's place in the table holds this. */
  function fromWhile(entry: Partial<Endpoint>): Outcome {
    const memory = endpoints();
    const before = memory.slice();
    const view = new DataView(memory.buffer, memory.byteOffset);
    encodeEndpoint(view, 0, {
      ifindex: 77,
      flags: 0,
      id: 9,
      mtu: 1500,
      mac,
      host_mac: mac,
      v4: zero,
      v6: zero,
      ...entry,
    });
    const outcome = machine.from(data);
    memory.set(before);
    return outcome;
  }

  it('is not delivered to, nor is whoever has its place in the table, while the cache still names it', () => {
    for (let round = 0; round < 3; round += 1) machine.from(data);
    expect(machine.from(data)).toMatchObject({ action: 'redirect', reason: 'ALLOWED_CACHED' });
    const outcome = fromWhile({});
    expect(outcome).toMatchObject({ action: 'ok', reason: 'ALLOWED_CACHED' });
    expect(outcome.data).toEqual(data);
  });

  it.each([
    { what: 'another workload has its place', entry: { flags } },
    { what: 'its place is being cleared', entry: { flags, ifindex: 0, id: DB.id } },
  ])('opens no flow to where its address still leads, once $what', ({ entry }) => {
    expect(fromWhile(entry)).toMatchObject({ action: 'shot', reason: 'DROP_NOT_READY' });
    expect(machine.flows()).toEqual([]);
    expect(machine.from(data)).toMatchObject({ action: 'redirect', reason: 'ALLOWED_NEW' });
  });
});
