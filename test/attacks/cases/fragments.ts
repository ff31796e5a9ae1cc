// Attacks with fragments and IPv6 extension headers: what hides the ports, doubles them, or comes without them.
import { OUTSIDE, packet } from '../../packet/support/topology.ts';
import { fields } from '../../support/packets/bytes.ts';
import { EXTENSION, type Extension, fragmentHeader, padding } from '../../support/packets/ip.ts';
import { bare, icmp, PROTOCOL, type Segment, tcp, udp } from '../../support/packets/transport.ts';
import { ATTACKER, type Attack, addressOf, BYSTANDER, type Family, inBoth, VICTIM } from '../support/arena.ts';

interface Piece {
  readonly segment: Segment;
  readonly offset: number;
  readonly hasMore: boolean;
  readonly identification?: number;
  readonly destination?: string;
}

const v6 = ATTACKER.v6 as string;
const query = udp({ sourcePort: 1000, destinationPort: 53, payload: new Uint8Array(16) });
const denied = udp({ sourcePort: 1000, destinationPort: 54, payload: new Uint8Array(16) });
const rest = { ...query, bytes: new Uint8Array(24) };

function piece(family: Family, { segment, offset, hasMore, identification = 7, destination }: Piece): Uint8Array {
  const to = destination ?? addressOf(OUTSIDE, family);
  const options =
    family === 4
      ? { identification, fragmentOffset: offset, hasMoreFragments: hasMore }
      : { extensions: [fragmentHeader({ identification, offset, hasMore })] };
  return packet(addressOf(ATTACKER, family), to, segment, options);
}

const cut = (segment: Segment, bytes: number): Segment => ({ ...segment, bytes: segment.bytes.slice(0, bytes) });
const syn = tcp({ sourcePort: 1000, destinationPort: 80, flags: ['syn'] });
const sctp = bare(PROTOCOL.SCTP, new Uint8Array(24));

/** Bytes of a first fragment that hold the ports, or type and code, but not the whole header. */
const tiny: readonly (readonly [what: string, segment: Segment, bytes: number])[] = [
  ['TCP, ports but not flags', syn, 8],
  ['TCP, flags but not all', syn, 16],
  ['UDP, no byte', query, 0],
  ['SCTP, ports but no tag', sctp, 8],
  ['ICMP, type and code', icmp({ family: 4, type: 8 }), 4],
];

const first: readonly Attack[] = tiny.flatMap(([what, segment, bytes]) =>
  inBoth((family) => ({
    name: `a tiny first fragment: ${what}`,
    defence: 'parse',
    reason: 'DROP_FRAGMENT_TINY',
    send: (arena) => arena.from(piece(family, { segment: cut(segment, bytes), offset: 0, hasMore: true })),
  })),
);

const later: readonly Attack[] = [
  ...inBoth((family) => ({
    name: 'a later fragment before its first one',
    defence: 'fragments',
    reason: 'DROP_FRAGMENT_ORPHAN',
    send: (arena) => arena.from(piece(family, { segment: rest, offset: 24, hasMore: false })),
  })),
  ...inBoth((family) => ({
    name: 'a later fragment of a datagram to somebody else',
    defence: 'fragments',
    reason: 'DROP_FRAGMENT_ORPHAN',
    flows: 1,
    send: (arena) => {
      arena.from(piece(family, { segment: query, offset: 0, hasMore: true, identification: 11 }));
      const destination = addressOf(VICTIM, family);
      return arena.from(piece(family, { segment: rest, offset: 24, hasMore: false, identification: 11, destination }));
    },
  })),
  ...inBoth((family) => ({
    name: 'a later fragment of a datagram of somebody else',
    defence: 'fragments',
    reason: 'DROP_FRAGMENT_ORPHAN',
    flows: 1,
    send: (arena) => {
      const identification = 12;
      const options =
        family === 4
          ? { identification, hasMoreFragments: true }
          : { extensions: [fragmentHeader({ identification, offset: 0, hasMore: true })] };
      const theirs = packet(addressOf(BYSTANDER, family), addressOf(OUTSIDE, family), query, options, {
        sourceMac: BYSTANDER.mac,
      });
      arena.machine.at(BYSTANDER.id).from(theirs);
      return arena.from(piece(family, { segment: rest, offset: 24, hasMore: false, identification }));
    },
  })),
  {
    name: 'a later fragment of another protocol than its first one, IPv4',
    defence: 'fragments',
    reason: 'DROP_FRAGMENT_ORPHAN',
    flows: 1,
    send: (arena) => {
      arena.from(piece(4, { segment: query, offset: 0, hasMore: true, identification: 13 }));
      const segment = { ...rest, protocol: PROTOCOL.TCP };
      return arena.from(piece(4, { segment, offset: 24, hasMore: false, identification: 13 }));
    },
  },
  ...inBoth((family) => ({
    name: 'a second first fragment with a denied port, over an allowed one, and what follows it',
    defence: 'fragments',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      const identification = 14;
      arena.from(piece(family, { segment: query, offset: 0, hasMore: true, identification }));
      return [
        arena.from(piece(family, { segment: denied, offset: 0, hasMore: true, identification })),
        arena.from(piece(family, { segment: rest, offset: 24, hasMore: false, identification })),
      ];
    },
  })),
  ...inBoth((family) => ({
    name: 'a later fragment that reaches back over the SCTP header',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    flows: 0,
    send: (arena) => arena.from(piece(family, { segment: sctp, offset: 8, hasMore: false, identification: 15 })),
  })),
  {
    name: 'a later fragment that reaches back under the name of another protocol, IPv6',
    defence: 'fragments',
    reason: 'DROP_MALFORMED',
    flows: 1,
    send: (arena) => {
      const whole = { ...tcp({ sourcePort: 1000, destinationPort: 80, flags: ['ack'], payload: new Uint8Array(12) }) };
      arena.from(piece(6, { segment: whole, offset: 0, hasMore: true, identification: 16 }));
      const segment = bare(PROTOCOL.UDP, new Uint8Array(24));
      return arena.from(piece(6, { segment, offset: 16, hasMore: false, identification: 16 }));
    },
  },
  ...inBoth((family) => ({
    name: 'a later fragment that claims a protocol without ports',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      arena.from(piece(family, { segment: query, offset: 0, hasMore: true, identification: 17 }));
      const segment = { ...rest, protocol: PROTOCOL.GRE };
      return arena.from(piece(family, { segment, offset: 24, hasMore: false, identification: 17 }));
    },
  })),
  ...inBoth((family) => ({
    name: 'a fragment that ends beyond 65,535 bytes, of a denied datagram',
    defence: 'fragments',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      [
        { segment: denied, offset: 0, hasMore: true, identification: 18 },
        { segment: { ...rest, bytes: new Uint8Array(1400) }, offset: 65528, hasMore: false, identification: 18 },
      ].map((part) => arena.from(piece(family, part))),
  })),
  ...inBoth((family) => ({
    name: 'fragments without ports of datagrams that nobody announced, ten thousand of them',
    defence: 'fragments',
    reason: 'DROP_FRAGMENT_ORPHAN',
    send: (arena) => arena.from(piece(family, { segment: rest, offset: 24, hasMore: true }), { repeat: 10_000 }),
  })),
];

/** More first fragments than are remembered, then those of somebody else. */
const floods: readonly Attack[] = inBoth((family) => ({
  name: 'more first fragments than are remembered: the next datagram of a bystander still is',
  defence: 'fragments',
  reason: 'ALLOWED_FLOW',
  flows: 2,
  send: (arena) => {
    for (let identification = 1; identification <= 9000; identification += 1)
      arena.from(piece(family, { segment: query, offset: 0, hasMore: true, identification }));
    const theirs = (offset: number, hasMore: boolean, segment: Segment) =>
      arena.machine
        .at(BYSTANDER.id)
        .from(
          packet(
            addressOf(BYSTANDER, family),
            addressOf(OUTSIDE, family),
            segment,
            family === 4
              ? { identification: 5, fragmentOffset: offset, hasMoreFragments: hasMore }
              : { extensions: [fragmentHeader({ identification: 5, offset, hasMore })] },
            { sourceMac: BYSTANDER.mac },
          ),
        );
    theirs(0, true, query);
    return theirs(24, false, rest);
  },
}));

function routing(type: number, left: number): Extension {
  const bytes = new Uint8Array(24);
  bytes.set([0, 2, type, left]);
  bytes.set([0xfd, 0, 0, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], 8);
  return { number: EXTENSION.ROUTING, bytes };
}

const option = (extensions: readonly Extension[], segment: Segment = denied, more = {}): Uint8Array =>
  packet(v6, OUTSIDE.v6, segment, { extensions, ...more });
const atomic = fragmentHeader({ identification: 30, offset: 0, hasMore: false });
const jumbo: Extension = {
  number: EXTENSION.HOP_BY_HOP,
  bytes: fields([1, 0], [1, 0], [1, 0xc2], [1, 4], [4, 70_000]),
};

function chain(what: string, reason: Attack['reason'], data: Uint8Array, defence = 'extensions'): Attack {
  return { name: `IPv6: ${what}`, defence, reason, send: (arena) => [arena.from(data), arena.atVictim(inward(data))] };
}

/** The same packet on its way in: from outside to the victim. */
function inward(data: Uint8Array): Uint8Array {
  const copy = data.slice();
  const view = packet(OUTSIDE.v6, VICTIM.v6 as string, bare(59, new Uint8Array(0)));
  copy.set(view.slice(22, 54), 22);
  return copy;
}

const routes: readonly Attack[] = [0, 2, 3, 4, 253].map((type) => ({
  name: `IPv6: routing header of type ${type} by way of an allowed address, denied port`,
  defence: 'extensions',
  reason: 'DROP_EGRESS_POLICY',
  send: (arena) => arena.from(option([routing(type, 1)])),
}));

const nested = fragmentHeader({ identification: 31, offset: 64, hasMore: false });
const opening = fragmentHeader({ identification: 32, offset: 0, hasMore: true });

const chains: readonly Attack[] = [
  ...routes,
  chain(
    'nine destination headers',
    'DROP_EXTENSION_HEADERS',
    option(
      Array.from({ length: 9 }, () => padding(60)),
      query,
    ),
  ),
  chain(
    'a hundred hop-by-hop headers',
    'DROP_EXTENSION_HEADERS',
    option(
      Array.from({ length: 100 }, () => padding(0)),
      query,
    ),
  ),
  chain(
    'headers of more than 2,048 bytes',
    'DROP_EXTENSION_HEADERS',
    option([padding(60, 2040), padding(60, 64)], query),
  ),
  chain(
    'a header length that leads beyond the packet',
    'DROP_TRUNCATED',
    lying(option([padding(60)], query), 20),
    'parse',
  ),
  chain(
    'a header length that leads beyond the packet, to no next header',
    'DROP_TRUNCATED',
    lying(option([padding(60)], bare(59, new Uint8Array(8))), 20),
    'parse',
  ),
  chain(
    'a header length that leads beyond 2,048 bytes',
    'DROP_EXTENSION_HEADERS',
    lying(option([padding(60)], query), 255),
  ),
  chain('the last header is cut', 'DROP_TRUNCATED', option([padding(60, 16)], query, { payloadLength: 7 })),
  chain('a jumbogram', 'DROP_TRUNCATED', option([jumbo], query, { payloadLength: 0 })),
  chain(
    'a header of no more than its first two bytes',
    'DROP_TRUNCATED',
    option([padding(60)], bare(59, new Uint8Array(0)), { payloadLength: 2 }),
  ),
  chain(
    'a later fragment whose header ends outside of the packet, inside the frame',
    'DROP_TRUNCATED',
    option([nested], query, { payloadLength: 6 }),
  ),
  chain('a later fragment behind an atomic one', 'DROP_FRAGMENT_ORPHAN', option([atomic, nested], query), 'fragments'),
  chain('a later fragment inside a first one', 'DROP_FRAGMENT_ORPHAN', option([opening, nested], query), 'fragments'),
  {
    name: 'IPv6: an atomic fragment with a denied port',
    defence: 'extensions',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => arena.from(option([atomic])),
  },
  {
    name: 'IPv6: an atomic fragment inside a first one, denied port',
    defence: 'extensions',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => arena.from(option([opening, atomic])),
  },
  {
    name: 'IPv6: headers of every kind before a denied port',
    defence: 'extensions',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      arena.from(option([padding(0, 16), padding(60), routing(0, 0), padding(43, 24), atomic, padding(60, 32)])),
  },
  {
    name: 'IPv6: no next header, AH, ESP, mobility and HIP before an allowed port',
    defence: 'classify',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      [59, 51, 50, 135, 139, 140].map((number) => arena.from(option([padding(60)], bare(number, query.bytes)))),
  },
];

/** With another length in its first extension header. */
function lying(data: Uint8Array, length: number): Uint8Array {
  const copy = data.slice();
  copy[14 + 40 + 1] = length;
  return copy;
}

export const fragmentAttacks: readonly Attack[] = [...first, ...later, ...floods, ...chains];
