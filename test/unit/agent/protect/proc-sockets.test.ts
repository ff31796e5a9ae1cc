import { describe, expect, it } from 'vitest';
import { parseSockets, TCP_ESTABLISHED, TCP_LISTEN } from '../../../../src/agent/protect/proc-sockets.ts';
import { formatAddress } from '../../../../src/model/address.ts';

const row = (local: string, remote: string, state: string): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000`;
const V6 = '0000000000000000FFFF0000010200C0';

describe('parseSockets', () => {
  it.each([
    ['IPv4', row('010200C0:0016', '076433C6:C350', '01'), '192.0.2.1 22 198.51.100.7 50000', TCP_ESTABLISHED],
    ['nobody at the other end', row('00000000:0050', '00000000:0000', '0A'), '0.0.0.0 80 0.0.0.0 0', TCP_LISTEN],
    ['IPv4 behind IPv6', row(`${V6}:0050`, `${V6}:0051`, '01'), '192.0.2.1 80 192.0.2.1 81', TCP_ESTABLISHED],
    [
      'IPv6',
      row('B80D0120000000000000000001000000:0050', 'B80D0120000000000000000009000000:0051', '01'),
      '2001:db8::1 80 2001:db8::9 81',
      TCP_ESTABLISHED,
    ],
  ])('reads %s', (_what, text, ends, state) => {
    const sockets = parseSockets(`  sl  local_address rem_address   st\n${text}\n`);
    expect(
      sockets.map(({ local, localPort, remote, remotePort }) =>
        [formatAddress(local), localPort, formatAddress(remote), remotePort].join(' '),
      ),
    ).toEqual([ends]);
    expect(sockets[0]).toMatchObject({ state, inode: 4711 });
  });

  it.each(['', 'nonsense', '0: XYZ:0016 00000000:0000 0A', row('0102:0016', '00000000:0000', '0A')])(
    'makes nothing of %j',
    (text) => {
      expect(parseSockets(text)).toEqual([]);
    },
  );
});
