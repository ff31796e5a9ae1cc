import { describe, expect, it } from 'vitest';
import { Routes } from '../../../../src/agent/protect/routes.ts';
import { address } from '../../../support/protect/observations.ts';

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
const v4 = (name: string, net: string, gateway: string, flags: string, metric: number, mask: string): string =>
  [name, net, gateway, flags, 0, 0, metric, mask, 0, 0, 0].join('\t');
const ANY = '0'.repeat(32);
const v6 = (net: string, length: string, gateway: string, metric: string, flags: string, name: string): string =>
  `${net} ${length} ${ANY} 00 ${gateway} ${metric} 00000001 00000000 ${flags} ${name}`;

const FILES: Readonly<Record<string, string>> = {
  '/proc/net/route': [
    HEAD,
    v4('eth0', '00000000', '010200C0', '0003', 100, '00000000'),
    v4('wlan0', '00000000', '01AFA8C0', '0003', 600, '00000000'),
    v4('eth0', '000200C0', '00000000', '0001', 100, '00FFFFFF'),
    v4('wg0', '0000000A', '00000000', '0001', 0, '000000FF'),
    v4('eth1', '0001000A', '00000000', '0001', 0, '00FFFFFF'),
    v4('*', '0002000A', '00000000', '0200', 0, '00FFFFFF'),
  ].join('\n'),
  '/proc/net/ipv6_route': [
    v6('20010db8000000000000000000000000', '40', ANY, '00000100', '00000001', 'eth0'),
    v6('fe800000000000000000000000000000', '40', ANY, '00000100', '00000001', 'eth0'),
    v6(ANY, '00', 'fe8000000000000000000000000000ff', '00000400', '00450003', 'eth0'),
    v6('20010db8000000000000000000000001', '80', ANY, '00000000', '80200001', 'lo'),
    v6(ANY, '00', ANY, 'ffffffff', '00200200', 'lo'),
  ].join('\n'),
};
const routes = new Routes((path) => FILES[path]);

describe('routes', () => {
  it.each([
    ['192.0.2.9', 'eth0'],
    ['203.0.113.9', 'eth0'],
    ['10.9.9.9', 'wg0'],
    ['10.0.1.9', 'eth1'],
    ['2001:db8::9', 'eth0'],
    ['2001:db8:9::9', 'eth0'],
  ])('lead to %s by %s', (to, name) => {
    expect(routes.interfaceTo(address(to))).toBe(name);
  });

  it('lead nowhere without any', () => {
    expect(new Routes(() => undefined).interfaceTo(address('192.0.2.9'))).toBeUndefined();
  });

  it('name where default routes leave', () => {
    expect(routes.uplinks).toEqual(['eth0', 'wlan0']);
  });
});
