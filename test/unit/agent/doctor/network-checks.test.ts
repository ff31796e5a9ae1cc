import { describe, expect, it } from 'vitest';
import { foreignFilters, NETWORK_CHECKS } from '../../../../src/agent/doctor/network-checks.ts';
import { type MachineFacts, machineWith } from '../../../support/agent/machine-facts.ts';

async function judge(id: string, facts: MachineFacts = {}) {
  return await NETWORK_CHECKS.find((check) => check.id === id)?.run(machineWith(facts));
}

function nft(...objects: readonly object[]): MachineFacts {
  return { outputs: { 'nft -j list ruleset': JSON.stringify({ nftables: objects }) } };
}

const FORWARD = { family: 'inet', table: 'filter', name: 'forward', hook: 'forward' };

describe('checks of the network', () => {
  it('find nothing wrong with a healthy machine', async () => {
    for (const { id } of NETWORK_CHECKS) expect(await judge(id), id).toMatchObject({ level: 'ok' });
  });

  it.each<[string, string, MachineFacts, string, RegExp]>([
    ['a chain that drops', 'nftables', nft({ chain: { ...FORWARD, policy: 'drop' } }), 'fail', /inet filter forward/],
    [
      'a rule that drops',
      'nftables',
      nft(
        { chain: FORWARD },
        { rule: { family: 'ip', table: 'mine', chain: 'out', expr: [{ counter: {} }, { drop: null }] } },
      ),
      'warn',
      /ip mine out/,
    ],
    [
      'a rule that rejects',
      'nftables',
      nft({ rule: { family: 'ip', table: 'mine', chain: 'out', expr: [{ reject: {} }] } }),
      'warn',
      /ip mine out/,
    ],
    ['chains of Calico', 'nftables', nft({ chain: { ...FORWARD, name: 'cali-FORWARD' } }), 'warn', /Calico/],
    [
      'FORWARD that drops',
      'iptables',
      { outputs: { 'iptables-save': '*filter\n:FORWARD DROP [0:0]\n' } },
      'fail',
      /FORWARD/,
    ],
    [
      'a rule that drops',
      'iptables',
      { outputs: { 'iptables-legacy-save': '-A INPUT -p tcp -j DROP\n' } },
      'warn',
      /INPUT/,
    ],
    ['chains of Cilium', 'iptables', { outputs: { 'iptables-save': ':CILIUM_FORWARD - [0:0]\n' } }, 'warn', /Cilium/],
    [
      'firewalld by its table',
      'firewall-managers',
      nft({ chain: { ...FORWARD, table: 'firewalld' } }),
      'warn',
      /firewalld/,
    ],
    ['firewalld', 'firewall-managers', { files: { '/run/firewalld.pid': '7' } }, 'warn', /firewalld/],
    ['ufw', 'firewall-managers', { files: { '/etc/ufw/ufw.conf': 'ENABLED=yes\n' } }, 'warn', /ufw/],
    [
      'a program in front',
      'other-programs',
      { programs: () => [{ name: 'calia', direction: 'ingress', ids: [9, 7], ours: 7 }] },
      'fail',
      /calia ingress \(programs 9, 7\)/,
    ],
    [
      'a hook without ours',
      'other-programs',
      { programs: () => [{ name: 'calia', direction: 'egress', ids: [], ours: 0 }] },
      'fail',
      /not attached: calia egress/,
    ],
    [
      'a program behind',
      'other-programs',
      { programs: () => [{ name: 'calia', direction: 'egress', ids: [7, 9], ours: 7 }] },
      'warn',
      /after ours: calia egress/,
    ],
    [
      'a filter in front, by its name',
      'other-programs',
      {
        programs: () => [
          {
            name: 'calia',
            direction: 'egress',
            ids: [9, 7],
            filters: ['bpf filter mine:[9]', 'bpf filter tt'],
            ours: 7,
          },
        ],
      },
      'fail',
      /calia egress \(bpf filter mine:\[9\]; bpf filter tt\)/,
    ],
    [
      'a filter of tc',
      'other-filters',
      {
        outputs: {
          'tc -j filter show dev calia ingress': JSON.stringify([
            { kind: 'bpf', options: { handle: '0x1', bpf_name: 'x' } },
          ]),
        },
      },
      'warn',
      /calia ingress/,
    ],
    [
      'an XDP program',
      'other-filters',
      { outputs: { 'ip -j -d link': JSON.stringify([{ ifname: 'calia', mtu: 1500, xdp: { prog: { id: 3 } } }]) } },
      'warn',
      /XDP on calia/,
    ],
    [
      'a larger MTU',
      'mtu',
      {
        outputs: {
          'ip -j -d link': JSON.stringify([
            { ifname: 'eth0', mtu: 1400 },
            { ifname: 'calia', mtu: 1500, linkinfo: { info_kind: 'veth' } },
          ]),
        },
      },
      'warn',
      /calia has 1500/,
    ],
  ])('finds %s, by %s', async (_, id, facts, level, found) => {
    const judgement = await judge(id, facts);
    expect(judgement).toMatchObject({ level, found: expect.stringMatching(found), hint: expect.stringMatching(/./) });
  });

  it('says whose rules stay beside policy without harm', async () => {
    const saved = { outputs: { 'iptables-save': ':DOCKER - [0:0]\n:LIBVIRT_INP - [0:0]\n' } };
    expect(await judge('firewall-managers', saved)).toEqual({ level: 'ok', found: 'Docker, libvirt write rules too' });
  });

  it.each([
    ['nftables', 'nft -j list ruleset'],
    ['iptables', 'iptables-save'],
    ['other-filters', 'ip -j -d link'],
    ['mtu', 'ip -j route show default'],
  ])('skips %s where nothing answers to %s', async (id, command) => {
    expect(await judge(id, { outputs: { [command]: undefined } })).toMatchObject({ level: 'skip' });
  });

  it('takes its own filters for its own', () => {
    const listing = [
      { kind: 'bpf', chain: 0 },
      { kind: 'bpf', options: { handle: '0x7474', bpf_name: 'tt_from_work' } },
    ];
    expect(foreignFilters(JSON.stringify(listing))).toBe(0);
    expect(foreignFilters('')).toBe(0);
  });
});
