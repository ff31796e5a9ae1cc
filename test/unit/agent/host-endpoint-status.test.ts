import { describe, expect, it } from 'vitest';
import { describeHostEndpoints } from '../../../src/agent/host-endpoint-status.ts';
import { parseAddress } from '../../../src/model/address.ts';
import type { HostEndpoint } from '../../../src/model/endpoint.ts';
import type { HostInterface, InterfaceKind } from '../../../src/model/host-interfaces.ts';

function addressesOf(texts: readonly string[]): HostInterface['addresses'] {
  return texts.map(parseAddress).filter((address) => address !== undefined);
}

function at(name: string, texts: readonly string[] = [], kind: InterfaceKind = 'host'): HostInterface {
  return { name, kind, addresses: addressesOf(texts) };
}

function endpoint(name: string, interfaceName: string, texts: readonly string[] = []): HostEndpoint {
  return {
    type: 'hostEndpoint',
    key: `hostEndpoint:${name}`,
    name,
    node: 'n1',
    interfaceName,
    addresses: addressesOf(texts),
    labels: {},
    profiles: [],
    ports: [],
    location: { file: 'a.yaml', line: 1 },
  };
}

const INTERFACES = [
  at('lo', ['127.0.0.1'], 'loopback'),
  at('eth1', ['192.0.2.1', '2001:db8::1']),
  at('eth0', ['198.51.100.1']),
  at('bare'),
  at('cali1', [], 'workload'),
];

describe('what is said of host endpoints', () => {
  it.each([
    ['the interface that it names', endpoint('a', 'eth0'), ['eth0'], 'ready', ''],
    ['one that has one of its addresses', endpoint('a', '', ['2001:db8::1', '203.0.113.9']), ['eth1'], 'ready', ''],
    ['all of several', endpoint('a', '', ['192.0.2.1', '198.51.100.1']), ['eth0', 'eth1'], 'ready', ''],
    ['all of the host, for *', endpoint('a', '*'), ['bare', 'eth0', 'eth1'], 'ready', ''],
    ['one without an address', endpoint('a', 'bare'), ['bare'], 'ready', 'interface bare has no address'],
    ['none that there is', endpoint('a', 'eth9'), [], 'waiting', 'interface eth9 does not exist yet'],
    [
      'none that has its addresses',
      endpoint('a', '', ['203.0.113.9', '203.0.113.10']),
      [],
      'waiting',
      'no interface of this host has 203.0.113.9, 203.0.113.10',
    ],
    ["a workload's", endpoint('a', 'cali1'), [], 'error', "interface cali1 is a workload's"],
    ['the loopback', endpoint('a', 'lo'), [], 'error', 'interface lo is the loopback, which policy leaves alone'],
  ] as const)('names %s', (_, one, interfaces, state, reason) => {
    expect(describeHostEndpoints([one], INTERFACES, undefined)).toMatchObject([
      { hostEndpoint: 'a', interfaces, state, reason },
    ]);
  });

  it('says who has what several claim, in the order of names', () => {
    const all = [endpoint('c', 'eth0'), endpoint('b', '', ['198.51.100.1', '192.0.2.1']), endpoint('a', 'eth0')];
    expect(describeHostEndpoints(all, INTERFACES, undefined)).toEqual([
      { hostEndpoint: 'a', interfaces: ['eth0'], addresses: ['198.51.100.1'], state: 'ready', reason: '' },
      {
        hostEndpoint: 'b',
        interfaces: ['eth1'],
        addresses: ['192.0.2.1', '2001:db8::1'],
        state: 'ready',
        reason: 'interface eth0 belongs to a',
      },
      { hostEndpoint: 'c', interfaces: [], addresses: [], state: 'error', reason: 'interface eth0 belongs to a' },
    ]);
  });

  it('leaves to the one for all what has none of its own, and knows a second one for all', () => {
    const all = [endpoint('any', '*'), endpoint('every', '*'), endpoint('own', 'eth0')];
    expect(describeHostEndpoints(all, INTERFACES, undefined)).toEqual([
      {
        hostEndpoint: 'any',
        interfaces: ['bare', 'eth1'],
        addresses: ['192.0.2.1', '2001:db8::1'],
        state: 'ready',
        reason: '',
      },
      { hostEndpoint: 'every', interfaces: [], addresses: [], state: 'error', reason: 'all interfaces belong to any' },
      { hostEndpoint: 'own', interfaces: ['eth0'], addresses: ['198.51.100.1'], state: 'ready', reason: '' },
    ]);
  });

  it('says of each what keeps all of them from being enforced', () => {
    const said = describeHostEndpoints([endpoint('a', 'eth0')], INTERFACES, 'the kernel is too old');
    expect(said).toEqual([
      {
        hostEndpoint: 'a',
        interfaces: ['eth0'],
        addresses: ['198.51.100.1'],
        state: 'error',
        reason: 'the kernel is too old',
      },
    ]);
  });
});
