// Attacks on what is remembered: floods of flows and events, and packets that ask the flow cache for somebody else's answer.
import { Reason } from '../../../src/abi/event.gen.ts';
import type { Outcome } from '../../packet/support/machine.ts';
import { OUTSIDE, packet } from '../../packet/support/topology.ts';
import { EXTENSION, padding } from '../../support/packets/ip.ts';
import { echo, tcp, udp } from '../../support/packets/transport.ts';
import {
  type Arena,
  ATTACKER,
  type Attack,
  addressOf,
  BYSTANDER,
  type Family,
  inBoth,
  VICTIM,
} from '../support/arena.ts';

/** Places in the flow table, and new flows of a flood. */
const ROOM = 64;
const MANY = 500;

const query = udp({ sourcePort: 1000, destinationPort: 53 });
const send = (family: Family, segment = query, options = {}): Uint8Array =>
  packet(addressOf(ATTACKER, family), addressOf(VICTIM, family), segment, options);

/** How a flood of new flows is made, of which each is allowed. */
const floods: readonly (readonly [
  what: string,
  isDelivered: boolean,
  frame: (number: number, family: Family) => Uint8Array,
])[] = [
  ['SYN', true, (number, family) => send(family, tcp({ sourcePort: number, destinationPort: 80, flags: ['syn'] }))],
  ['UDP', true, (number, family) => send(family, udp({ sourcePort: number, destinationPort: 53 }))],
  [
    'echo requests',
    false,
    (number, family) =>
      packet(
        addressOf(ATTACKER, family),
        addressOf(OUTSIDE, family),
        echo({ family, kind: 'request', identifier: number }),
      ),
  ],
  [
    'SYN with the hop limit of a traceroute',
    false,
    (number, family) =>
      send(family, tcp({ sourcePort: number, destinationPort: 80, flags: ['syn'] }), { ttl: 1, hopLimit: 1 }),
  ],
];

const full: readonly Attack[] = floods.flatMap(([what, isDelivered, frame]) =>
  inBoth((family) => ({
    name: `a flood of ${what} that fills the flow table`,
    defence: 'flow-table',
    reason: 'ALLOWED_NEW',
    action: isDelivered ? 'redirect' : 'ok',
    settings: { flows: ROOM },
    flows: ROOM,
    send: (arena) => Array.from({ length: MANY }, (_, number) => arena.from(frame(1 + number, family))),
  })),
);

const denied = (number: number): Uint8Array => send(4, udp({ sourcePort: number, destinationPort: 54 }));
const stateless: readonly Attack[] = [
  {
    name: 'a flood of denied connections, which leaves nothing behind',
    defence: 'flow',
    reason: 'DROP_EGRESS_POLICY',
    settings: { flows: ROOM },
    send: (arena) => Array.from({ length: MANY }, (_, number) => arena.from(denied(1 + number))),
  },
  {
    name: 'a flood from addresses that are not its own, which leaves nothing behind',
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    settings: { flows: ROOM },
    send: (arena) =>
      Array.from({ length: 250 }, (_, number) => arena.from(packet(`10.77.0.${number}`, OUTSIDE.v4, query))),
  },
  {
    name: 'a flood of denied packets: the events of others are still told',
    defence: 'report',
    reason: 'ALLOWED_NEW',
    settings: { eventBudget: 3, eventBytes: 65536 },
    send: (arena) => {
      arena.machine.at(ATTACKER.id).from(denied(1), { repeat: 100_000 });
      expectSuppressed(arena);
      const theirs = packet(BYSTANDER.v4 as string, OUTSIDE.v4, query, {}, { sourceMac: BYSTANDER.mac });
      return told(arena.machine.at(BYSTANDER.id).from(theirs), 1);
    },
  },
  {
    name: 'a flood of denied packets into a full ring: nobody else loses a packet',
    defence: 'report',
    reason: 'ALLOWED_NEW',
    settings: { eventBytes: 4096 },
    send: (arena) => {
      arena.machine.at(ATTACKER.id).from(denied(1), { repeat: 10_000 });
      const theirs = packet(BYSTANDER.v4 as string, OUTSIDE.v4, query, {}, { sourceMac: BYSTANDER.mac });
      return arena.machine.at(BYSTANDER.id).from(theirs);
    },
  },
];

/** An outcome with so many events, or a failure. */
function told(outcome: Outcome, events: number): Outcome {
  if (outcome.events.length !== events) throw new Error(`${outcome.events.length} events, expected ${events}`);
  return outcome;
}

function expectSuppressed(arena: Arena): void {
  if (arena.machine.counter(Reason.EVENT_LOST).packets > 0n) throw new Error('events were lost, not suppressed');
  if (arena.machine.counter(Reason.EVENT_SUPPRESSED).packets < 99_000n) throw new Error('nothing was suppressed');
}

const FOREIGN_MAC = { sourceMac: '02:00:00:00:00:77' };

/** Three packets of an allowed flow, so that the cache answers for the next one. */
function warm(arena: Arena, data: Uint8Array): void {
  for (let round = 0; round < 3; round += 1) arena.from(data);
  const { reason } = arena.from(data);
  if (reason !== 'ALLOWED_CACHED') throw new Error(`${reason}, expected ALLOWED_CACHED`);
}

function outward(family: Family, segment = query, options = {}, ethernet = {}): Uint8Array {
  return packet(addressOf(ATTACKER, family), addressOf(OUTSIDE, family), segment, options, ethernet);
}

const named = udp({ sourcePort: 1000, destinationPort: 5000 });
const COLLIDING = 3000;

/** Addresses of which only OUTSIDE may be asked on udp:5000; some fall into the slot of the allowed flow. */
function neighbour(family: Family, number: number): string {
  return family === 4 ? `198.${number >> 8}.${number & 255}.9` : `2001:db8:${number.toString(16)}::9`;
}

const cached: readonly Attack[] = [
  ...inBoth((family) => ({
    name: 'a known flow under a foreign MAC',
    defence: 'cache',
    reason: 'DROP_SPOOFED_MAC',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family));
      return arena.from(outward(family, query, {}, FOREIGN_MAC));
    },
  })),
  ...inBoth((family) => ({
    name: 'the slot of a known flow, asked by other ports',
    defence: 'cache',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family));
      return Array.from({ length: COLLIDING }, (_, number) =>
        arena.from(outward(family, udp({ sourcePort: 1000, destinationPort: 10_000 + number }))),
      );
    },
  })),
  ...inBoth((family) => ({
    name: 'the slot of a known flow, asked for other destinations',
    defence: 'cache',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family, named));
      return Array.from({ length: COLLIDING }, (_, number) =>
        arena.from(packet(addressOf(ATTACKER, family), neighbour(family, 1 + number), named)),
      );
    },
  })),
  ...inBoth((family) => ({
    name: 'the slot of a known flow, asked from other sources',
    defence: 'cache',
    reason: 'DROP_SPOOFED_ADDRESS',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family));
      return Array.from({ length: COLLIDING }, (_, number) =>
        arena.from(packet(neighbour(family, 1 + number), addressOf(OUTSIDE, family), query)),
      );
    },
  })),
  ...inBoth((family) => ({
    name: 'the slot of a known flow, asked by another protocol with the same first bytes',
    defence: 'cache',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family));
      return [136, 132, 6].map((protocol) => {
        const bytes = new Uint8Array(24);
        bytes.set(query.bytes.slice(0, 4));
        bytes[12] = 0x50;
        return arena.from(outward(family, { protocol, bytes }));
      });
    },
  })),
  {
    name: 'a known flow whose ports stand in the options of a denied packet',
    defence: 'parse',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(4));
      const denied = udp({ sourcePort: 1000, destinationPort: 54 });
      return arena.from(outward(4, denied, { options: query.bytes.slice(0, 8) }));
    },
  },
  {
    name: 'a known flow whose ports stand at the head of a later fragment',
    defence: 'parse',
    reason: 'DROP_FRAGMENT_ORPHAN',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(4));
      return [8, 64, 65528].map((fragmentOffset) =>
        arena.from(outward(4, query, { fragmentOffset, identification: 77 })),
      );
    },
  },
  {
    name: 'a known flow whose ports stand in an extension header of a denied packet',
    defence: 'parse',
    reason: 'DROP_EGRESS_POLICY',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(6));
      const denied = udp({ sourcePort: 1000, destinationPort: 54 });
      return arena.from(outward(6, denied, { extensions: [padding(EXTENSION.DESTINATION)] }));
    },
  },
  ...inBoth((family) => ({
    name: 'a known flow whose packet claims to be longer than it is',
    defence: 'parse',
    reason: 'DROP_TRUNCATED',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(family));
      return arena.from(outward(family, query, family === 4 ? { totalLength: 1000 } : { payloadLength: 1000 }));
    },
  })),
  {
    name: 'a known flow whose address is taken away',
    defence: 'cache',
    reason: 'DROP_SPOOFED_ADDRESS',
    flows: 1,
    send: (arena) => {
      warm(arena, outward(4));
      arena.machine.change(ATTACKER.id, { v4: '10.65.0.77' });
      const outcome = arena.from(outward(4));
      arena.machine.change(ATTACKER.id, {});
      return outcome;
    },
  },
];

export const memoryAttacks: readonly Attack[] = [...full, ...stateless, ...cached];
