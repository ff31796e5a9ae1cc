// Attacks on connections: flags that no connection has, packets out of the blue, and forged parts of other people's connections.
import { OUTSIDE, packet } from '../../packet/support/topology.ts';
import { echo, PROTOCOL, type Segment, tcp, udp } from '../../support/packets/transport.ts';
import { ATTACKER, type Attack, addressOf, CALL, type Family, inBoth, VICTIM } from '../support/arena.ts';

const FLAGS_AT = 13;
const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;
const URG = 32;

/** A TCP segment with any flags. */
function segment(
  sourcePort: number,
  destinationPort: number,
  flags: number,
  payload: Uint8Array = new Uint8Array(0),
): Segment {
  const made = tcp({ sourcePort, destinationPort, flags: [], payload });
  made.bytes[FLAGS_AT] = flags;
  return made;
}

const oddities: readonly (readonly [what: string, flags: number, payload?: Uint8Array])[] = [
  ['no flag at all', 0],
  ['FIN, PSH and URG (Christmas tree)', FIN | PSH | URG],
  ['SYN and FIN', SYN | FIN],
  ['SYN and RST', SYN | RST],
  ['every flag', 255],
  ['FIN alone', FIN],
  ['SYN with data', SYN, new Uint8Array(64)],
  ['ACK out of the blue', ACK],
  ['RST out of the blue', RST],
  ['SYN and ACK out of the blue', SYN | ACK],
  ['the reserved flags', 0xc0],
];

const odd: readonly Attack[] = oddities.flatMap(([what, flags, payload]) => [
  ...inBoth((family) => ({
    name: `${what}, to a denied port`,
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), segment(1000, 81, flags, payload))),
  })),
  ...inBoth((family) => ({
    name: `${what}, from outside to a port of the victim that is closed`,
    defence: 'judge',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      arena.atVictim(packet(addressOf(OUTSIDE, family), addressOf(VICTIM, family), segment(1000, 81, flags, payload))),
  })),
]);

/** From where the victim's own peer is, but for one thing each. */
const strays: readonly (readonly [what: string, source: string, sourcePort: number, destinationPort: number])[] = [
  ['another port of the victim', OUTSIDE.v4, CALL.server, CALL.client + 1],
  ['another port of the server', OUTSIDE.v4, CALL.server + 1, CALL.client],
  ['another server', '192.0.2.8', CALL.server, CALL.client],
  ['both ports the other way round', OUTSIDE.v4, CALL.client, CALL.server],
];

const guesses: readonly Attack[] = strays.map(([what, source, sourcePort, destinationPort]) => ({
  name: `guessing at the victim's connection: ${what}`,
  defence: 'key',
  reason: 'DROP_INGRESS_POLICY',
  send: (arena) =>
    [ACK, RST, RST | ACK, FIN | ACK, SYN | ACK, 0].map((flags) =>
      arena.atVictim(packet(source, VICTIM.v4 as string, segment(sourcePort, destinationPort, flags))),
    ),
}));

const forged: readonly Attack[] = [
  {
    name: "a SYN from outside on the victim's connection",
    defence: 'flow',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      [SYN, SYN | FIN, SYN | RST].map((flags) =>
        arena.atVictim(packet(OUTSIDE.v4, VICTIM.v4 as string, segment(CALL.server, CALL.client, flags))),
      ),
  },
  {
    name: "UDP, UDPLite, SCTP and DCCP on the ports of the victim's connection",
    defence: 'key',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      [PROTOCOL.UDP, PROTOCOL.UDPLITE, PROTOCOL.SCTP, 33].map((protocol) => {
        const { bytes } = udp({ sourcePort: CALL.server, destinationPort: CALL.client, payload: new Uint8Array(8) });
        return arena.atVictim(packet(OUTSIDE.v4, VICTIM.v4 as string, { protocol, bytes }));
      }),
  },
  {
    name: 'a connection that the attacker opened, turned round by a SYN of the other end',
    defence: 'flow',
    reason: 'DROP_INGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      arena.from(out(4, SYN));
      arena.atAttacker(back(4, SYN | ACK));
      arena.from(out(4, ACK));
      return arena.atAttacker(back(4, SYN));
    },
  },
  ...inBoth((family) => ({
    name: 'an echo reply that nobody asked for',
    defence: 'flow',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      arena.atVictim(
        packet(addressOf(OUTSIDE, family), addressOf(VICTIM, family), echo({ family, kind: 'reply', identifier: 7 })),
      ),
  })),
  ...inBoth((family) => ({
    name: 'an echo request as the answer to one',
    defence: 'key',
    reason: 'DROP_INGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      arena.from(
        packet(
          addressOf(ATTACKER, family),
          addressOf(OUTSIDE, family),
          echo({ family, kind: 'request', identifier: 9 }),
        ),
      );
      return arena.atAttacker(
        packet(
          addressOf(OUTSIDE, family),
          addressOf(ATTACKER, family),
          echo({ family, kind: 'request', identifier: 9 }),
        ),
      );
    },
  })),
];

function out(family: Family, flags: number): Uint8Array {
  return packet(addressOf(ATTACKER, family), addressOf(OUTSIDE, family), segment(1000, 80, flags));
}

function back(family: Family, flags: number): Uint8Array {
  return packet(addressOf(OUTSIDE, family), addressOf(ATTACKER, family), segment(80, 1000, flags));
}

const codes: readonly Attack[] = inBoth((family) => ({
  name: 'an echo reply with a code',
  defence: 'parse',
  reason: 'DROP_INGRESS_POLICY',
  flows: 1,
  send: (arena) => {
    const [here, there] = [addressOf(ATTACKER, family), addressOf(OUTSIDE, family)];
    arena.from(packet(here, there, echo({ family, kind: 'request', identifier: 9 })));
    const reply = echo({ family, kind: 'reply', identifier: 9 });
    reply.bytes[1] = 1;
    return arena.atAttacker(packet(there, here, reply));
  },
}));

const portZero: readonly Attack[] = [
  ...inBoth((family) => ({
    name: 'destination port 0',
    defence: 'classify',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      [segment(1000, 0, SYN), udp({ sourcePort: 1000, destinationPort: 0 })].map((one) =>
        arena.from(packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), one)),
      ),
  })),
  ...inBoth((family) => ({
    name: 'source port 0, from outside',
    defence: 'classify',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      arena.atVictim(
        packet(addressOf(OUTSIDE, family), addressOf(VICTIM, family), udp({ sourcePort: 0, destinationPort: 0 })),
      ),
  })),
];

export const connectionAttacks: readonly Attack[] = [...odd, ...guesses, ...forged, ...codes, ...portZero];
