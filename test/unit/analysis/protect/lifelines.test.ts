import { describe, expect, it } from 'vitest';
import {
  cutLifelines,
  describeCut,
  type LifelineFacts,
  lifelinesOf,
} from '../../../../src/analysis/protect/lifelines.ts';
import type { HostInterface } from '../../../../src/model/host-interfaces.ts';
import type { World } from '../../../../src/model/world.ts';
import { address } from '../../../support/protect/observations.ts';
import { worldFrom } from '../../../support/world-from.ts';

const INTERFACES: readonly HostInterface[] = [
  { name: 'eth0', kind: 'host', addresses: ['192.0.2.1', '2001:db8::1', 'fe80::1'].map(address) },
  { name: 'eth1', kind: 'host', addresses: [address('10.0.0.1')] },
];
const CLIENT = address('198.51.100.7');
const FACTS: LifelineFacts = {
  interfaces: INTERFACES,
  sessions: [
    { what: 'your session', client: CLIENT, clientPort: 50_000, server: address('192.0.2.1'), serverPort: 2222 },
    {
      what: 'its session',
      client: address('2001:db8:7::7'),
      clientPort: 50_000,
      server: address('2001:db8::1'),
      serverPort: 22,
    },
  ],
  dhcp: [{ interfaceName: 'eth0', server: address('192.0.2.254') }],
  interfaceTo: () => 'eth0',
};
const LIFELINES = lifelinesOf(FACTS);

const ENDPOINT = {
  kind: 'HostEndpoint',
  metadata: { name: 'all', labels: { role: 'host' } },
  spec: { node: 'web-1', interfaceName: '*' },
};
const OPEN_SETTINGS = {
  kind: 'FelixConfiguration',
  metadata: { name: 'default' },
  spec: { failsafeInboundHostPorts: [], failsafeOutboundHostPorts: [] },
};
const policy = (spec: object, name = 'p'): object => ({
  kind: 'GlobalNetworkPolicy',
  metadata: { name },
  spec: { selector: "role == 'host'", ...spec },
});
const rule = (action: string, more: object = {}): object => ({ action, ...more });
const ALLOW_ALL = policy({ ingress: [rule('Allow')], egress: [rule('Allow')], types: ['Ingress', 'Egress'] }, 'open');

const worldOf = (objects: readonly object[]): World =>
  worldFrom(objects.map((one) => JSON.stringify({ apiVersion: 'projectcalico.org/v3', ...one })).join('\n---\n'));

/** What is cut. */
function cuts(objects: readonly object[], lifelines = LIFELINES): string[] {
  return cutLifelines(worldOf(objects), lifelines, INTERFACES, () => true).map(({ what }) => what);
}

const ALL = ['your session', 'its session', 'DHCP, which gives this machine its address'];

describe('lifelines', () => {
  it.each([
    ['no endpoint of the host', [policy({ ingress: [rule('Deny')] })], []],
    ['an endpoint of another interface only', [{ ...ENDPOINT, spec: { node: 'web-1', interfaceName: 'eth1' } }], []],
    ['an open policy', [ENDPOINT, OPEN_SETTINGS, ALLOW_ALL], []],
    ['no policy and no failsafe ports', [ENDPOINT, OPEN_SETTINGS], ALL],
    ['no policy: failsafe ports of SSH and DHCP stay open', [ENDPOINT], ['your session']],
    [
      'one port of SSH, and answers by themselves',
      [
        ENDPOINT,
        policy({
          types: ['Ingress', 'Egress'],
          ingress: [rule('Allow', { protocol: 'TCP', destination: { ports: [2222] } })],
        }),
      ],
      [],
    ],
    [
      'a deny of the client before that',
      [ENDPOINT, ALLOW_ALL, policy({ order: 1, ingress: [rule('Deny', { source: { nets: ['198.51.100.0/24'] } })] })],
      ['your session'],
    ],
    [
      'a rule without connections that lets SSH in and answers not out',
      [
        ENDPOINT,
        policy(
          { types: ['Ingress', 'Egress'], ingress: [rule('Allow')], egress: [rule('Allow', { protocol: 'UDP' })] },
          'q',
        ),
        policy({
          doNotTrack: true,
          applyOnForward: true,
          ingress: [rule('Allow', { protocol: 'TCP', destination: { ports: [2222] } })],
        }),
      ],
      ['your session'],
    ],
    [
      'a rule without connections that drops the answers',
      [
        ENDPOINT,
        ALLOW_ALL,
        policy({
          doNotTrack: true,
          applyOnForward: true,
          types: ['Egress'],
          egress: [rule('Deny', { protocol: 'TCP', source: { ports: [2222] } })],
        }),
      ],
      ['your session'],
    ],
    [
      'a deny of what is before translation',
      [
        ENDPOINT,
        ALLOW_ALL,
        policy({ preDNAT: true, applyOnForward: true, ingress: [rule('Deny', { protocol: 'TCP' })] }),
      ],
      ['your session'],
    ],
  ])('are found where they are cut: %s', (_name, objects, expected) => {
    expect(cuts(objects)).toEqual(expected);
  });

  it('are those of sessions from workloads too, by their own policy', () => {
    const interfaces = [...INTERFACES, { name: 'cali1', kind: 'workload' as const, addresses: [] }];
    const session = {
      what: 'its session',
      client: address('10.65.0.2'),
      clientPort: 50_000,
      server: address('10.0.0.1'),
      serverPort: 22,
    };
    const lifelines = lifelinesOf({ interfaces, sessions: [session], dhcp: [], interfaceTo: () => 'cali1' });
    const workload = {
      kind: 'WorkloadEndpoint',
      metadata: { name: 'n-k8s-p-eth0', namespace: 'a', labels: { app: 'p' } },
      spec: {
        node: 'n',
        orchestrator: 'k8s',
        pod: 'p',
        endpoint: 'eth0',
        interfaceName: 'cali1',
        ipNetworks: ['10.65.0.2/32'],
        profiles: ['projectcalico-default-allow'],
      },
    };
    const found = (...more: readonly object[]): string[] =>
      cutLifelines(worldOf([ENDPOINT, workload, ...more]), lifelines, interfaces, () => true).map(({ what }) => what);
    expect(found()).toEqual([]);
    expect(found(policy({ selector: "app == 'p'", types: ['Egress'], egress: [rule('Deny')] }))).toEqual([
      'its session',
    ]);
  });

  it('are said with the packet, the rule and its place', () => {
    const objects = [
      ENDPOINT,
      ALLOW_ALL,
      policy({ order: 1, ingress: [rule('Deny', { protocol: 'TCP', destination: { ports: [2222] } })] }),
    ];
    const [cut] = cutLifelines(worldOf(objects), LIFELINES, INTERFACES, () => true);
    expect(cut && describeCut(cut)).toMatch(
      /^TCP 198\.51\.100\.7:50000 to 192\.0\.2\.1:2222 in by eth0, denied by default\|gnp:p\|deny\|0 \(.*:\d+\)$/,
    );
  });

  it('are those of this host: another one may cut what it likes', () => {
    expect(
      cutLifelines(worldOf([ENDPOINT, OPEN_SETTINGS]), LIFELINES, INTERFACES, ({ node }) => node === 'db-1'),
    ).toEqual([]);
  });

  it('follow the route to the client, or the address that it came to', () => {
    const sessions = FACTS.sessions.slice(0, 1);
    const wayOf = (interfaceTo: LifelineFacts['interfaceTo']): unknown =>
      lifelinesOf({ ...FACTS, sessions, dhcp: [], interfaceTo })[0]?.packet.path;
    expect(wayOf(() => 'eth1')).toEqual({ kind: 'to-host', in: 'eth1' });
    expect(wayOf(() => undefined)).toEqual({ kind: 'to-host', in: 'eth0' });
  });
});
