import { describe, expect, it } from 'vitest';
import { distinctFlows, observe, sessionOf } from '../../../../src/agent/protect/observe.ts';
import { formatAddress } from '../../../../src/model/address.ts';
import { address, seenFlow } from '../../../support/protect/observations.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, remote: string, state: string, inode: number): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0`;
const NONE = '00000000:0000';
const NONE_V6 = `${'0'.repeat(32)}:0000`;

/** 192.0.2.1 with sshd, nginx on every address of IPv6, dhclient; a session, a visitor, a download, a look-up. */
const FILES: Readonly<Record<string, string>> = {
  '/proc/net/tcp': [
    HEAD,
    row('00000000:0016', NONE, '0A', 1),
    row('010200C0:0016', '076433C6:C350', '01', 2),
    row('010200C0:9C40', '057100CB:0050', '01', 5),
    row('0100007F:9C41', '0100007F:0016', '01', 9),
    row('010200C0:9C42', '097100CB:01BB', '02', 6),
  ].join('\n'),
  '/proc/net/tcp6': [
    HEAD,
    row(`${'0'.repeat(32)}:0050`, NONE_V6, '0A', 3),
    row('0000000000000000FFFF0000010200C0:0050', '0000000000000000FFFF0000087100CB:9C43', '06', 0),
    row('B80D0120000000000000000001000000:0050', 'B80D0120000000000000000009000000:9C44', '01', 4),
  ].join('\n'),
  '/proc/net/udp': [HEAD, row('00000000:0044', NONE, '07', 7), row('010200C0:9C45', '350200C0:0035', '01', 8)].join(
    '\n',
  ),
  '/proc/net/nf_conntrack': [
    'ipv4     2 udp      17 28 src=203.0.113.20 dst=192.0.2.1 sport=5000 dport=4500 src=192.0.2.1 dst=203.0.113.20 sport=4500 dport=5000 mark=0 use=1',
    'ipv4     2 tcp      6 300 ESTABLISHED src=203.0.113.21 dst=192.0.2.1 sport=5000 dport=8080 src=172.17.0.2 dst=203.0.113.21 sport=80 dport=5000 [ASSURED] use=1',
    'ipv4     2 tcp      6 300 ESTABLISHED src=192.0.2.1 dst=203.0.113.22 sport=5001 dport=443 src=203.0.113.22 dst=192.0.2.1 sport=443 dport=5001 [ASSURED] use=1',
    'ipv4     2 icmp     1 29 src=192.0.2.1 dst=203.0.113.22 type=8 code=0 id=1 src=203.0.113.22 dst=192.0.2.1 type=0 code=0 id=1 use=1',
    'ipv4     2 tcp      6 300 ESTABLISHED src=10.0.0.7 dst=203.0.113.22 sport=5001 dport=443 src=203.0.113.22 dst=192.0.2.1 sport=443 dport=5001 use=1',
  ].join('\n'),
  '/etc/resolv.conf': 'nameserver 127.0.0.53\nnameserver 192.0.2.53\n',
  '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\nnameserver fe80::1%eth0\n',
  '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
  '/proc/sys/net/ipv4/ip_forward': '0\n',
};
const OWNERS = new Map([
  [1, 'sshd'],
  [2, 'sshd-session'],
  [3, 'nginx'],
  [4, 'nginx'],
  [5, 'apt'],
  [7, 'dhclient'],
]);
const INTERFACES = [
  { name: 'lo', kind: 'loopback' as const, addresses: [address('127.0.0.1')] },
  { name: 'eth0', kind: 'host' as const, addresses: ['192.0.2.1', '2001:db8::1'].map(address) },
];

const seen = observe({ read: (path) => FILES[path], owners: OWNERS, interfaces: INTERFACES, node: 'web-1' }, '');
const text = ({ direction, local, localPort, remote, remotePort, process }: (typeof seen.flows)[number]): string =>
  `${direction} ${formatAddress(local)} ${localPort} ${formatAddress(remote)} ${remotePort} ${process ?? '-'}`;

describe('observe', () => {
  it('lists who listens, with the holder', () => {
    expect(
      seen.listeners.map(({ protocol, address: at, port, process }) => [protocol, formatAddress(at), port, process]),
    ).toEqual([
      [6, '0.0.0.0', 22, 'sshd'],
      [6, '::', 80, 'nginx'],
      [17, '0.0.0.0', 68, 'dhclient'],
    ]);
  });

  it('tells flows from outside from those of its own, once each, without loopback and what it forwards', () => {
    expect(seen.flows.map(text).sort()).toEqual(
      [
        'in 192.0.2.1 22 198.51.100.7 50000 sshd-session',
        'in 192.0.2.1 4500 203.0.113.20 5000 -',
        'in 192.0.2.1 80 203.0.113.8 40003 -',
        'in 2001:db8::1 80 2001:db8::9 40004 nginx',
        'out 192.0.2.1 40000 203.0.113.5 80 apt',
        'out 192.0.2.1 40002 203.0.113.9 443 -',
        'out 192.0.2.1 40005 192.0.2.53 53 -',
        'out 192.0.2.1 5001 203.0.113.22 443 -',
      ].sort(),
    );
  });

  it('knows the sessions, name servers of the network, and ports', () => {
    expect(seen.sessions).toEqual([sessionOf('198.51.100.7 50000 192.0.2.1 22')]);
    expect(seen.nameServers.map(formatAddress)).toEqual(['192.0.2.53', 'fe80::1']);
    expect(seen.ephemeralPorts).toEqual([32_768, 60_999]);
    expect(seen.isForwarding).toBe(false);
  });

  it('takes the session that it is told of, besides those that it sees', () => {
    const told = '2001:db8::7 40000 2001:db8::1 2222';
    const both = observe({ read: (path) => FILES[path], owners: OWNERS, interfaces: INTERFACES, node: 'a' }, told);
    expect(both.sessions).toEqual([sessionOf(told), ...seen.sessions]);
  });

  it('makes do with nothing', () => {
    const nothing = observe({ read: () => undefined, owners: new Map(), interfaces: [], node: 'a' }, '');
    expect(nothing).toMatchObject({ listeners: [], flows: [], sessions: [], nameServers: [], isForwarding: false });
    expect(nothing.ephemeralPorts).toEqual([32_768, 60_999]);
  });
});

describe('distinctFlows', () => {
  it('keeps one flow for each service and peer, of those that are known by name', () => {
    const flows = [
      'in tcp 192.0.2.1 80 203.0.113.1 1000',
      'in tcp 192.0.2.1 80 203.0.113.1 1001 nginx',
      'in tcp 192.0.2.1 80 203.0.113.2 1000 nginx',
      'out tcp 192.0.2.1 1000 203.0.113.1 80 curl',
      'out tcp 192.0.2.1 1001 203.0.113.1 80 curl',
    ].map(seenFlow);
    expect(distinctFlows(flows).map(text)).toEqual([
      'in 192.0.2.1 80 203.0.113.1 1001 nginx',
      'in 192.0.2.1 80 203.0.113.2 1000 nginx',
      'out 192.0.2.1 1000 203.0.113.1 80 curl',
    ]);
  });
});

describe('sessionOf', () => {
  it.each([
    ['198.51.100.7 50000 192.0.2.1 22', '198.51.100.7 192.0.2.1'],
    ['fe80::7%eth0 50000 fe80::1%eth0 22', 'fe80::7 fe80::1'],
    ['::ffff:198.51.100.7 50000 ::ffff:192.0.2.1 22', '198.51.100.7 192.0.2.1'],
  ])('reads %s', (written, expected) => {
    const session = sessionOf(written);
    expect(session && `${formatAddress(session.client)} ${formatAddress(session.server)}`).toBe(expected);
  });

  it.each(['', 'a b c d', '198.51.100.7 50000', '198.51.100.7 x 192.0.2.1 22'])(
    'takes %j for no session',
    (written) => {
      expect(sessionOf(written)).toBeUndefined();
    },
  );
});
