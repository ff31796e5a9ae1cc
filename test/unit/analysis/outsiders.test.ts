import { describe, expect, it } from 'vitest';
import {
  knownPrefixes,
  MAX_REGIONS,
  networkScope,
  outsideAddress,
  regionsOfScope,
  regionsWithin,
} from '../../../src/analysis/outsiders.ts';
import {
  type Cidr,
  containsAddress,
  formatAddress,
  type IpAddress,
  parseAddress,
  parseCidr,
} from '../../../src/model/address.ts';
import { worldOf } from '../../support/worlds/questions.ts';

const cidrs = (...texts: readonly string[]): Cidr[] => texts.map((text) => parseCidr(text) as Cidr);
const nobody = (): boolean => false;
const texts = (addresses: readonly IpAddress[]): string[] => addresses.map(formatAddress);

describe('outsideAddress', () => {
  it('is in no known prefix', () => {
    expect(formatAddress(outsideAddress(4, []))).toBe('203.0.113.1');
    expect(formatAddress(outsideAddress(4, cidrs('203.0.113.0/24')))).toBe('198.51.100.1');
    expect(formatAddress(outsideAddress(6, cidrs('2001:db8::/32')))).toBe('2001:db9::');
  });

  it('is in as few as possible when all addresses are known', () => {
    const known = cidrs(
      '0.0.0.0/0',
      '203.0.113.0/24',
      '198.51.100.0/24',
      '192.0.2.0/24',
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
    );
    const address = outsideAddress(4, known);
    expect(known.filter((cidr) => containsAddress(cidr, address))).toHaveLength(1);
  });
});

describe('regionsWithin', () => {
  it.each([
    ['10.0.0.0/8', [], ['10.0.0.0']],
    ['10.0.0.0/8', ['10.0.0.0/16'], ['10.0.0.0', '10.1.0.0']],
    ['10.0.0.0/8', ['10.255.0.0/16'], ['10.0.0.0', '10.255.0.0']],
    ['10.0.0.0/8', ['192.0.2.0/24', '0.0.0.0/0'], ['10.0.0.0']],
    ['10.0.0.0/30', ['10.0.0.1/32', '10.0.0.2/32'], ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3']],
    ['fd00::/64', ['fd00::ffff:ffff:ffff:ffff/128', 'fd00::/128'], ['fd00::', 'fd00::ffff:ffff:ffff:ffff', 'fd00::1']],
  ])('has an address for each part of %s that %j tell apart', (net, known, expected) => {
    expect(texts(regionsWithin(cidrs(net), cidrs(...known), nobody))).toEqual(expected);
  });

  it('has no more than the limit', () => {
    const known = Array.from({ length: 1000 }, (_, index) => `10.0.${index >> 8}.${index & 255}/32`);
    expect(regionsWithin(cidrs('10.0.0.0/8'), cidrs(...known), nobody)).toHaveLength(MAX_REGIONS);
  });
});

describe('regionsOfScope', () => {
  it('keeps to the scope and leaves out what is taken', () => {
    const known = cidrs('10.1.0.0/16', '198.51.100.0/24', '192.168.0.0/16');
    const regions = regionsOfScope('private', known, (address) => formatAddress(address).startsWith('192.168.'));
    expect(regions.every((address) => networkScope(address) === 'private')).toBe(true);
    expect(texts(regions)).toEqual(['10.255.255.254', '10.0.0.0', '172.16.0.0', '10.1.0.0', '10.2.0.0']);
  });

  it('counts IPv6 as public', () => {
    expect(networkScope(parseAddress('fd00::1') as IpAddress)).toBe('public');
  });
});

describe('knownPrefixes', () => {
  it('collects what rules, sets and endpoints mention, once and sorted', () => {
    const world = worldOf([
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkSet',
        metadata: { name: 's' },
        spec: { nets: ['10.9.0.0/16'] },
      },
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'p' },
        spec: {
          ingress: [{ action: 'Allow', source: { nets: ['10.9.0.0/16', '10.2.0.0/16'], notNets: ['10.2.3.0/24'] } }],
        },
      },
    ]);
    expect(texts(knownPrefixes(world))).toEqual(['10.2.0.0', '10.2.3.0', '10.9.0.0']);
  });
});
