import { describe, expect, it } from 'vitest';
import { type Asker, lookOut } from '../../../../src/agent/protect/lookout.ts';
import { formatAddress } from '../../../../src/model/address.ts';
import type { PathFlow } from '../../../../src/model/path.ts';
import { address } from '../../../support/protect/observations.ts';
import { worldFrom } from '../../../support/world-from.ts';

const ROUTES = [
  'Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT',
  'eth0 00000000 FE0200C0 0003 0 0 100 00000000 0 0 0',
  'eth0 000200C0 00000000 0001 0 0 100 00FFFFFF 0 0 0',
].join('\n');
const udp = (local: string, inode: number): string => `0: ${local} 00000000:0000 07 0:0 0:0 0 0 0 ${inode} 2 0 0`;
const FILES: Readonly<Record<string, string>> = { '/proc/net/route': ROUTES };
const INTERFACES = [
  { name: 'eth0', addresses: [address('192.0.2.1')] },
  { name: 'cali1', addresses: [] },
];

function lifelines(
  asker: Asker,
  files: Readonly<Record<string, string>> = FILES,
  peers: readonly string[] = [],
): string[] {
  const settings = { node: 'web-1', interfacePrefix: 'cali' };
  const look = lookOut(worldFrom('kind: Namespace\napiVersion: v1\nmetadata: {name: a}'), settings, asker, {
    read: (path) => files[path],
    peersOf: (port) => (port === 22 ? peers.map(address) : []),
    interfaces: (isWorkload) =>
      INTERFACES.map((each) => ({ ...each, kind: isWorkload(each.name) ? ('workload' as const) : ('host' as const) })),
  });
  return look.lifelines.map(({ what, packet }) => `${what}: ${textOf(packet)}`);
}

function textOf({ flow, path }: PathFlow): string {
  const { source, sourcePort, destination, destinationPort } = flow;
  return `${formatAddress(source)} ${sourcePort} ${formatAddress(destination)} ${destinationPort} ${path.kind}`;
}

const MINE = '198.51.100.7 50001 192.0.2.1 2222';
const MY_SESSION = 'the SSH session that it was sent from: 198.51.100.7 50001 192.0.2.1 2222 to-host';

describe('lookOut', () => {
  it('finds nothing to lose on a machine without sessions', () => {
    expect(lifelines({})).toEqual([]);
  });

  it('holds on to the session that it is told of, and to others of SSH', () => {
    expect(lifelines({ session: MINE }, FILES, ['203.0.113.8'])).toEqual([
      MY_SESSION,
      'an SSH session with this machine: 203.0.113.8 50000 192.0.2.1 22 to-host',
    ]);
  });

  it('does not name a session twice, nor one with itself', () => {
    const own = '203.0.113.8 50001 192.0.2.1 22';
    expect(lifelines({ session: own }, FILES, ['203.0.113.8', '127.0.0.1', '192.0.2.1'])).toHaveLength(1);
  });

  it('holds on to the connection that a change comes through', () => {
    const connection = {
      clientAddress: '::ffff:203.0.113.9',
      clientPort: 4000,
      serverAddress: '::ffff:192.0.2.1',
      serverPort: 9443,
    };
    expect(lifelines({ connection })).toEqual([
      'the connection that it was sent through: 203.0.113.9 4000 192.0.2.1 9443 to-host',
    ]);
  });

  it.each([
    ['every address', '00000000:0044'],
    ['one address', '010200C0:0044'],
  ])('renews its lease where a DHCP client listens on %s', (_where, local) => {
    const files = { ...FILES, '/proc/net/udp': udp(local, 1) };
    expect(lifelines({}, files)).toEqual([
      'DHCP, which gives this machine its address: 192.0.2.1 68 255.255.255.255 67 from-host',
    ]);
  });

  it('makes nothing of a session that is none', () => {
    expect(lifelines({ session: 'nonsense' })).toEqual([]);
  });
});
