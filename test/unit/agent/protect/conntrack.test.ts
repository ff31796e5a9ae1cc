import { describe, expect, it } from 'vitest';
import { parseConntrack } from '../../../../src/agent/protect/conntrack.ts';
import { formatAddress } from '../../../../src/model/address.ts';

const OWN = new Set(['192.0.2.1', '2001:db8::1']);
const entry = (protocol: string, original: string, reply: string): string =>
  `ipv4     2 ${protocol}      6 300 ${original} ${reply} mark=0 use=1`;
const tuple = (source: string, sourcePort: number, destination: string, destinationPort: number): string =>
  `src=${source} dst=${destination} sport=${sourcePort} dport=${destinationPort}`;

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'what others begin',
    entry('udp', tuple('203.0.113.9', 5000, '192.0.2.1', 53), tuple('192.0.2.1', 53, '203.0.113.9', 5000)),
    ['in 17 192.0.2.1 53 203.0.113.9 5000'],
  ],
  [
    'what it begins itself',
    entry('tcp', tuple('2001:db8::1', 5000, '2001:db8:9::9', 443), tuple('2001:db8:9::9', 443, '2001:db8::1', 5000)),
    ['out 6 2001:db8::1 5000 2001:db8:9::9 443'],
  ],
  [
    'a port that is redirected to another of its own: the one that takes it',
    entry('tcp', tuple('203.0.113.9', 5000, '192.0.2.1', 8080), tuple('192.0.2.1', 80, '203.0.113.9', 5000)),
    ['in 6 192.0.2.1 80 203.0.113.9 5000'],
  ],
  [
    'what it sends to a service that is translated: the one that takes it',
    entry('tcp', tuple('192.0.2.1', 5000, '10.96.0.1', 443), tuple('203.0.113.4', 6443, '192.0.2.1', 5000)),
    ['out 6 192.0.2.1 5000 203.0.113.4 6443'],
  ],
  [
    'what it forwards by a port of its own',
    entry('tcp', tuple('203.0.113.9', 5000, '192.0.2.1', 8080), tuple('172.17.0.2', 80, '203.0.113.9', 5000)),
    [],
  ],
  [
    'what it forwards',
    entry('tcp', tuple('10.0.0.7', 5000, '203.0.113.9', 443), tuple('203.0.113.9', 443, '192.0.2.1', 5000)),
    [],
  ],
  [
    'what it says to itself',
    entry('tcp', tuple('192.0.2.1', 5000, '192.0.2.1', 80), tuple('192.0.2.1', 80, '192.0.2.1', 5000)),
    [],
  ],
  [
    'ping',
    'ipv4     2 icmp     1 29 src=192.0.2.1 dst=203.0.113.9 type=8 code=0 id=1 src=203.0.113.9 dst=192.0.2.1 type=0 code=0 id=1',
    [],
  ],
  ['nonsense', 'ipv4 2 tcp 6 src=a dst=b sport=1 dport=2 src=b dst=a sport=2 dport=1', []],
];

describe('parseConntrack', () => {
  it.each(CASES)('knows %s', (_what, text, expected) => {
    expect(
      parseConntrack(text, OWN).map(({ direction, protocol, local, localPort, remote, remotePort }) =>
        [direction, protocol, formatAddress(local), localPort, formatAddress(remote), remotePort].join(' '),
      ),
    ).toEqual(expected);
  });
});
