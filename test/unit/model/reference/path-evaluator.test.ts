import { describe, expect, it } from 'vitest';
import { PROTOCOL } from '../../../../src/model/flow.ts';
import {
  ETH0,
  FORWARD,
  FROM_HOST,
  forwarded,
  fromHost,
  PRE_DNAT,
  rules,
  TO_HOST,
  toHost,
  UNTRACKED,
} from './host-cases.ts';
import { felix, gnp, HOST, inShort, judge, OUTSIDE, POD, tcp } from './hosts.ts';

describe('a packet to the host', () => {
  it.each(toHost)('$name', ({ manifests, path, expected }) => {
    expect(inShort(judge(manifests, tcp(path)))).toBe(expected);
  });

  it.each([
    ['preDNAT', PRE_DNAT],
    ['untracked', UNTRACKED],
  ])('is matched by %s policy by what it was sent to, and after DNAT by the destination it then has', (_, scope) => {
    const manifests = [
      ETH0,
      gnp(
        'd',
        `${scope}, ingress: [{action: Deny, protocol: TCP, destination: {nets: [203.0.113.1/32], ports: [80]}}]`,
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
    const manifests = [ETH0, gnp('p', `applyOnForward: true, ${rules('ingress', 'Deny')}`)];
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
