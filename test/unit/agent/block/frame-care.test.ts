import { describe, expect, it } from 'vitest';
import { careOf, isPlain, needsGeneric } from '../../../../src/agent/block/frame-care.ts';
import type { NetworkLink } from '../../../../src/kernel/native.ts';

const link = (ifindex: number, name: string, more: Partial<NetworkLink> = {}): NetworkLink => ({
  ifindex,
  name,
  mac: `02:00:00:00:00:0${ifindex}`,
  mtu: 1500,
  up: true,
  kind: '',
  peerMac: '',
  master: 0,
  lower: 0,
  ...more,
});

const LINKS = [
  link(1, 'eth0'),
  link(2, 'eth1', { master: 6 }),
  link(3, 'eth2'),
  link(4, 'eth2.5', { kind: 'vlan', lower: 3 }),
  link(5, 'tun0', { mac: '', kind: 'tun' }),
  link(6, 'br0', { kind: 'bridge' }),
  link(7, 'eth3', { mtu: 9000 }),
];
const ALL = new Set(LINKS.map(({ ifindex }) => ifindex));
const namesOf = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);

describe('interfaces on which more is asked than the source', () => {
  it('are those whose untagged frames are all their own: no part of a bridge, nothing stands on them, they have an address', () => {
    expect(namesOf(LINKS.filter((one) => isPlain(one, LINKS)))).toEqual(['eth0', 'eth2.5', 'br0', 'eth3']);
  });

  it('are asked lists where there are some, and have connections counted where that is wanted', () => {
    const hasUntracked = (ifindex: number): boolean => ifindex !== 1;
    expect(careOf(LINKS, new Set([1, 2, 7]), { hasUntracked, countsSyns: false })).toEqual([
      { ifindex: 7, name: 'eth3', mac: '02:00:00:00:00:07', mtu: 9000, asksLists: true, countsSyns: false },
    ]);
    expect(
      careOf(LINKS, ALL, { hasUntracked, countsSyns: true }).map(({ name, asksLists, countsSyns }) => [
        name,
        asksLists,
        countsSyns,
      ]),
    ).toEqual([
      ['eth0', false, true],
      ['eth2.5', true, true],
      ['br0', true, true],
      ['eth3', true, true],
    ]);
    expect(careOf(LINKS, ALL, { hasUntracked: () => false, countsSyns: false })).toEqual([]);
    expect(careOf(LINKS, new Set(), { hasUntracked, countsSyns: true })).toEqual([]);
  });

  it('are in generic mode where frames are to go back through a veth', () => {
    const veth = link(8, 'up0', { kind: 'veth' });
    expect([needsGeneric(veth, true), needsGeneric(veth, false), needsGeneric(link(1, 'eth0'), true)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
