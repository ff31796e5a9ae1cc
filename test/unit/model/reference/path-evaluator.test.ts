import { describe, expect, it } from 'vitest';
import { PROTOCOL } from '../../../../src/model/flow.ts';
import type { Path } from '../../../../src/model/path.ts';
import { felix, gnp, HOST, hep, inShort, judge, OUTSIDE, POD, POD_MANIFEST, tcp } from './hosts.ts';

const TO_HOST: Path = { kind: 'to-host', in: 'eth0' };
const FROM_HOST: Path = { kind: 'from-host', out: 'eth0' };
const FORWARD: Path = { kind: 'forward', in: 'eth0', out: 'eth1' };
const ETH0 = hep('eth0', 'interfaceName: eth0');
const ETH1 = hep('eth1', 'interfaceName: eth1');
const ANY = hep('any', 'interfaceName: "*"');

const UNTRACKED = 'doNotTrack: true, applyOnForward: true';
const PRE_DNAT = 'preDNAT: true, applyOnForward: true';
const FORWARDED = 'applyOnForward: true';
const rules = (direction: string, action: string): string => `${direction}: [{action: ${action}}]`;

interface Case {
  readonly name: string;
  readonly manifests: readonly string[];
  readonly path: Path;
  readonly expected: string;
}

const toHost: readonly Case[] = [
  { name: 'without a host endpoint', manifests: [], path: TO_HOST, expected: 'allow' },
  {
    name: 'with nothing but an endpoint',
    manifests: [ETH0],
    path: TO_HOST,
    expected: 'deny, normal ingress eth0 deny',
  },
  {
    name: 'that a profile allows',
    manifests: [hep('eth0', 'interfaceName: eth0, profiles: [projectcalico-default-allow]')],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that policy allows',
    manifests: [ETH0, gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that policy for forwarded traffic allows as well',
    manifests: [ETH0, gnp('p', `${FORWARDED}, ${rules('ingress', 'Allow')}`)],
    path: TO_HOST,
    expected: 'allow, normal ingress eth0 allow',
  },
  {
    name: 'that untracked policy allows',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Allow')}`),
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 allow',
  },
  {
    name: 'that untracked policy denies',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`), gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'deny, untracked ingress eth0 deny',
  },
  {
    name: 'about which untracked policy says nothing',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ingress: [{action: Deny, protocol: UDP}]`),
      gnp('p', rules('ingress', 'Allow')),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 next, normal ingress eth0 allow',
  },
  {
    name: 'that policy before DNAT allows',
    manifests: [ETH0, gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Allow')}`), gnp('p', rules('ingress', 'Deny'))],
    path: TO_HOST,
    expected: 'allow, preDnat ingress eth0 allow',
  },
  {
    name: 'that policy before DNAT denies',
    manifests: [ETH0, gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`), gnp('p', rules('ingress', 'Allow'))],
    path: TO_HOST,
    expected: 'deny, preDnat ingress eth0 deny',
  },
  {
    name: 'about which neither of them says anything',
    manifests: [
      ETH0,
      gnp('u', `${UNTRACKED}, ingress: [{action: Pass}]`),
      gnp('d', `${PRE_DNAT}, types: [Ingress]`),
      gnp('p', rules('ingress', 'Allow')),
    ],
    path: TO_HOST,
    expected: 'allow, untracked ingress eth0 next, preDnat ingress eth0 next, normal ingress eth0 allow',
  },
  {
    name: 'on an interface of `*` without one of its own',
    manifests: [ANY],
    path: { kind: 'to-host', in: 'eth1' },
    expected: 'deny, normal ingress any deny',
  },
  {
    name: 'on an interface that nobody has heard of',
    manifests: [ANY],
    path: { kind: 'to-host', in: 'tun7' },
    expected: 'deny, normal ingress any deny',
  },
  {
    name: 'on an interface whose own endpoint hides `*` from every list',
    manifests: [
      ETH0,
      ANY,
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`).replace('hep == "true"', 'name == "any"'),
    ],
    path: TO_HOST,
    expected: 'deny, normal ingress eth0 deny',
  },
  {
    name: 'on an interface that an endpoint has by its address',
    manifests: [hep('by-address', `expectedIPs: [${HOST}]`)],
    path: TO_HOST,
    expected: 'deny, normal ingress by-address deny',
  },
  {
    name: 'on an interface that an endpoint with another interface has the address of',
    manifests: [hep('elsewhere', `interfaceName: eth1, expectedIPs: [${HOST}]`)],
    path: TO_HOST,
    expected: 'allow',
  },
  {
    name: 'on the loopback interface',
    manifests: [ANY, hep('lo', 'interfaceName: lo')],
    path: { kind: 'to-host', in: 'lo' },
    expected: 'allow',
  },
];

const fromHost: readonly Case[] = [
  { name: 'without a host endpoint', manifests: [], path: FROM_HOST, expected: 'allow' },
  {
    name: 'with nothing but an endpoint',
    manifests: [ETH0],
    path: FROM_HOST,
    expected: 'deny, normal egress eth0 deny',
  },
  {
    name: 'that untracked policy allows',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('egress', 'Allow')}`)],
    path: FROM_HOST,
    expected: 'allow, untracked egress eth0 allow',
  },
  {
    name: 'that untracked policy denies',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('egress', 'Deny')}`), gnp('p', rules('egress', 'Allow'))],
    path: FROM_HOST,
    expected: 'deny, untracked egress eth0 deny',
  },
  {
    name: 'that no untracked policy of this direction is about',
    manifests: [ETH0, gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`), gnp('p', rules('egress', 'Allow'))],
    path: FROM_HOST,
    expected: 'allow, untracked egress eth0 next, normal egress eth0 allow',
  },
  { name: 'to its own workload', manifests: [ANY], path: { kind: 'from-host', out: 'cali1' }, expected: 'allow' },
  { name: 'on the loopback interface', manifests: [ANY], path: { kind: 'from-host', out: 'lo' }, expected: 'allow' },
];

const forwarded: readonly Case[] = [
  {
    name: 'past endpoints without policy for it',
    manifests: [ETH0, ETH1, gnp('p', rules('ingress', 'Deny'))],
    path: FORWARD,
    expected: 'allow',
  },
  {
    name: 'that policy of the first interface denies',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, ${rules('ingress', 'Deny')}`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 deny',
  },
  {
    name: 'that no rule of the first interface allows',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, types: [Ingress]`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 deny',
  },
  {
    name: 'that policy of the second interface denies',
    manifests: [ETH0, ETH1, gnp('p', `${FORWARDED}, ${rules('egress', 'Deny')}`)],
    path: FORWARD,
    expected: 'deny, forward ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'that every tier passes on',
    manifests: [ETH0, gnp('p', `${FORWARDED}, ${rules('ingress', 'Pass')}`)],
    path: FORWARD,
    expected: 'allow, forward ingress eth0 allow',
  },
  {
    name: 'that was allowed before DNAT, past the first interface only',
    manifests: [
      ETH0,
      ETH1,
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Allow')}`),
      gnp('p', `${FORWARDED}, ${rules('ingress', 'Deny')}, egress: [{action: Deny}]`),
    ],
    path: FORWARD,
    expected: 'deny, preDnat ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'that was allowed untracked, past the first interface only',
    manifests: [
      ETH0,
      ETH1,
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Allow')}`),
      gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`),
      gnp('p', `${FORWARDED}, ${rules('egress', 'Deny')}`),
    ],
    path: FORWARD,
    expected: 'deny, untracked ingress eth0 allow, forward egress eth1 deny',
  },
  {
    name: 'to a workload, past `*` and its own policy',
    manifests: [POD_MANIFEST, ANY, gnp('p', `${FORWARDED}, ${rules('egress', 'Allow')}`)],
    path: { kind: 'forward', in: 'eth0', out: 'cali1' },
    expected: 'allow, forward ingress any allow, forward egress any allow, ingress ingress default/w allow',
  },
  {
    name: 'from a workload, its own policy first, then `*` in the place of an endpoint of the interface',
    manifests: [
      POD_MANIFEST,
      ANY,
      ETH1,
      gnp('d', `${PRE_DNAT}, ingress: [{action: Pass}]`),
      gnp('p', `${FORWARDED}, ${rules('ingress', 'Allow')}, egress: [{action: Allow}]`),
      gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}`),
    ],
    path: { kind: 'forward', in: 'cali1', out: 'eth1' },
    expected:
      'allow, egress egress default/w allow, preDnat ingress any next, forward ingress any allow, forward egress eth1 allow',
  },
];

describe('a packet to the host', () => {
  it.each(toHost)('$name', ({ manifests, path, expected }) => {
    expect(inShort(judge(manifests, tcp(path)))).toBe(expected);
  });

  it('is matched before DNAT by its destination there, and after it by the one it then has', () => {
    const manifests = [
      ETH0,
      gnp(
        'd',
        `${PRE_DNAT}, ingress: [{action: Deny, protocol: TCP, destination: {nets: [203.0.113.1/32], ports: [80]}}]`,
      ),
      gnp('p', 'ingress: [{action: Allow, protocol: TCP, destination: {ports: [8055]}}]'),
    ];
    const sentTo = (address: string, port: number): string =>
      judge(manifests, tcp(TO_HOST, { sentTo: { address, port } })).verdict;
    expect([sentTo('203.0.113.1', 80), sentTo('203.0.113.1', 81), sentTo('203.0.113.2', 80)]).toEqual([
      'deny',
      'allow',
      'allow',
    ]);
    expect(judge(manifests, tcp(TO_HOST, { port: 80, sentTo: { address: HOST, port: 8055 } })).verdict).toBe('deny');
  });

  it('passes before policy when a link needs it to find its neighbours', () => {
    const packet = tcp(TO_HOST, { from: 'fe80::1', to: 'fe80::2', protocol: PROTOCOL.ICMPV6 });
    const solicitation = { ...packet, flow: { ...packet.flow, icmpType: 135, sourcePort: 0, destinationPort: 0 } };
    expect(inShort(judge([ETH0], solicitation))).toBe('allow');
    expect(judge([ETH0], { ...packet, flow: { ...packet.flow, icmpType: 128 } }).verdict).toBe('deny');
  });
});

describe('a packet from the host', () => {
  it.each(fromHost)('$name', ({ manifests, path, expected }) => {
    expect(inShort(judge(manifests, tcp(path, { from: HOST, to: OUTSIDE })))).toBe(expected);
  });
});

describe('a forwarded packet', () => {
  it.each(forwarded)('$name', ({ manifests, path, expected }) => {
    const isFromPod = path.kind === 'forward' && path.in === 'cali1';
    const ends = isFromPod ? { from: POD, to: OUTSIDE } : { from: OUTSIDE, to: POD };
    expect(inShort(judge(manifests, tcp(path, ends)))).toBe(expected);
  });

  it('knows no failsafe ports', () => {
    const manifests = [ETH0, gnp('p', `${FORWARDED}, ${rules('ingress', 'Deny')}`)];
    expect(judge(manifests, tcp(FORWARD, { to: POD, port: 22 })).verdict).toBe('deny');
  });
});

describe('failsafe ports', () => {
  const DENY_ALL = [
    ETH0,
    gnp('u', `${UNTRACKED}, ${rules('ingress', 'Deny')}, egress: [{action: Deny}]`),
    gnp('d', `${PRE_DNAT}, ${rules('ingress', 'Deny')}`),
  ];

  it.each([
    ['SSH comes in', TO_HOST, { port: 22 }, 'allow'],
    ['SSH does not go out', FROM_HOST, { port: 22, from: HOST, to: OUTSIDE }, 'deny'],
    [
      'replies of SSH go out where no connections are kept',
      FROM_HOST,
      { port: 40000, sourcePort: 22, from: HOST, to: OUTSIDE },
      'next',
    ],
    ['DNS goes out', FROM_HOST, { port: 53, protocol: PROTOCOL.UDP, from: HOST, to: OUTSIDE }, 'allow'],
    ['DNS over TCP does not', FROM_HOST, { port: 53, from: HOST, to: OUTSIDE }, 'deny'],
    [
      'answers of DNS come in where no connections are kept',
      TO_HOST,
      { port: 40000, sourcePort: 53, protocol: PROTOCOL.UDP },
      'next',
    ],
    ['DHCP comes in', TO_HOST, { port: 68, protocol: PROTOCOL.UDP }, 'allow'],
    ['anything else does not', TO_HOST, { port: 23 }, 'deny'],
  ] as const)('%s', (_name, path, parts, expected) => {
    const { verdict, stages } = judge(DENY_ALL, tcp(path, parts));
    const untracked = stages.find(({ stage }) => stage === 'untracked');
    if (expected === 'next') expect([verdict, untracked?.verdict]).toEqual(['deny', 'next']);
    else expect(verdict).toBe(expected);
  });

  it('are those of the settings, for their networks, and none where the settings say so', () => {
    const narrow = felix(
      'failsafeInboundHostPorts: [{protocol: tcp, port: 2222, net: 198.51.100.0/24}], failsafeOutboundHostPorts: none',
    );
    const verdict = (manifest: string, parts: Parameters<typeof tcp>[1]): string =>
      judge([...DENY_ALL, manifest], tcp(TO_HOST, parts)).verdict;
    expect(verdict(narrow, { port: 2222 })).toBe('allow');
    expect(verdict(narrow, { port: 2222, from: '203.0.113.1' })).toBe('deny');
    expect(verdict(narrow, { port: 22 })).toBe('deny');
    expect(verdict(felix('failsafeInboundHostPorts: []'), { port: 22 })).toBe('deny');
    expect(verdict(felix('failsafeInboundHostPorts: "udp:[2001:db8::/32]:53,198.51.100.7:22"'), { port: 22 })).toBe(
      'allow',
    );
    const { verdict: dns } = judge(
      [...DENY_ALL, narrow],
      tcp(FROM_HOST, { port: 53, protocol: PROTOCOL.UDP, from: HOST, to: OUTSIDE }),
    );
    expect(dns).toBe('deny');
  });

  it('show in the trace as what they are', () => {
    const { stages } = judge(DENY_ALL, tcp(TO_HOST, { port: 22 }));
    expect(stages.map(({ stage, trace }) => [stage, trace[0]?.tier, trace[0]?.name, trace[0]?.action])).toEqual([
      ['untracked', '__FAILSAFE__', 'inbound', 'pass'],
      ['preDnat', '__FAILSAFE__', 'inbound', 'pass'],
      ['normal', '__FAILSAFE__', 'inbound', 'allow'],
    ]);
  });
});
