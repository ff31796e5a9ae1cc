import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cidrOf,
  compareAddresses,
  containsAddress,
  containsCidr,
  formatAddress,
  formatCidr,
  hostCidr,
  type IpAddress,
  parseAddress,
  parseCidr,
} from '../../../src/model/address.ts';

const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.ipV4().map((text) => parseAddress(text) as IpAddress),
  fc.ipV6().map((text) => parseAddress(text) as IpAddress),
);

describe('parseAddress', () => {
  it.each([
    ['0.0.0.0', [0]],
    ['10.1.2.3', [0x0a010203]],
    ['255.255.255.255', [0xffffffff]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['1::', [0x10000, 0, 0, 0]],
    ['2001:DB8::a:b', [0x20010db8, 0, 0, 0xa000b]],
    ['1:2:3:4:5:6:7:8', [0x10002, 0x30004, 0x50006, 0x70008]],
    ['1:2:3:4:5:6:7::', [0x10002, 0x30004, 0x50006, 0x70000]],
    ['::ffff:10.0.0.1', [0, 0, 0xffff, 0x0a000001]],
    ['64:ff9b::1.2.3.4', [0x64ff9b, 0, 0, 0x01020304]],
  ])('reads %s', (text, words) => {
    expect(parseAddress(text)).toEqual({ family: words.length === 1 ? 4 : 6, words });
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '0x1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1%eth0',
    '1:2:3:4:5:6:7:8::',
    '1:',
    ':1',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4/32',
    'fe80::1/64',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('reads back what formatAddress writes', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });
});

describe('formatAddress', () => {
  it.each([
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::00AB', '2001:db8::ab'],
    ['0:0:0:0:0:ffff:c0a8:1', '::ffff:192.168.0.1'],
    ['0::0', '::'],
  ])('writes %s as RFC 5952 %s', (text, canonical) => {
    expect(formatAddress(parseAddress(text) as IpAddress)).toBe(canonical);
  });
});

describe('parseCidr', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8:1::1/32', '2001:db8::/32'],
    ['2001:db8::1/127', '2001:db8::/127'],
    ['::1', '::1/128'],
    ['ff00::/0', '::/0'],
  ])('reads %s as %s', (text, canonical) => {
    const cidr = parseCidr(text);
    expect(cidr === undefined ? undefined : formatCidr(cidr)).toBe(canonical);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '/8', '10.0.0.0/8/8', 'x/8'])(
    'refuses %j',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  it('refuses host bits when strict', () => {
    expect(parseCidr('10.0.0.1/8', { strict: true })).toBeUndefined();
    expect(parseCidr('10.0.0.0/8', { strict: true })).toBeDefined();
  });
});

describe('containsAddress', () => {
  it('holds for an address and every prefix cut from it', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(128), (address, bits) => {
        const length = Math.min(bits, address.words.length * 32);
        const cidr = cidrOf(address, length);
        expect(containsAddress(cidr, address)).toBe(true);
        expect(containsCidr(cidr, hostCidr(address))).toBe(true);
      }),
    );
  });

  it('fails when a bit inside the prefix differs', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(127), (address, position) => {
        const bit = position % (address.words.length * 32);
        const words = [...address.words];
        words[bit >>> 5] = ((words[bit >>> 5] as number) ^ (1 << (31 - (bit & 31)))) >>> 0;
        expect(containsAddress(cidrOf(address, bit + 1), { ...address, words })).toBe(false);
        expect(containsAddress(cidrOf(address, bit), { ...address, words })).toBe(true);
      }),
    );
  });

  it('is false for the other family, even of ::/0', () => {
    expect(containsAddress(cidrOf({ family: 6, words: [0, 0, 0, 0] }, 0), { family: 4, words: [0] })).toBe(false);
  });
});

describe('compareAddresses', () => {
  it('puts IPv4 first and orders by unsigned value', () => {
    const texts = ['::1', '255.0.0.1', '1.0.0.1', 'ff00::', '128.0.0.1'];
    const sorted = texts.map((text) => parseAddress(text) as IpAddress).sort(compareAddresses);
    expect(sorted.map(formatAddress)).toEqual(['1.0.0.1', '128.0.0.1', '255.0.0.1', '::1', 'ff00::']);
  });
});
