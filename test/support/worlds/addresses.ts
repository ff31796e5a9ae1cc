// Generated addresses and prefixes: four small neighbourhoods a family, so that nested prefixes contain some of them.
import { cidrOf, type Family, formatCidr, type IpAddress, parseAddress } from '../../../src/model/address.ts';
import type { Random } from './random.ts';

const V4_NETS = ['10.1.0', '10.1.1', '10.1.255', '172.16.0'] as const;
const V4_HOSTS = [0, 1, 2, 63, 64, 65, 127, 128, 254, 255] as const;
const V6_NETS = ['fd00:1:0:0', 'fd00:1:0:1', 'fd00:1:ff:0', '2001:db8:0:0'] as const;
const V6_HOSTS = ['0', '1', '2', '40', '80', 'ff', '100', 'ffff'] as const;

const CIDRS = {
  4: [
    '0.0.0.0/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.0.0/17',
    '10.1.0.0/23',
    '10.1.1.0/24',
    '10.1.0.64/26',
    '10.1.0.0/31',
    '10.1.1.64/32',
    '172.16.0.0/12',
    '172.16.0.255/32',
    '0.0.0.0/32',
    '255.255.255.255/32',
  ],
  6: [
    '::/0',
    '8000::/1',
    'fd00::/8',
    'fd00:1::/32',
    'fd00:1::/47',
    'fd00:1:0:1::/64',
    'fd00:1:0:0::40/122',
    'fd00:1::/127',
    'fd00:1:ff::1/128',
    '2001:db8::/32',
    '2001:db8::ffff/128',
    '::/128',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
  ],
} as const;

/** Addresses that no workload has. */
const FAR = {
  4: ['0.0.0.0', '9.255.255.255', '10.0.255.255', '10.2.0.0', '255.255.255.255', '127.0.0.1', '224.0.0.1'],
  6: [
    '::',
    '::1',
    'fcff::1',
    'fd00:1:0:2::',
    'fe00::1',
    '8000::',
    '7fff::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    'ff03::1',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ],
} as const;

export function address(random: Random, family: Family): string {
  return family === 4
    ? `${random.pick(V4_NETS)}.${random.pick(V4_HOSTS)}`
    : `${random.pick(V6_NETS)}::${random.pick(V6_HOSTS)}`;
}

export function anyFamily(random: Random): Family {
  return random.chance(50) ? 4 : 6;
}

export function farAddress(random: Random, family: Family): string {
  return random.pick<string>(FAR[family]);
}

/** A prefix without host bits: of the list, or of any length around a known address. */
export function cidr(random: Random, family: Family): string {
  if (random.chance(75)) return random.pick<string>(CIDRS[family]);
  const inside = parseAddress(address(random, family)) as IpAddress;
  return formatCidr(cidrOf(inside, random.between(0, family === 4 ? 32 : 128)));
}

/** With its full length or bare. */
export function hostText(random: Random, text: string): string {
  return random.chance(30) ? text : `${text}/${text.includes(':') ? 128 : 32}`;
}

export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** Whether the prefix holds every address of its family. */
export function isCatchAll(text: string): boolean {
  return text.endsWith('/0');
}
