// Attacks with addresses: sources that are not the sender's, destinations that nobody should be able to talk into.
import { OUTSIDE, packet } from '../../packet/support/topology.ts';
import { arp, type FrameOptions } from '../../support/packets/ethernet.ts';
import { icmp, tcp, udp } from '../../support/packets/transport.ts';
import { ATTACKER, type Attack, addressOf, CALL, inBoth, LOOPBACK, METADATA, VICTIM } from '../support/arena.ts';

const query = udp({ sourcePort: 1000, destinationPort: 53 });
const syn = tcp({ sourcePort: 1000, destinationPort: 80, flags: ['syn'] });

const sources: readonly (readonly [what: string, source: string])[] = [
  ['of another workload', VICTIM.v4 as string],
  ['of another workload', VICTIM.v6 as string],
  ['of an outsider', '198.51.100.9'],
  ['of an outsider', '2001:db8:1::9'],
  ['of the host', '10.65.0.1'],
  ['of the host', 'fd00:65::1'],
  ['that is its own but for one bit', '10.65.0.0'],
  ['that is its own but for one bit', 'fd00:65::'],
  ['that is its own but for the first bit', '138.65.0.2'],
  ['that is its own but for the first bit', '7d00:65::2'],
  ['of loopback', '127.0.0.1'],
  ['of loopback', '::1'],
  ['of link scope', '169.254.1.1'],
  ['of link scope', 'fe80::2'],
  ['of the metadata service', METADATA],
  ['of multicast', '224.0.0.1'],
  ['of multicast', 'ff02::1'],
  ['of broadcast', '255.255.255.255'],
  ['of nobody', '0.0.0.0'],
  ['of nobody', '::'],
  ['of class E', '240.0.0.1'],
  ['compatible with IPv4', '::10.65.0.2'],
  ['of 6to4', '2002:a41:2::1'],
  ['of Teredo', '2001::a41:2'],
  ['of NAT64', '64:ff9b::a41:2'],
];

const spoofed = sources.map(([what, source]): Attack => {
  const isV6 = source.includes(':');
  return {
    name: `source address ${what}, ${source}`,
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) => arena.from(packet(source, isV6 ? OUTSIDE.v6 : OUTSIDE.v4, query)),
  };
});

const macs: readonly (readonly [what: string, sourceMac: string])[] = [
  ['of another workload', VICTIM.mac],
  ['of the host', ATTACKER.hostMac],
  ['that is its own but for the last bit', '02:00:00:00:00:00'],
  ['that is its own but for the first byte', '06:00:00:00:00:01'],
  ['of nobody', '00:00:00:00:00:00'],
  ['of broadcast', 'ff:ff:ff:ff:ff:ff'],
  ['of multicast', '01:00:5e:00:00:01'],
];

const forgedMacs = macs.flatMap(([what, sourceMac]): Attack[] => {
  const forge: FrameOptions = { sourceMac };
  const attack = (kind: string, data: Uint8Array): Attack => ({
    name: `source MAC ${what}, ${kind}`,
    defence: 'spoof',
    reason: 'DROP_SPOOFED_MAC',
    send: (arena) => arena.from(data),
  });
  const advertisement = icmp({ family: 6, type: 136, payload: new Uint8Array(16) });
  return [
    attack('IPv4', packet(ATTACKER.v4 as string, OUTSIDE.v4, query, {}, forge)),
    attack('ARP', arp(forge)),
    attack('neighbour advertisement', packet('fe80::2', 'ff02::1', advertisement, { hopLimit: 255 }, forge)),
  ];
});

const special: readonly Attack[] = [
  {
    name: 'land: source and destination of the victim',
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) =>
      arena.from(
        packet(VICTIM.v4 as string, VICTIM.v4 as string, tcp({ sourcePort: 80, destinationPort: 80, flags: ['syn'] })),
      ),
  },
  {
    name: 'land: source and destination of the attacker',
    defence: 'judge',
    reason: 'DROP_INGRESS_POLICY',
    send: (arena) =>
      arena.from(
        packet(
          ATTACKER.v4 as string,
          ATTACKER.v4 as string,
          tcp({ sourcePort: 80, destinationPort: 80, flags: ['syn'] }),
        ),
      ),
  },
  {
    name: 'the connection of another workload, tuple for tuple',
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) =>
      (['ack', 'rst', 'fin', 'syn'] as const).map((flag) =>
        arena.from(
          packet(
            VICTIM.v4 as string,
            OUTSIDE.v4,
            tcp({ sourcePort: CALL.client, destinationPort: CALL.server, flags: [flag] }),
          ),
        ),
      ),
  },
  {
    name: 'metadata service, IPv4',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => [syn, query].map((segment) => arena.from(packet(ATTACKER.v4 as string, METADATA, segment))),
  },
  {
    name: 'metadata service, IPv4-mapped',
    defence: 'parse',
    reason: 'DROP_MALFORMED',
    send: (arena) => arena.from(packet(ATTACKER.v6 as string, `::ffff:${METADATA}`, syn)),
  },
  {
    name: 'loopback of the host, where route_localnet may be on',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) => [syn, query].map((segment) => arena.from(packet(ATTACKER.v4 as string, LOOPBACK, segment))),
  },
  {
    name: 'DHCP discover',
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) =>
      arena.from(
        packet('0.0.0.0', '255.255.255.255', udp({ sourcePort: 68, destinationPort: 67 }), {}, broadcastFrame),
      ),
  },
  {
    name: 'DHCP offer of a rogue server',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      arena.from(
        packet(
          ATTACKER.v4 as string,
          '255.255.255.255',
          udp({ sourcePort: 67, destinationPort: 68 }),
          {},
          broadcastFrame,
        ),
      ),
  },
  {
    name: 'DHCPv6 solicit',
    defence: 'spoof',
    reason: 'DROP_SPOOFED_ADDRESS',
    send: (arena) => arena.from(packet('fe80::2', 'ff02::1:2', udp({ sourcePort: 546, destinationPort: 547 }))),
  },
  ...inBoth((family) => ({
    name: 'multicast DNS',
    defence: 'judge',
    reason: 'DROP_EGRESS_POLICY',
    send: (arena) =>
      arena.from(
        packet(
          addressOf(ATTACKER, family),
          family === 4 ? '224.0.0.251' : 'ff02::fb',
          udp({ sourcePort: 5353, destinationPort: 5353 }),
        ),
      ),
  })),
];

const broadcastFrame: FrameOptions = { destinationMac: 'ff:ff:ff:ff:ff:ff' };

export const addressAttacks: readonly Attack[] = [...spoofed, ...forgedMacs, ...special];
