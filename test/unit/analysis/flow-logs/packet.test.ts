import { describe, expect, it } from 'vitest';
import { type Packet, parseFrame } from '../../../../src/analysis/flow-logs/packet.ts';
import type { Skipped } from '../../../../src/analysis/flow-logs/recorded-flow.ts';
import { formatAddress } from '../../../../src/model/address.ts';
import { concat, fields } from '../../../support/packets/bytes.ts';
import { arp, frame } from '../../../support/packets/ethernet.ts';
import { EXTENSION, fragmentHeader, type IpPacket, ipv4, ipv6, padding } from '../../../support/packets/ip.ts';
import { bare, echo, icmp, icmpError, sctp, tcp, udp, udpLite } from '../../../support/packets/transport.ts';

const LINK = { NULL: 0, ETHERNET: 1, RAW: 101, SLL: 113, SLL2: 276 };
const V4 = { source: '10.0.0.1', destination: '10.0.0.2' };
const V6 = { source: 'fd00::1', destination: 'fd00::2' };
const PORTS = { sourcePort: 40000, destinationPort: 443 };
const syn = tcp({ ...PORTS, flags: ['syn'] });
const v4syn = ipv4({ ...V4, segment: syn });
const v6syn = ipv6({ ...V6, segment: syn });

const raw = ({ bytes }: IpPacket) => ({ linkType: LINK.RAW, bytes });
const ethernet = (packet: IpPacket, vlan?: number) => ({ linkType: LINK.ETHERNET, bytes: frame(packet, { vlan }) });

function summary(result: Packet | Skipped): string {
  if ('skipped' in result) return result.skipped;
  const { source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode, tcpFlags } = result;
  const numbers = [protocol, sourcePort, destinationPort, icmpType, icmpCode, tcpFlags].join(' ');
  return `${formatAddress(source)} ${formatAddress(destination)} ${numbers}`;
}

const TCP4 = '10.0.0.1 10.0.0.2 6 40000 443 0 0 2';
const TCP6 = 'fd00::1 fd00::2 6 40000 443 0 0 2';
const tagged = (type: number) => fields([2, type], [2, 5]);
const macs = new Uint8Array(12);

const CASES: readonly (readonly [string, { linkType: number; bytes: Uint8Array }, string])[] = [
  ['TCP on Ethernet', ethernet(v4syn), TCP4],
  ['TCP over IPv6 on Ethernet', ethernet(v6syn), TCP6],
  ['a frame with a VLAN tag', ethernet(v4syn, 7), TCP4],
  [
    'a frame with tags in tags',
    { linkType: 1, bytes: concat(macs, tagged(0x88a8), tagged(0x8100), fields([2, 0x86dd]), v6syn.bytes) },
    TCP6,
  ],
  [
    'a frame with more tags than anybody has',
    {
      linkType: 1,
      bytes: concat(macs, ...[1, 2, 3, 4, 5].map(() => tagged(0x8100)), fields([2, 0x0800]), v4syn.bytes),
    },
    'notIp',
  ],
  ['an ARP frame', { linkType: 1, bytes: arp() }, 'notIp'],
  [
    'Linux cooked v1',
    { linkType: LINK.SLL, bytes: concat(new Uint8Array(14), fields([2, 0x0800]), v4syn.bytes) },
    TCP4,
  ],
  [
    'Linux cooked v2',
    { linkType: LINK.SLL2, bytes: concat(fields([2, 0x86dd]), new Uint8Array(18), v6syn.bytes) },
    TCP6,
  ],
  ['raw IPv4', raw(v4syn), TCP4],
  ['raw IPv6', raw(v6syn), TCP6],
  ['BSD loopback', { linkType: LINK.NULL, bytes: concat(fields([4, 2]), v4syn.bytes) }, TCP4],
  ['a link layer that is not known', { linkType: 147, bytes: v4syn.bytes }, 'notIp'],
  ['IPv4 options', raw(ipv4({ ...V4, segment: syn, options: new Uint8Array(8) })), TCP4],
  ['UDP', raw(ipv4({ ...V4, segment: udp(PORTS) })), '10.0.0.1 10.0.0.2 17 40000 443 0 0 0'],
  ['UDPLite', raw(ipv6({ ...V6, segment: udpLite(PORTS) })), 'fd00::1 fd00::2 136 40000 443 0 0 0'],
  ['SCTP', raw(ipv4({ ...V4, segment: sctp(PORTS) })), '10.0.0.1 10.0.0.2 132 40000 443 0 0 0'],
  ['a protocol without ports', raw(ipv4({ ...V4, segment: bare(47) })), '10.0.0.1 10.0.0.2 47 0 0 0 0 0'],
  [
    'a ping, with its identifier for ports',
    raw(ipv4({ ...V4, segment: echo({ family: 4, kind: 'request', identifier: 9 }) })),
    '10.0.0.1 10.0.0.2 1 9 9 8 0 0',
  ],
  [
    'an answer to a ping',
    raw(ipv6({ ...V6, segment: echo({ family: 6, kind: 'reply', identifier: 9 }) })),
    'fd00::1 fd00::2 58 9 9 129 0 0',
  ],
  [
    'other ICMP',
    raw(ipv4({ ...V4, segment: icmp({ family: 4, type: 13, code: 2 }) })),
    '10.0.0.1 10.0.0.2 1 0 0 13 2 0',
  ],
  [
    'an ICMP error',
    raw(ipv4({ ...V4, segment: icmpError({ family: 4, type: 3, code: 3, cites: v4syn.bytes }) })),
    'icmpError',
  ],
  [
    'an ICMPv6 error',
    raw(ipv6({ ...V6, segment: icmpError({ family: 6, type: 1, cites: v6syn.bytes }) })),
    'icmpError',
  ],
  [
    'extension headers',
    raw(
      ipv6({
        ...V6,
        segment: syn,
        extensions: [padding(EXTENSION.HOP_BY_HOP), padding(EXTENSION.ROUTING, 24), padding(EXTENSION.DESTINATION)],
      }),
    ),
    TCP6,
  ],
  [
    'nine extension headers',
    raw(ipv6({ ...V6, segment: syn, extensions: Array.from({ length: 9 }, () => padding(EXTENSION.DESTINATION)) })),
    'notIp',
  ],
  ['the first of some IPv4 fragments', raw(ipv4({ ...V4, segment: syn, hasMoreFragments: true })), TCP4],
  ['a later IPv4 fragment', raw(ipv4({ ...V4, segment: syn, fragmentOffset: 8 })), 'laterFragment'],
  [
    'the first of some IPv6 fragments',
    raw(ipv6({ ...V6, segment: syn, extensions: [fragmentHeader({ identification: 1, offset: 0, hasMore: true })] })),
    TCP6,
  ],
  [
    'a later IPv6 fragment',
    raw(ipv6({ ...V6, segment: syn, extensions: [fragmentHeader({ identification: 1, offset: 8, hasMore: false })] })),
    'laterFragment',
  ],
  [
    'a packet left to the card to cut, which has no length yet',
    raw(ipv4({ ...V4, segment: syn, totalLength: 0 })),
    TCP4,
  ],
  ['ports beyond the end that the header claims', raw(ipv4({ ...V4, segment: syn, totalLength: 22 })), 'truncated'],
  ['a header shorter than any', raw(ipv4({ ...V4, segment: syn, headerWords: 4 })), 'notIp'],
];

describe('parseFrame', () => {
  it.each(CASES)('reads %s', (_name, captured, expected) => {
    expect(summary(parseFrame(captured))).toBe(expected);
  });

  it('says of every frame cut anywhere that it is whole, cut off or not IP', () => {
    for (const [name, { linkType, bytes }, whole] of CASES) {
      for (let length = 0; length < bytes.length; length++) {
        const result = summary(parseFrame({ linkType, bytes: bytes.slice(0, length) }));
        expect([whole, 'truncated', 'notIp', 'laterFragment', 'icmpError'], `${name} at ${length}`).toContain(result);
      }
    }
  });
});
