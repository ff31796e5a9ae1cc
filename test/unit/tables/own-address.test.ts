import { describe, expect, it } from 'vitest';
import { type Cidr, formatAddress, parseCidr } from '../../../src/model/address.ts';
import { OrderedPrefixes } from '../../../src/tables/ordered-prefixes.ts';
import { ownAddress } from '../../../src/tables/own-address.ts';

interface Case {
  readonly name: string;
  /** The one that is asked about comes first. */
  readonly prefixes: readonly string[];
  readonly own: string | undefined;
}

const cases: readonly Case[] = [
  { name: 'a prefix alone: its first', prefixes: ['10.0.0.0/8'], own: '10.0.0.0' },
  { name: 'a single address', prefixes: ['10.0.0.1/32'], own: '10.0.0.1' },
  { name: 'one that others begin with', prefixes: ['10.0.0.0/8', '10.0.0.0/9', '10.0.0.0/24'], own: '10.128.0.0' },
  { name: 'one that others end with', prefixes: ['10.0.0.0/8', '10.128.0.0/9'], own: '10.0.0.0' },
  {
    name: 'one with a gap between others',
    prefixes: ['10.0.0.0/24', '10.0.0.0/26', '10.0.0.64/32', '10.0.0.66/31'],
    own: '10.0.0.65',
  },
  { name: 'one that two halves cover', prefixes: ['10.0.0.0/24', '10.0.0.0/25', '10.0.0.128/25'], own: undefined },
  {
    name: 'one that pieces of other sizes cover, some within others',
    prefixes: ['10.0.0.0/30', '10.0.0.0/31', '10.0.0.0/32', '10.0.0.2/32', '10.0.0.3/32'],
    own: undefined,
  },
  {
    name: 'one behind which others go on',
    prefixes: ['10.0.0.0/25', '10.0.0.0/26', '10.0.0.64/26', '10.0.0.128/25'],
    own: undefined,
  },
  { name: 'everything', prefixes: ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/2'], own: '192.0.0.0' },
  {
    name: 'everything, covered to its last address',
    prefixes: ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'],
    own: undefined,
  },
  {
    name: 'an IPv6 prefix over a word and more',
    prefixes: ['fd00::/64', 'fd00::/97', 'fd00::8000:0/97'],
    own: 'fd00::1:0:0',
  },
  {
    name: 'an IPv6 prefix with a carry through words',
    prefixes: ['fd00::/32', 'fd00::/33', 'fd00:0:8000::/34', 'fd00:0:c000::/34'],
    own: undefined,
  },
  {
    name: 'all of IPv6, covered but for the end',
    prefixes: ['::/0', '::/1', '8000::/1', 'ffff::/16'],
    own: undefined,
  },
];

describe('the address of its own', () => {
  it.each(cases)('$name', ({ prefixes, own }) => {
    const cidrs = prefixes.map((text) => parseCidr(text) as Cidr);
    const [asked] = cidrs as [Cidr];
    const ordered = new OrderedPrefixes(asked.family);
    ordered.replaceAll(cidrs.map((cidr) => ({ cidr, sets: new Map([[1, 1]]) })));
    const found = ownAddress(ordered, ordered.find(asked) as number);
    expect(found && formatAddress(found)).toBe(own);
  });
});
