import { describe, expect, it } from 'vitest';
import { checkForIptables, iptablesText } from '../../../../src/analysis/render/iptables-text.ts';
import type { Match } from '../../../../src/analysis/render/program.ts';
import { renderIptables } from '../../../../src/analysis/render/render.ts';
import { desiredOf, desiredWith } from './policy-world.ts';

const OPEN = { conntrack: false };

/** Rules of the policy's chains, without the closing DROP. */
function rulesFor(rule: unknown, family: 'ipv4' | 'ipv6' = 'ipv4'): string[] {
  const text = renderIptables(desiredWith([rule]), OPEN)[family];
  const lines = text.split('\n').filter((line) => /^-A tortie-(e|mark)/.test(line));
  return lines.filter((line) => line !== '-A tortie-e1 -j DROP').map((line) => line.slice('-A '.length));
}

const IPV4_CASES: readonly { name: string; rule: unknown; expected: readonly string[] }[] = [
  { name: 'no condition', rule: { action: 'Deny' }, expected: [] },
  {
    name: 'one port of TCP',
    rule: { action: 'Allow', protocol: 'TCP', destination: { ports: [80] } },
    expected: ['tortie-e1 -p tcp -m tcp --dport 80 -j RETURN'],
  },
  {
    name: 'several ports',
    rule: { action: 'Allow', protocol: 'UDP', destination: { ports: [80, '90:95'] } },
    expected: ['tortie-e1 -p udp -m multiport --dports 80,90:95 -j RETURN'],
  },
  {
    name: 'ports of UDPLite',
    rule: { action: 'Allow', protocol: 'UDPLite', source: { ports: [7] } },
    expected: ['tortie-e1 -p udplite -m multiport --sports 7 -j RETURN'],
  },
  {
    name: 'more ports than a match holds',
    rule: {
      action: 'Allow',
      protocol: 'TCP',
      destination: { ports: Array.from({ length: 16 }, (_, index) => 2 * index + 1) },
    },
    expected: [
      'tortie-e1 -p tcp -m multiport --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29 -j RETURN',
      'tortie-e1 -p tcp -m tcp --dport 31 -j RETURN',
    ],
  },
  {
    name: 'ports without some of them',
    rule: { action: 'Allow', protocol: 'TCP', destination: { ports: ['80:90'], notPorts: [85] } },
    expected: ['tortie-e1 -p tcp -m multiport --dports 80:84,86:90 -j RETURN'],
  },
  {
    name: 'a negated port',
    rule: { action: 'Allow', protocol: 'TCP', destination: { notPorts: [85] } },
    expected: ['tortie-e1 -p tcp -m tcp ! --dport 85 -j RETURN'],
  },
  {
    name: 'several networks',
    rule: { action: 'Allow', destination: { nets: ['10.1.0.0/16', '10.2.0.0/16'] } },
    expected: ['tortie-e1 -d 10.1.0.0/16 -j RETURN', 'tortie-e1 -d 10.2.0.0/16 -j RETURN'],
  },
  {
    name: 'networks inside others',
    rule: { action: 'Allow', destination: { nets: ['10.1.0.0/16', '10.1.2.0/24'] } },
    expected: ['tortie-e1 -d 10.1.0.0/16 -j RETURN'],
  },
  {
    name: 'a negated network',
    rule: { action: 'Allow', destination: { notNets: ['10.1.0.0/16'] } },
    expected: ['tortie-e1 ! -d 10.1.0.0/16 -j RETURN'],
  },
  {
    name: 'a network without a part of it',
    rule: { action: 'Allow', destination: { nets: ['10.1.0.0/16'], notNets: ['10.1.2.0/24', '10.9.0.0/16'] } },
    expected: [
      'tortie-mark -j MARK --set-xmark 0x1/0x1',
      'tortie-e1 -d 10.1.0.0/16 -j tortie-e1-c1',
      'tortie-e1 -m mark --mark 0x1/0x1 -j RETURN',
      'tortie-e1-c1 -d 10.1.2.0/24 -j RETURN',
      'tortie-e1-c1 -g tortie-mark',
    ],
  },
  {
    name: 'two lists, of which each value is tried once',
    rule: {
      action: 'Deny',
      protocol: 'TCP',
      source: { ports: Array.from({ length: 16 }, (_, index) => 2 * index + 1) },
      destination: { nets: ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'] },
    },
    expected: [
      'tortie-e1 -p tcp -j tortie-e1-c1',
      'tortie-e1-c1 -p tcp -m multiport --sports 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29 -g tortie-e1-c2',
      'tortie-e1-c1 -p tcp -m tcp --sport 31 -g tortie-e1-c2',
      'tortie-e1-c2 -d 10.1.0.0/16 -j DROP',
      'tortie-e1-c2 -d 10.2.0.0/16 -j DROP',
      'tortie-e1-c2 -d 10.3.0.0/16 -j DROP',
    ],
  },
  {
    name: 'its own address as source',
    rule: { action: 'Allow', source: { nets: ['10.0.0.0/8'] }, protocol: 47 },
    expected: ['tortie-e1 -p 47 -j RETURN'],
  },
  {
    name: "another's address as source",
    rule: { action: 'Allow', source: { nets: ['11.0.0.0/8'] }, protocol: 47 },
    expected: [],
  },
  {
    name: 'its own named port as source',
    rule: { action: 'Allow', protocol: 'TCP', source: { ports: ['http'] } },
    expected: ['tortie-e1 -p tcp -m tcp --sport 8080 -j RETURN'],
  },
  {
    name: 'a named port of a peer',
    rule: { action: 'Allow', protocol: 'TCP', destination: { ports: ['http'] } },
    expected: ['tortie-e1 -p tcp -d 10.0.0.1/32 -m tcp --dport 8080 -j RETURN'],
  },
  {
    name: 'a type of ICMP',
    rule: { action: 'Allow', protocol: 'ICMP', icmp: { type: 8, code: 0 } },
    expected: ['tortie-e1 -p 1 -m icmp --icmp-type 8/0 -j RETURN'],
  },
  {
    name: 'a negated type',
    rule: { action: 'Allow', protocol: 'ICMP', notICMP: { type: 8 } },
    expected: ['tortie-e1 -p 1 -m icmp ! --icmp-type 8 -j RETURN'],
  },
  {
    name: 'a negated protocol',
    rule: { action: 'Allow', notProtocol: 'TCP' },
    expected: ['tortie-e1 ! -p tcp -j RETURN'],
  },
  { name: 'Log', rule: { action: 'Log' }, expected: ['tortie-e1 -j LOG --log-prefix "tortie gnp/rules "'] },
  { name: 'the other family only', rule: { action: 'Allow', ipVersion: 6 }, expected: [] },
];

describe('rules for iptables', () => {
  it.each(IPV4_CASES)('of $name', ({ rule, expected }) => {
    expect(rulesFor(rule)).toEqual(expected);
  });

  it('refuse protocol 0, which iptables takes for every protocol', () => {
    const origin = { object: 'gnp/rules', direction: 'egress', index: 2 } as const;
    const match: Match = { kind: 'protocol', protocols: [0], isNegated: true };
    expect(() => checkForIptables(4)(match, origin, [match])).toThrow(
      expect.objectContaining({ code: 'NOT_EXPRESSIBLE', field: 'egress rule 2: protocol', found: 'protocol 0' }),
    );
  });

  it('read the header where the match for ICMP would take a type for every type', () => {
    const matches: Match[] = [
      { kind: 'protocol', protocols: [1], isNegated: false },
      { kind: 'icmp', type: 255, isNegated: false },
    ];
    const forward = [{ matches, action: { kind: 'drop' } as const }];
    const text = iptablesText({ family: 4, forward, input: [], chains: [] });
    expect(text).toContain('-A FORWARD -p 1 -m u32 --u32 "0>>22&0x3C@0>>24=255" -j DROP');
  });

  it('compare ICMPv6 types in the other family', () => {
    const rule = { action: 'Deny', protocol: 'ICMPv6', icmp: { type: 128 } };
    expect(rulesFor(rule, 'ipv6')).toEqual(['tortie-e1 -p 58 -m icmp6 --icmpv6-type 128 -j DROP']);
  });

  it('leave an endpoint out that may send anything', () => {
    expect(renderIptables(desiredWith([{ action: 'Allow' }]), OPEN).ipv4).not.toContain('tortie-e1');
  });

  it('are none where no endpoint is', () => {
    expect(renderIptables(desiredOf([]), OPEN)).toEqual({ ipv4: '', ipv6: '' });
  });

  it('let known connections pass first when they are asked to', () => {
    const lines = renderIptables(desiredWith([]), { conntrack: true }).ipv4.split('\n');
    expect(lines.find((line) => line.startsWith('-A FORWARD'))).toBe(
      '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    );
  });

  it.each([
    { rule: { action: 'Deny', protocol: 1, icmp: { type: 8 } }, found: 'type 8' },
    { rule: { action: 'Deny', notICMP: { type: 3 } }, found: 'type 3' },
  ])('refuse $found of ICMP inside IPv6, naming the rule', ({ rule, found }) => {
    expect(() => renderIptables(desiredWith([{ action: 'Log' }, rule]), OPEN)).toThrow(
      expect.objectContaining({
        code: 'NOT_EXPRESSIBLE',
        target: 'gnp/rules',
        field: 'egress rule 1: icmp',
        found,
        file: 'test.yaml',
      }),
    );
  });
});
