// Attacks with frames and IP headers that are not what they seem: ethertypes, tags, lengths, options, encapsulation, segmentation.
import { OUTSIDE, packet } from '../../packet/support/topology.ts';
import { concat, fields } from '../../support/packets/bytes.ts';
import { ETHERTYPE, rawFrame } from '../../support/packets/ethernet.ts';
import { type Ipv4, type Ipv6, ipv4, ipv6 } from '../../support/packets/ip.ts';
import { bare, type Segment, tcp, udp } from '../../support/packets/transport.ts';
import { ATTACKER, type Attack, addressOf, type Family, inBoth, VICTIM } from '../support/arena.ts';

const attacker = ATTACKER.v4 as string;
const victim = VICTIM.v4 as string;
const query = udp({ sourcePort: 1000, destinationPort: 53 });
const denied = udp({ sourcePort: 1000, destinationPort: 54 });
const allowed = ipv4({ source: attacker, destination: OUTSIDE.v4, segment: query });
const allowed6 = ipv6({ source: ATTACKER.v6 as string, destination: OUTSIDE.v6, segment: query });

const ethertypes: readonly (readonly [what: string, ethertype: number])[] = [
  ['an 802.3 length, as LLC has', 0x0040],
  ['no ethertype', 0],
  ['Reverse ARP', 0x8035],
  ['MPLS', 0x8847],
  ['PPPoE', 0x8864],
  ['802.1X', 0x888e],
  ['MACsec', 0x88e5],
  ['an 802.1ad service tag', 0x88a8],
  ['the older QinQ tag', 0x9100],
  ['TRILL', 0x22f3],
  ['Wake-on-LAN', 0x0842],
  ['IPv4 with its bytes swapped', 0x0008],
];

const strange = ethertypes.map(
  ([what, ethertype]): Attack => ({
    name: `${what} in front of an allowed packet`,
    defence: 'parse',
    reason: 'DROP_ETHERTYPE',
    send: (arena) => [
      arena.from(rawFrame(ethertype, allowed.bytes)),
      arena.atVictim(rawFrame(ethertype, allowed.bytes)),
    ],
  }),
);

const tags: readonly Attack[] = [
  {
    name: 'an 802.1Q tag in the frame',
    defence: 'parse',
    reason: 'DROP_ETHERTYPE',
    send: (arena) => [0, 1, 4095].map((vlan) => arena.from(rawFrame(ETHERTYPE.IPV4, allowed.bytes, { vlan }))),
  },
  {
    name: 'two 802.1Q tags in the frame',
    defence: 'parse',
    reason: 'DROP_ETHERTYPE',
    send: (arena) =>
      arena.from(rawFrame(ETHERTYPE.VLAN, concat(fields([2, 5], [2, ETHERTYPE.IPV4]), allowed.bytes), { vlan: 1 })),
  },
  {
    name: 'an 802.1Q tag of priority only around ARP',
    defence: 'parse',
    reason: 'DROP_ETHERTYPE',
    send: (arena) => arena.from(rawFrame(ETHERTYPE.ARP, new Uint8Array(28), { vlan: 0 })),
  },
];

const swapped: readonly Attack[] = [
  {
    name: 'IPv6 behind the ethertype of IPv4',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    send: (arena) => arena.from(rawFrame(ETHERTYPE.IPV4, allowed6.bytes)),
  },
  {
    name: 'IPv4 behind the ethertype of IPv6',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    send: (arena) => arena.from(rawFrame(ETHERTYPE.IPV6, concat(allowed.bytes, new Uint8Array(32)))),
  },
  {
    name: 'version 0 and version 15 in either header',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    send: (arena) =>
      [0, 15].flatMap((version) => [
        arena.from(packet(attacker, OUTSIDE.v4, query, { version })),
        arena.from(packet(ATTACKER.v6 as string, OUTSIDE.v6, query, { version })),
      ]),
  },
];

const lengths: readonly Attack[] = [
  ...inBoth((family: Family) => ({
    name: 'a length that reaches one byte beyond the frame',
    defence: 'parse',
    reason: 'DROP_TRUNCATED',
    send: (arena) => {
      const lie: Partial<Ipv4 & Ipv6> = family === 4 ? { totalLength: 29 } : { payloadLength: 9 };
      return arena.from(packet(addressOf(ATTACKER, family), addressOf(OUTSIDE, family), query, lie));
    },
  })),
  ...inBoth((family: Family) => ({
    name: 'ports behind the end of the packet, inside the frame',
    defence: 'parse',
    reason: 'DROP_TRUNCATED',
    send: (arena) => {
      const lie: Partial<Ipv4 & Ipv6> = family === 4 ? { totalLength: 20 } : { payloadLength: 0 };
      return arena.from(packet(addressOf(ATTACKER, family), addressOf(OUTSIDE, family), query, lie));
    },
  })),
  {
    name: 'options that look like allowed ports, before the denied ones',
    defence: 'parse',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => arena.from(packet(attacker, OUTSIDE.v4, denied, { options: query.bytes.slice(0, 8) })),
  },
  {
    name: 'source routing to the victim through an allowed address, strict and loose, denied port',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      [0x83, 0x89].map((type) =>
        arena.from(packet(attacker, OUTSIDE.v4, denied, { options: sourceRoute(type, [10, 65, 0, 3]) })),
      ),
  },
  {
    name: 'options with lengths of 0 and 255, denied port',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      [0, 255].map((length) =>
        arena.from(packet(attacker, OUTSIDE.v4, denied, { options: Uint8Array.of(0x44, length, 5, 0) })),
      ),
  },
];

/** Option type 0x83 (loose) or 0x89 (strict), one more hop, padded. */
function sourceRoute(type: number, hop: readonly number[]): Uint8Array {
  return Uint8Array.of(type, 7, 4, ...hop, 0);
}

const encapsulated: readonly (readonly [what: string, outer: Segment])[] = [
  ['IPIP', bare(4, allowed.bytes)],
  ['IPv6 in IPv4', bare(41, allowed6.bytes)],
  ['GRE', bare(47, concat(fields([2, 0], [2, 0x0800]), allowed.bytes))],
  [
    'GRE around IPIP',
    bare(
      47,
      concat(
        fields([2, 0], [2, 0x0800]),
        ipv4({ source: attacker, destination: victim, segment: bare(4, allowed.bytes) }).bytes,
      ),
    ),
  ],
  [
    'VXLAN',
    udp({
      sourcePort: 40000,
      destinationPort: 4789,
      payload: concat(fields([4, 0x08000000], [4, 0x100]), rawFrame(ETHERTYPE.IPV4, allowed.bytes)),
    }),
  ],
  [
    'Geneve',
    udp({
      sourcePort: 40000,
      destinationPort: 6081,
      payload: concat(fields([4, 0x6558], [4, 0x100]), rawFrame(ETHERTYPE.IPV4, allowed.bytes)),
    }),
  ],
  ['ESP', bare(50, allowed.bytes)],
  ['AH', bare(51, concat(fields([1, 17], [1, 1], [2, 0], [4, 1]), query.bytes))],
  ['EtherIP', bare(97, concat(fields([2, 0x3000]), rawFrame(ETHERTYPE.IPV4, allowed.bytes)))],
  ['hop-by-hop options as a protocol of IPv4', bare(0, concat(fields([1, 17], [1, 0], [2, 0], [4, 0]), query.bytes))],
  [
    'the fragment header of IPv6 as a protocol of IPv4',
    bare(44, concat(fields([1, 17], [1, 0], [2, 0], [4, 0]), query.bytes)),
  ],
  ['protocol 255', bare(255, query.bytes)],
];

const tunnels = encapsulated.map(
  ([what, outer]): Attack => ({
    name: `${what} around what would be allowed`,
    defence: 'classify',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => [arena.from(packet(attacker, OUTSIDE.v4, outer)), arena.from(packet(attacker, victim, outer))],
  }),
);

const long = tcp({ sourcePort: 1000, destinationPort: 80, flags: ['ack'], payload: new Uint8Array(3000) });

const segmentation: readonly Attack[] = [
  ...inBoth((family: Family) => ({
    name: 'a jumbo frame that is not to be segmented',
    defence: 'deliver',
    reason: 'ALLOWED_NEW',
    action: 'ok',
    send: (arena) => arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), long)),
  })),
  ...inBoth((family: Family) => ({
    name: 'a super-packet whose segments would not fit the receiver',
    defence: 'deliver',
    reason: 'ALLOWED_NEW',
    action: 'ok',
    send: (arena) =>
      arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), long), { gsoSize: 65535 }),
  })),
  {
    name: 'a super-packet whose TCP header claims 60 bytes, so that its segments would not fit',
    defence: 'deliver',
    reason: 'ALLOWED_NEW',
    action: 'ok',
    send: (arena) => {
      const segment = tcp({
        sourcePort: 1000,
        destinationPort: 80,
        flags: ['ack'],
        dataOffset: 15,
        payload: new Uint8Array(3000),
      });
      return arena.from(packet(attacker, victim, segment), { gsoSize: 1500 - 20 - 59 });
    },
  },
  {
    name: 'a super-packet with a total length below its header',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    send: (arena) => arena.from(packet(attacker, victim, long, { totalLength: 19 }), { gsoSize: 1400 }),
  },
  ...inBoth((family: Family) => ({
    name: 'a super-packet with a length beyond its end',
    defence: 'parse',
    reason: 'DROP_TRUNCATED',
    send: (arena) => {
      const lie: Partial<Ipv4 & Ipv6> = family === 4 ? { totalLength: 65535 } : { payloadLength: 65535 };
      return arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), long, lie), { gsoSize: 1400 });
    },
  })),
  ...inBoth((family: Family) => ({
    name: 'a super-packet to a denied port',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => {
      const segment = tcp({ sourcePort: 1000, destinationPort: 81, flags: ['ack'], payload: new Uint8Array(3000) });
      return arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), segment), { gsoSize: 1400 });
    },
  })),
  ...inBoth((family: Family) => ({
    name: 'a hop limit of zero, or of the last hop',
    defence: 'deliver',
    reason: 'ALLOWED_NEW',
    action: 'ok',
    flows: 2,
    send: (arena) =>
      [0, 1].map((hops) => {
        const segment = udp({ sourcePort: 1000 + hops, destinationPort: 53 });
        const options = { ttl: hops, hopLimit: hops };
        return arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), segment, options));
      }),
  })),
];

export const frameAttacks: readonly Attack[] = [
  ...strange,
  ...tags,
  ...swapped,
  ...lengths,
  ...tunnels,
  ...segmentation,
];
