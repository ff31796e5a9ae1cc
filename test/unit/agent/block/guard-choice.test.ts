import { describe, expect, it } from 'vitest';
import { AUTO, chooseInterfaces } from '../../../../src/agent/block/guard-choice.ts';

const LINKS = ['lo', 'eth0', 'eth0.5', 'eth1', 'bond0', 'cali1'].map((name, index) => ({ name, ifindex: index + 1 }));
const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n';
const route = (name: string, flags = '0003') => `${name}\t00000000\tFE0200C0\t${flags}\t0\t0\t0\t00000000\n`;
const V6 = (name: string) =>
  `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 20010db8000000000000000000000fff 00000400 1 0 00000003 ${name}\n`;
const VLANS = 'VLAN Dev name | VLAN ID\nName-Type: VLAN_NAME_TYPE\neth0.5         | 5  | eth0\neth0.5.6 | 6 | eth0.5\n';

interface Case {
  readonly setting: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly guarded?: readonly string[];
  /** With something to do there alone. */
  readonly askedFor?: readonly string[];
  /** Nothing is to be done that concerns whoever comes from outside. */
  readonly isQuiet?: boolean;
  readonly wanted: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'the interface of the default route': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth1') },
    wanted: ['eth1'],
  },
  'those of both families': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth1'), '/proc/net/ipv6_route': V6('bond0') },
    wanted: ['eth1', 'bond0'],
  },
  'what is below a VLAN, and a VLAN in it': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth0.5.6'), '/proc/net/vlan/config': VLANS },
    wanted: ['eth0'],
  },
  'nothing for a route that rejects or is down': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth1', '0203') + route('eth0', '0002') },
    wanted: [],
  },
  'no workload, default route or not': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('cali1') },
    wanted: [],
  },
  'what was guarded, when its route has gone': { setting: AUTO, guarded: ['eth1'], wanted: ['eth1'] },
  'what patterns name': { setting: 'eth*,bond0', wanted: ['eth0', 'eth0.5', 'eth1', 'bond0'] },
  'what a name says exactly: its dot is a dot': { setting: 'eth0.5,ethX5', wanted: ['eth0.5'] },
  'never loopback, never a workload': { setting: '*', wanted: ['eth0', 'eth0.5', 'eth1', 'bond0'] },
  'not what was guarded, when patterns name others': { setting: 'eth0', guarded: ['eth1'], wanted: ['eth0'] },
  'what has something to do of its own, besides': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth1') },
    askedFor: ['bond0', 'cali1'],
    wanted: ['eth1', 'bond0'],
  },
  'that alone, where nothing concerns the outside': {
    setting: AUTO,
    files: { '/proc/net/route': HEAD + route('eth1') },
    guarded: ['eth0'],
    askedFor: ['bond0'],
    isQuiet: true,
    wanted: ['bond0'],
  },
  'only what patterns name, whatever there is to do elsewhere': {
    setting: 'eth0',
    askedFor: ['bond0'],
    wanted: ['eth0'],
  },
  'nothing that is not there': { setting: 'wlan0', wanted: [] },
  'nothing when told so': { setting: '', guarded: ['eth0'], wanted: [] },
};

describe('the choice of guarded interfaces', () => {
  it.each(Object.entries(CASES))(
    'is %s',
    (_, { setting, files = {}, guarded = [], askedFor = [], isQuiet = false, wanted }) => {
      const choice = chooseInterfaces(setting, LINKS, {
        isWorkload: (name) => name.startsWith('cali'),
        isGuarded: ({ name }) => guarded.includes(name),
        read: (path) => files[path],
        isAskedFor: ({ name }) => askedFor.includes(name),
        coversOutside: !isQuiet,
      });
      expect(choice.wanted.map(({ name }) => name)).toEqual(wanted);
      expect(choice.lack === undefined).toBe(wanted.length > 0);
    },
  );
});
