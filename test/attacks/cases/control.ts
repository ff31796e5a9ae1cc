// Attacks with the messages that networks are run by: ICMP errors and redirects, neighbour discovery, router advertisements, ARP.
import { ip, OUTSIDE, packet } from '../../packet/support/topology.ts';
import { concat, fields } from '../../support/packets/bytes.ts';
import { ETHERTYPE, rawFrame } from '../../support/packets/ethernet.ts';
import { EXTENSION, fragmentHeader, type IpPacket } from '../../support/packets/ip.ts';
import { icmp, icmpError, type Segment, tcp, udp } from '../../support/packets/transport.ts';
import { ATTACKER, type Attack, addressOf, CALL, type Family, inBoth, VICTIM } from '../support/arena.ts';

const router = { 4: '198.51.100.1', 6: '2001:db8:ffff::1' } as const;
const TOO_BIG = { 4: { type: 3, code: 4, rest: 68 }, 6: { type: 2, code: 0, rest: 1280 } } as const;

/** A packet of the victim's connection, as a router on its way would cite it. */
function cited(clientPort: number = CALL.client, serverPort: number = CALL.server): IpPacket {
  const segment = tcp({ sourcePort: clientPort, destinationPort: serverPort, flags: ['ack'] });
  return ip(VICTIM.v4 as string, OUTSIDE.v4, segment);
}

/** An error from a router to the victim. */
function error(cites: Uint8Array, header: { type: number; code?: number; rest?: number } = TOO_BIG[4]): Uint8Array {
  return packet(router[4], VICTIM.v4 as string, icmpError({ family: 4, ...header, cites }));
}

function patched(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

const call = cited().bytes;
const wrongCitations: readonly (readonly [what: string, cites: Uint8Array])[] = [
  ['with another port of the victim', cited(CALL.client + 1).bytes],
  ['with another port of the server', cited(CALL.client, CALL.server + 1).bytes],
  ['of another protocol', patched(call, 9, 17)],
  ['of another server', patched(call, 19, 8)],
  ['of another client', patched(call, 15, 2)],
  [
    'in the other direction',
    ip(OUTSIDE.v4, VICTIM.v4 as string, tcp({ sourcePort: CALL.server, destinationPort: CALL.client, flags: ['ack'] }))
      .bytes,
  ],
  ['that is a later fragment', patched(call, 6, 0, 3)],
  ['of another version', patched(call, 0, 0x65)],
  ['whose header is shorter than 20 bytes', patched(call, 0, 0x44)],
  ['whose options hide the ports', patched(call, 0, 0x4f)],
  ['that ends inside the ports', call.slice(0, 22)],
  ['that is not there', new Uint8Array(0)],
  [
    'that is an error itself',
    ip(VICTIM.v4 as string, OUTSIDE.v4, icmpError({ family: 4, type: 3, cites: call })).bytes,
  ],
];

const errors: readonly Attack[] = [
  ...wrongCitations.map(
    ([what, cites]): Attack => ({
      name: `path MTU poisoning by a citation ${what}`,
      defence: 'related',
      reason: 'DROP_INGRESS_POLICY',
      send: (arena) =>
        [TOO_BIG[4], { type: 3 }, { type: 11 }, { type: 12 }].map((header) => arena.atVictim(error(cites, header))),
    }),
  ),
  {
    name: 'path MTU poisoning by a true citation: passes, and leaves the connection as it is',
    defence: 'related',
    reason: 'ALLOWED_RELATED',
    flows: 0,
    send: (arena) => arena.atVictim(error(call)),
  },
  {
    name: 'redirect, source quench and other messages that cite a connection',
    defence: 'related',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) => [4, 5, 9, 10, 13, 15, 17, 40].map((type) => arena.atVictim(error(call, { type, code: 1 }))),
  },
  {
    name: 'an error about a connection that is revoked',
    defence: 'related',
    reason: 'DROP_INGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      const own = udp({ sourcePort: 1000, destinationPort: 53 });
      arena.from(packet(ATTACKER.v4 as string, OUTSIDE.v4, own));
      arena.revoke('udp:53');
      arena.from(packet(ATTACKER.v4 as string, OUTSIDE.v4, own));
      const cites = ip(ATTACKER.v4 as string, OUTSIDE.v4, own).bytes;
      return arena.atAttacker(packet(router[4], ATTACKER.v4 as string, icmpError({ family: 4, type: 3, cites })));
    },
  },
  ...inBoth((family) => ({
    name: "the attacker's error about somebody else's connection",
    defence: 'related',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => {
      const cites = family === 4 ? call : theirQuery;
      const from = addressOf(ATTACKER, family);
      return [
        arena.from(packet(from, addressOf(VICTIM, family), icmpError({ family, ...TOO_BIG[family], cites }))),
        arena.from(packet(from, addressOf(OUTSIDE, family), icmpError({ family, ...TOO_BIG[family], cites }))),
      ];
    },
  })),
  {
    name: "an error in the server's name",
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) =>
      arena.from(packet(OUTSIDE.v4, VICTIM.v4 as string, icmpError({ family: 4, ...TOO_BIG[4], cites: call }))),
  },
  {
    name: 'an error behind a fragment header, IPv6',
    defence: 'related',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => {
      const extensions = [fragmentHeader({ identification: 3, offset: 0, hasMore: true })];
      const segment = icmpError({ family: 6, ...TOO_BIG[6], cites: theirQuery });
      return arena.from(packet(ATTACKER.v6 as string, OUTSIDE.v6, segment, { extensions }));
    },
  },
];

const theirQuery = ip('fd00:65::4', OUTSIDE.v6, udp({ sourcePort: 5353, destinationPort: 53 })).bytes;

const target = new Uint8Array(16);
const discovery = (type: number): Segment => icmp({ family: 6, type, payload: target });
const link = (
  what: string,
  reason: Attack['reason'],
  source: string,
  destination: string,
  segment: Segment,
  options = {},
): Attack => ({
  name: what,
  defence: reason === 'DROP_SPOOFED_ADDRESS' ? 'neighbour' : 'judge',
  reason,
  send: (arena) => arena.from(packet(source, destination, segment, { hopLimit: 255, ...options })),
});

const self = ATTACKER.v6 as string;
const neighbours: readonly Attack[] = [
  link(
    'router advertisement from a link-local address',
    'DROP_SPOOFED_ADDRESS',
    'fe80::bad',
    'ff02::1',
    discovery(134),
  ),
  link("router advertisement from the attacker's address", 'DROP_EGRESS_POLICY', self, 'ff02::1', discovery(134)),
  link('redirect from a link-local address', 'DROP_SPOOFED_ADDRESS', 'fe80::bad', VICTIM.v6 as string, discovery(137)),
  link("redirect from the attacker's address", 'DROP_EGRESS_POLICY', self, VICTIM.v6 as string, discovery(137)),
  link('advertisement that a router let through', 'DROP_SPOOFED_ADDRESS', 'fe80::bad', 'ff02::1', discovery(136), {
    hopLimit: 254,
  }),
  link('solicitation that a router let through', 'DROP_SPOOFED_ADDRESS', '::', 'ff02::1', discovery(135), {
    hopLimit: 64,
  }),
  link(
    "advertisement in the victim's name to a global address",
    'DROP_SPOOFED_ADDRESS',
    VICTIM.v6 as string,
    OUTSIDE.v6,
    discovery(136),
  ),
  link('advertisement to a global address', 'DROP_EGRESS_POLICY', self, VICTIM.v6 as string, discovery(136)),
  link('listener report to a global address', 'DROP_EGRESS_POLICY', self, VICTIM.v6 as string, discovery(131)),
  link('solicitation to site-scope multicast', 'DROP_EGRESS_POLICY', self, 'ff05::1', discovery(135)),
  link(
    'UDP from a link-local address',
    'DROP_SPOOFED_ADDRESS',
    'fe80::2',
    'ff02::1',
    udp({ sourcePort: 1, destinationPort: 53 }),
  ),
  link('echo from a link-local address', 'DROP_SPOOFED_ADDRESS', 'fe80::2', 'ff02::1', icmp({ family: 6, type: 128 })),
  link('unknown ICMPv6 between neighbours', 'DROP_SPOOFED_ADDRESS', 'fe80::2', 'ff02::1', discovery(143)),
  link('advertisement in fragments', 'DROP_SPOOFED_ADDRESS', 'fe80::2', 'ff02::1', discovery(136), {
    extensions: [fragmentHeader({ identification: 1, offset: 0, hasMore: true })],
  }),
  {
    name: 'ICMPv6 in IPv4 and ICMP in IPv6, of the types of discovery',
    defence: 'neighbour',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => [
      arena.from(
        packet(ATTACKER.v4 as string, '224.0.0.1', { ...discovery(136), hasPseudoHeader: false }, { ttl: 255 }),
      ),
      arena.from(packet(self, 'ff02::1', { ...discovery(136), protocol: 1 }, { hopLimit: 255 })),
    ],
  },
  {
    name: 'router advertisement from outside',
    defence: 'judge',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) => arena.atVictim(packet(router[6], VICTIM.v6 as string, discovery(134), { hopLimit: 255 })),
  },
  {
    name: 'TCP with the type of an advertisement where ICMPv6 has it',
    defence: 'neighbour',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) =>
      arena.from(
        packet('fe80::2', 'ff02::1', tcp({ sourcePort: 136 << 8, destinationPort: 80, flags: ['syn'] }), {
          hopLimit: 255,
        }),
      ),
  },
];

/** An ARP packet that says `source` is at the attacker's MAC. */
function claim(operation: number, source: readonly number[], target: readonly number[]): Uint8Array {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const body = concat(
    fields([2, 1], [2, 0x0800], [1, 6], [1, 4], [2, operation]),
    mac,
    Uint8Array.from(source),
    mac,
    Uint8Array.from(target),
  );
  return rawFrame(ETHERTYPE.ARP, body, { destinationMac: 'ff:ff:ff:ff:ff:ff' });
}

const victim = [10, 65, 0, 3];
const host = [10, 65, 0, 1];
const claims: readonly Attack[] = [
  {
    name: "ARP in the victim's name, and in the host's: passes to the attacker's own link, and changes no flow",
    defence: 'parse',
    reason: 'ALLOWED_NEIGHBOUR',
    flows: 0,
    send: (arena) =>
      [claim(1, victim, host), claim(2, victim, host), claim(2, host, victim), claim(1, victim, victim)].map((data) =>
        arena.from(data),
      ),
  },
  {
    name: "neighbour advertisement in the victim's name: passes to the attacker's own link, and changes no flow",
    defence: 'neighbour',
    reason: 'ALLOWED_NEIGHBOUR',
    flows: 0,
    send: (arena) => arena.from(packet(VICTIM.v6 as string, 'ff02::1', discovery(136), { hopLimit: 255 })),
  },
];

const fromFamily = (family: Family): Uint8Array =>
  packet(
    addressOf(ATTACKER, family),
    addressOf(VICTIM, family),
    icmp({ family, type: family === 4 ? 8 : 128, code: 1 }),
  );

const echoes: readonly Attack[] = [
  ...inBoth((family) => ({
    name: 'an echo request with a code',
    defence: 'classify',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => arena.from(fromFamily(family)),
  })),
  {
    name: 'ICMP in IPv6 that cites, and hop-by-hop before an error: judged as ICMP',
    defence: 'related',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => {
      const extensions = [{ number: EXTENSION.HOP_BY_HOP, bytes: new Uint8Array(8) }];
      const segment = icmpError({ family: 6, ...TOO_BIG[6], cites: theirQuery });
      return [
        arena.from(packet(self, OUTSIDE.v6, segment, { extensions })),
        arena.from(packet(self, OUTSIDE.v6, { ...segment, protocol: 1 })),
      ];
    },
  },
];

export const controlAttacks: readonly Attack[] = [...errors, ...neighbours, ...claims, ...echoes];
