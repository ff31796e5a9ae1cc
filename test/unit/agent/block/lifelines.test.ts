import { describe, expect, it } from 'vitest';
import { findLifelines, type Lifeline, parseSshConnection, refusalOf } from '../../../../src/agent/block/lifelines.ts';
import { sshConnectionOf } from '../../../../src/agent/ssh-connection.ts';
import { formatAddress, parseCidr } from '../../../../src/model/address.ts';

const TCP = '  sl  local_address rem_address   st\n';
const FILES: Readonly<Record<string, string>> = {
  '/proc/100/environ': 'PATH=/bin\0',
  '/proc/100/status': 'Name:\ttortie\nPPid:\t99\n',
  '/proc/99/environ': 'SUDO_USER=ann\0TERM=x\0',
  '/proc/99/status': 'Name:\tsudo\nPPid:\t98\n',
  '/proc/98/environ': 'HOME=/\0SSH_CONNECTION=203.0.113.5 50000 192.0.2.1 2222\0',
  '/proc/net/tcp': `${TCP}   0: 010200C0:0016 096433C6:D431 01 0\n   1: 010200C0:0016 0A6433C6:D431 06 0\n   2: 010200C0:08AE 0B6433C6:D431 01 0\n   3: 010200C0:01BB 0C6433C6:D431 01 0\n`,
  '/proc/net/tcp6': `${TCP}   0: 0000000000000000FFFF0000010200C0:0016 0000000000000000FFFF00000D6433C6:D431 01 0\n   1: B80D0120000000000000000001000000:0016 B80D0120000000000000000099000000:D431 01 0\n`,
  '/proc/net/route':
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\tFE0200C0\t0003\t0\t0\t0\t00000000\nppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n',
  '/proc/net/ipv6_route':
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000000000000000000000fff 00000400 1 0 00000003     eth0\n00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 1 0 00200200       lo\n',
  '/etc/resolv.conf':
    'search lab\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n#nameserver 8.8.8.8\nnameserver fe80::1%eth0\n',
};

const read = (path: string) => FILES[path];
const SESSION = parseSshConnection(sshConnectionOf(100, read));
const texts = (lifelines: readonly Lifeline[]) => lifelines.map(({ address }) => formatAddress(address)).sort();

describe('lifelines', () => {
  it('are SSH peers, gateways and name servers; the session of the one who asks, behind sudo too', () => {
    expect(sshConnectionOf(100, read)).toBe('203.0.113.5 50000 192.0.2.1 2222');
    expect(texts(findLifelines(SESSION, read))).toEqual(
      ['198.51.100.9', '198.51.100.11', '198.51.100.13', '192.0.2.254', '2001:db8::99', '2001:db8::fff']
        .concat(['203.0.113.5', '9.9.9.9', 'fe80::1'])
        .sort(),
    );
  });

  it.each(['', 'x', '203.0.113.5', '203.0.113.5 1 192.0.2.1', 'x 1 192.0.2.1 22', '203.0.113.5 1 192.0.2.1 22 3'])(
    'are not made of a session that says %j',
    (text) => {
      expect(parseSshConnection(text)).toBeUndefined();
    },
  );

  it('have no session where no process above has one', () => {
    expect([sshConnectionOf(100, () => undefined), sshConnectionOf(1, read)]).toEqual(['', '']);
  });

  it('are without the session where nobody has one', () => {
    const found = texts(findLifelines(undefined, read));
    expect([found.includes('203.0.113.5'), found.includes('198.51.100.11')]).toEqual([false, false]);
    expect(found).toContain('198.51.100.9');
  });

  it('are none where nothing can be read', () => {
    expect(findLifelines(undefined, () => undefined)).toEqual([]);
  });

  it.each([
    ['203.0.113.5/32', 'contains 203.0.113.5, which this SSH session comes from'],
    ['203.0.0.0/16', 'contains 203.0.113.5, which this SSH session comes from'],
    ['192.0.2.128/25', 'contains 192.0.2.254, which is a default gateway'],
    ['9.9.9.9/32', 'contains 9.9.9.9, which is a name server of this machine'],
    ['2001:db8::/112', 'contains 2001:db8::99, which has an SSH session with this machine'],
    ['0.0.0.0/0', /^contains /],
    ['::/0', /^contains /],
    ['fe80::/64', /^contains fe80::1|^meets fe80::\/10/],
    ['fe80::5/128', /^meets fe80::\/10/],
    ['f000::/4', /fe80/],
  ])('refuse %s', (text, why) => {
    expect(judge(text)).toMatch(why);
  });

  it.each([
    '203.0.113.4/32',
    '198.51.100.10/32',
    '192.0.2.0/25',
    '2001:db8:1::/48',
    '::/8',
    'fec0::/10',
    '127.0.0.0/8',
  ])('have nothing against %s', (text) => {
    expect(judge(text)).toBeUndefined();
  });

  function judge(text: string): string | undefined {
    const cidr = parseCidr(text) as NonNullable<ReturnType<typeof parseCidr>>;
    const words = Uint32Array.of(7, 7, 7, 7, ...cidr.words);
    return refusalOf(findLifelines(SESSION, read))(cidr.family, words, 4, cidr.length);
  }
});
