import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeFragment, encodeFragment, Fragment } from '../../src/abi/flow.gen.ts';
import { EXTENSION, fragmentHeader, padding } from '../support/packets/ip.ts';
import { bare, echo, PROTOCOL, type Segment, tcp, udp } from '../support/packets/transport.ts';
import { Machine } from './support/machine.ts';
import { OUTSIDE, openPolicy, packet, WEB } from './support/topology.ts';

const DATAGRAM_BYTES = 24;
const SECONDS_TOO_OLD = 31;

interface Piece {
  readonly family: 4 | 6;
  readonly segment: Segment;
  readonly identification?: number;
  readonly offset: number;
  readonly hasMore: boolean;
}

/** One fragment of what the workload sends outside. */
function piece({ family, segment, identification = 7, offset, hasMore }: Piece): Uint8Array {
  const source = (family === 4 ? WEB.v4 : WEB.v6) as string;
  const destination = family === 4 ? OUTSIDE.v4 : OUTSIDE.v6;
  if (family === 4) {
    return packet(source, destination, segment, { identification, fragmentOffset: offset, hasMoreFragments: hasMore });
  }
  return packet(source, destination, segment, { extensions: [fragmentHeader({ identification, offset, hasMore })] });
}

const whole = udp({ sourcePort: 1000, destinationPort: 53, payload: new Uint8Array(2 * DATAGRAM_BYTES - 8) });
const head = { ...whole, bytes: whole.bytes.slice(0, DATAGRAM_BYTES) };
const tail = { ...whole, bytes: whole.bytes.slice(DATAGRAM_BYTES) };

describe.each([4, 6] as const)('fragments of IPv%s', (family) => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB]);
    machine.at(WEB.id);
  });
  beforeEach(() => {
    machine.forgetFlows();
    machine.publish(openPolicy([{ endpoint: WEB.id, direction: 'egress', l4: 'udp:54', cell: 'deny' }]));
  });
  afterAll(() => machine.close());

  it('follow the ports of their first one', () => {
    const identification = 100;
    expect(machine.from(piece({ family, segment: head, identification, offset: 0, hasMore: true })).reason).toBe(
      'ALLOWED_NEW',
    );
    expect(
      machine.from(piece({ family, segment: tail, identification, offset: DATAGRAM_BYTES, hasMore: false })).reason,
    ).toBe('ALLOWED_FLOW');
    expect(machine.onlyFlow().packets).toEqual([2n, 0n]);
  });

  it('follow it into denial, too', () => {
    const identification = 101;
    const denied = udp({ sourcePort: 1000, destinationPort: 54, payload: new Uint8Array(16) });
    expect(machine.from(piece({ family, segment: denied, identification, offset: 0, hasMore: true })).reason).toBe(
      'DROP_EGRESS_POLICY',
    );
    expect(machine.from(piece({ family, segment: tail, identification, offset: 24, hasMore: false })).reason).toBe(
      'DROP_EGRESS_POLICY',
    );
  });

  it('are dropped as orphans without it, and of another datagram', () => {
    machine.from(piece({ family, segment: head, identification: 102, offset: 0, hasMore: true }));
    const orphan = piece({ family, segment: tail, identification: 103, offset: DATAGRAM_BYTES, hasMore: false });
    expect(machine.from(orphan)).toMatchObject({ action: 'shot', reason: 'DROP_FRAGMENT_ORPHAN' });
  });

  it('are dropped as orphans when it came too long ago', () => {
    const identification = 104;
    machine.from(piece({ family, segment: head, identification, offset: 0, hasMore: true }));
    ageFragments(machine, SECONDS_TOO_OLD);
    const late = piece({ family, segment: tail, identification, offset: DATAGRAM_BYTES, hasMore: false });
    expect(machine.from(late)).toMatchObject({ action: 'shot', reason: 'DROP_FRAGMENT_ORPHAN' });
  });

  it('are dropped when the first is too short for the ports', () => {
    const tiny = { ...whole, bytes: whole.bytes.slice(0, 4) };
    expect(machine.from(piece({ family, segment: tiny, offset: 0, hasMore: true }))).toMatchObject({
      action: 'shot',
      reason: 'DROP_FRAGMENT_TINY',
    });
    const syn = tcp({ sourcePort: 1, destinationPort: 2, flags: ['syn'] });
    const tinyTcp = piece({ family, segment: { ...syn, bytes: syn.bytes.slice(0, 8) }, offset: 0, hasMore: true });
    expect(machine.from(tinyTcp).reason).toBe('DROP_FRAGMENT_TINY');
  });

  it('are dropped when a later one reaches back over the TCP flags', () => {
    const identification = 105;
    const syn = tcp({ sourcePort: 1, destinationPort: 2, flags: ['ack'], payload: new Uint8Array(4) });
    machine.from(piece({ family, segment: syn, identification, offset: 0, hasMore: true }));
    const over = piece({
      family,
      segment: { ...syn, bytes: new Uint8Array(16) },
      identification,
      offset: 8,
      hasMore: false,
    });
    expect(machine.from(over)).toMatchObject({ action: 'shot', reason: 'DROP_MALFORMED' });
  });

  it('of a bare protocol need no first one', () => {
    const gre = piece({ family, segment: bare(PROTOCOL.GRE), identification: 106, offset: 64, hasMore: false });
    expect(machine.from(gre)).toMatchObject({ action: 'ok', reason: 'ALLOWED_NEW' });
  });

  it('of a ping belong to its flow', () => {
    const identification = 107;
    const ping = echo({ family, kind: 'request', identifier: 3 });
    machine.from(
      piece({
        family,
        segment: { ...ping, bytes: new Uint8Array([...ping.bytes, ...new Uint8Array(16)]) },
        identification,
        offset: 0,
        hasMore: true,
      }),
    );
    expect(
      machine.from(
        piece({ family, segment: { ...ping, bytes: new Uint8Array(8) }, identification, offset: 24, hasMore: false }),
      ).reason,
    ).toBe('ALLOWED_FLOW');
  });

  it('never use the flow cache, which would not remember them', () => {
    for (let round = 0; round < 3; round += 1)
      machine.from(packet((family === 4 ? WEB.v4 : WEB.v6) as string, family === 4 ? OUTSIDE.v4 : OUTSIDE.v6, whole));
    const identification = 108;
    expect(machine.from(piece({ family, segment: head, identification, offset: 0, hasMore: true })).reason).toBe(
      'ALLOWED_FLOW',
    );
    expect(
      machine.from(piece({ family, segment: tail, identification, offset: DATAGRAM_BYTES, hasMore: false })).reason,
    ).toBe('ALLOWED_FLOW');
  });

  it.each([
    { what: 'UDP', segment: head },
    {
      what: 'TCP',
      segment: tcp({ sourcePort: 1000, destinationPort: 53, flags: ['ack'], payload: new Uint8Array(4) }),
    },
    { what: 'a bare protocol', segment: bare(PROTOCOL.GRE, new Uint8Array(24)) },
  ])('of $what do not fill the flow cache', ({ what, segment }) => {
    const [here, there] = family === 4 ? [WEB.v4 as string, OUTSIDE.v4] : [WEB.v6 as string, OUTSIDE.v6];
    const first = piece({ family, segment, identification: 110, offset: 0, hasMore: true });
    if (what === 'TCP') {
      // The fragment is what establishes the connection: before, TCP would not be cached anyway.
      machine.from(packet(here, there, tcp({ sourcePort: 1000, destinationPort: 53, flags: ['syn'] })));
      machine.to(packet(there, here, tcp({ sourcePort: 53, destinationPort: 1000, flags: ['syn', 'ack'] })));
    } else {
      machine.from(packet(here, there, segment));
    }
    expect(machine.from(first).reason).toBe('ALLOWED_FLOW');
    expect(machine.cached()).toEqual([]);
    expect(machine.from(packet(here, there, segment)).reason).toBe('ALLOWED_FLOW');
    expect(machine.from(packet(here, there, segment)).reason).toBe('ALLOWED_CACHED');
  });

  it('of a spoofed datagram are not remembered', () => {
    const identification = 109;
    const foreign = family === 4 ? '10.65.0.99' : 'fd00:65::99';
    const destination = family === 4 ? OUTSIDE.v4 : OUTSIDE.v6;
    const before = machine.map('tt_fragments').entries().count;
    const extensions = family === 4 ? [] : [fragmentHeader({ identification, offset: 0, hasMore: true })];
    machine.from(packet(foreign, destination, head, { identification, hasMoreFragments: true, extensions }));
    expect(machine.map('tt_fragments').entries().count).toBe(before);
  });
});

describe('fragments of IPv6', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = new Machine([WEB]);
    machine.publish(openPolicy());
    machine.at(WEB.id);
  });
  afterAll(() => machine.close());

  it('find a protocol that only the first one names, behind a further extension header', () => {
    const source = WEB.v6 as string;
    const split = (offset: number, hasMore: boolean, rest: Segment) =>
      packet(source, OUTSIDE.v6, rest, {
        extensions: [fragmentHeader({ identification: 200, offset, hasMore }), padding(EXTENSION.DESTINATION)],
      });
    expect(machine.from(split(0, true, head)).reason).toBe('ALLOWED_NEW');
    const later = packet(
      source,
      OUTSIDE.v6,
      { protocol: EXTENSION.DESTINATION, bytes: new Uint8Array(24) },
      {
        extensions: [fragmentHeader({ identification: 200, offset: 32, hasMore: false })],
      },
    );
    expect(machine.from(later).reason).toBe('ALLOWED_FLOW');
    const orphan = packet(
      source,
      OUTSIDE.v6,
      { protocol: EXTENSION.DESTINATION, bytes: new Uint8Array(24) },
      {
        extensions: [fragmentHeader({ identification: 201, offset: 32, hasMore: false })],
      },
    );
    expect(machine.from(orphan).reason).toBe('DROP_FRAGMENT_ORPHAN');
  });
});

function ageFragments(machine: Machine, seconds: number): void {
  const map = machine.map('tt_fragments');
  const { keys, values, count } = map.entries();
  const keyBytes = keys.length / count;
  for (let index = 0; index < count; index += 1) {
    const first = decodeFragment(new DataView(values.buffer, values.byteOffset), index * Fragment.SIZE);
    const value = new Uint8Array(Fragment.SIZE);
    const seen_jiffies = first.seen_jiffies - BigInt(seconds * 1_000_000);
    encodeFragment(new DataView(value.buffer), 0, { ...first, seen_jiffies });
    map.update(keys.slice(index * keyBytes, (index + 1) * keyBytes), value, 0);
  }
}
