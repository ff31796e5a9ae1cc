import { describe, expect, it } from 'vitest';
import { renderNftables } from '../../../../src/analysis/render/render.ts';
import { desiredOf, desiredWith } from './policy-world.ts';

/** The rules of the policy's first chain for IPv4, without comments and the closing drop. */
function rulesFor(rules: readonly unknown[], style: 'linear' | 'sets' = 'sets'): string[] {
  const text = renderNftables(desiredWith(rules), { style, conntrack: false });
  const body = /chain tortie-e1 \{\n([\s\S]*?) {2}\}/.exec(text.split('table ip6')[0] ?? '')?.[1] ?? '';
  const lines = body.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && line !== 'drop' && !line.startsWith('#'));
}

const allow = (rest: object): unknown => ({ action: 'Allow', ...rest });

const CASES: readonly { name: string; rules: readonly unknown[]; expected: readonly string[] }[] = [
  {
    name: 'ports',
    rules: [allow({ protocol: 'TCP', destination: { ports: [80, '90:95'] } })],
    expected: ['tcp dport { 80, 90-95 } return'],
  },
  {
    name: 'negated ports',
    rules: [allow({ protocol: 'SCTP', source: { notPorts: [80, 81] } })],
    expected: ['sctp sport != 80-81 return'],
  },
  {
    name: 'networks and what is cut out of them',
    rules: [allow({ destination: { nets: ['10.1.0.0/16', '10.2.0.0/16'], notNets: ['10.1.2.0/24'] } })],
    expected: ['ip daddr { 10.1.0.0/16, 10.2.0.0/16 } ip daddr != 10.1.2.0/24 return'],
  },
  {
    name: 'neighbours of one action',
    rules: [
      allow({ protocol: 'TCP', destination: { nets: ['10.1.0.0/16'], ports: [80] } }),
      allow({ protocol: 'TCP', destination: { nets: ['10.2.0.0/16'], ports: [81] } }),
      { action: 'Deny', protocol: 'TCP', destination: { nets: ['10.3.0.0/16'], ports: [82] } },
    ],
    expected: ['meta l4proto tcp ip daddr . th dport @s1 return', 'ip daddr 10.3.0.0/16 tcp dport 82 drop'],
  },
  {
    name: 'neighbours of one action whose values overlap',
    rules: [
      allow({ protocol: 'TCP', destination: { nets: ['10.1.0.0/16'], ports: ['80:90'] } }),
      allow({ protocol: 'TCP', destination: { nets: ['10.1.2.0/24'], ports: ['85:95'] } }),
      allow({ protocol: 'TCP', destination: { nets: ['10.1.3.0/24'], ports: ['85:86'] } }),
    ],
    expected: ['meta l4proto tcp ip daddr . th dport @s1 return', 'meta l4proto tcp ip daddr . th dport @s2 return'],
  },
  {
    name: 'a type and code of ICMP',
    rules: [allow({ protocol: 'ICMP', icmp: { type: 3, code: 4 } })],
    expected: ['icmp type 3 icmp code 4 return'],
  },
  {
    name: 'a negated type and code',
    rules: [allow({ protocol: 'ICMP', notICMP: { type: 3, code: 4 } })],
    expected: ['meta l4proto icmp @th,0,16 != 772 return'],
  },
  {
    name: 'a type of ICMPv6 in the other family',
    rules: [allow({ protocol: 58, icmp: { type: 128 } })],
    expected: ['meta l4proto ipv6-icmp @th,0,8 128 return'],
  },
  { name: 'a bare protocol', rules: [allow({ protocol: 47 })], expected: ['meta l4proto 47 return'] },
];

describe('rules for nftables', () => {
  it.each(CASES)('of $name', ({ rules, expected }) => {
    expect(rulesFor(rules)).toEqual(expected);
  });

  it('have one value to a rule when they are linear', () => {
    const rule = allow({ protocol: 'TCP', destination: { nets: ['10.1.0.0/16', '10.2.0.0/16'], ports: [80] } });
    expect(rulesFor([rule], 'linear')).toEqual([
      'ip daddr 10.1.0.0/16 tcp dport 80 return',
      'ip daddr 10.2.0.0/16 tcp dport 80 return',
    ]);
  });

  it('find the chain of an address by one lookup', () => {
    const other = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'WorkloadEndpoint',
      metadata: { namespace: 'shop', name: 'node-k8s-db-eth0', labels: { app: 'web' } },
      spec: { node: 'node', orchestrator: 'k8s', pod: 'db', endpoint: 'eth0', ipNetworks: ['10.0.0.2/32'] },
    };
    const text = renderNftables(desiredWith([], [other]), { style: 'sets', conntrack: false });
    expect(text).toContain('10.0.0.1 : jump tortie-e1, 10.0.0.2 : jump tortie-e1,');
    expect(text).toContain('ip saddr vmap @senders\n    ip daddr vmap @receivers');
  });

  it('replace the tables of an earlier load', () => {
    const text = renderNftables(desiredWith([]), { style: 'sets', conntrack: false });
    expect(text).toMatch(/^table ip tortie\ndelete table ip tortie\ntable ip tortie \{/);
  });

  it('are none where no endpoint is', () => {
    expect(renderNftables(desiredOf([]), { style: 'sets', conntrack: false })).toBe('');
  });

  it('are refused when chains would nest more deeply than the kernel walks', () => {
    const tiers = Array.from({ length: 16 }, (_, index) => [
      { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name: `tier${index}` }, spec: { order: index } },
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkPolicy',
        metadata: { name: `tier${index}.pass` },
        spec: {
          tier: `tier${index}`,
          selector: 'all()',
          types: ['Egress'],
          egress: [{ action: 'Pass', protocol: 'TCP' }],
        },
      },
    ]).flat();
    expect(() => renderNftables(desiredWith([], tiers), { style: 'sets', conntrack: false })).toThrow(
      expect.objectContaining({ code: 'NOT_EXPRESSIBLE', expected: 'at most 15' }),
    );
  });
});
