import { describe, expect, it } from 'vitest';
import { findDifference } from '../../../../src/analysis/diff/difference.ts';
import { statesOf } from '../../../support/diff/states.ts';
import type { Manifest } from '../../../support/worlds/manifests.ts';

type Json = Record<string, unknown>;

const calico = (kind: string, metadata: Json, spec: Json): Manifest => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata,
  spec,
});

const pod = (name: string, address: string, ports: Json[] = []): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, labels: { app: name } },
  spec: { nodeName: 'node1', containers: [{ name: 'main', ports }] },
  status: { podIPs: [{ ip: address }] },
});

const slice = (port: number): Manifest => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: 'db', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.2'] }],
  ports: [{ protocol: 'TCP', port }],
});

const ENDPOINTS = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  pod('web', '10.0.0.1'),
  pod('db', '10.0.0.2', [{ name: 'sql', containerPort: 5432 }]),
];

/** A policy for all pods with one rule for sending; the rest of the way is open. */
const egress = (rule: Json, spec: Json = {}): Manifest =>
  calico('GlobalNetworkPolicy', { name: 'p' }, { types: ['Egress'], egress: [{ action: 'Allow', ...rule }], ...spec });
const to = (destination: Json, rule: Json = { protocol: 'TCP' }): Manifest => egress({ ...rule, destination });
const tier = (spec: Json): Manifest => calico('Tier', { name: 'first' }, spec);
const inFirst = calico('GlobalNetworkPolicy', { name: 'p' }, { tier: 'first', types: ['Egress'] });
const profile = (action: string): Manifest => calico('Profile', { name: 'kns.shop' }, { egress: [{ action }] });
const staged = calico('StagedGlobalNetworkPolicy', { name: 'p' }, { types: ['Egress'] });
const set = (nets: string[]): Manifest => calico('GlobalNetworkSet', { name: 's', labels: { role: 'far' } }, { nets });

function changes(before: readonly Manifest[], after: readonly Manifest[]): number {
  const states = statesOf([...ENDPOINTS, ...before], [...ENDPOINTS, ...after]);
  expect(states.flatMap(({ errors }) => errors)).toEqual([]);
  return findDifference(states).sentences.length;
}

describe('ListCatalog', () => {
  it.each<[string, Manifest[], Manifest[]]>([
    ['an action', [egress({ action: 'Allow' })], [egress({ action: 'Deny' })]],
    ['a protocol', [egress({ protocol: 'TCP' })], [egress({ protocol: 'UDP' })]],
    ['a protocol excluded', [egress({ notProtocol: 'TCP' })], [egress({ notProtocol: 'UDP' })]],
    ['a family', [egress({ ipVersion: 6 })], [egress({})]],
    [
      'an ICMP type',
      [egress({ protocol: 'ICMP', icmp: { type: 8 } })],
      [egress({ protocol: 'ICMP', icmp: { type: 0 } })],
    ],
    [
      'an ICMP code',
      [egress({ protocol: 'ICMP', icmp: { type: 3 } })],
      [egress({ protocol: 'ICMP', icmp: { type: 3, code: 4 } })],
    ],
    [
      'an ICMP type excluded',
      [egress({ protocol: 'ICMP', notICMP: { type: 8 } })],
      [egress({ protocol: 'ICMP', notICMP: { type: 0 } })],
    ],
    ['a prefix', [to({ nets: ['192.0.2.0/24'] })], [to({ nets: ['192.0.2.0/25'] })]],
    ['a prefix excluded', [to({ notNets: ['192.0.2.0/24'] })], [to({ notNets: ['192.0.2.0/25'] })]],
    ['a selector', [to({ selector: "app == 'db'" })], [to({ selector: 'all()' })]],
    ['a selector excluded', [to({ notSelector: "app == 'db'" })], [to({ notSelector: 'all()' })]],
    ['a port', [to({ ports: [80] })], [to({ ports: ['80:81'] })]],
    ['a port excluded', [to({ notPorts: [80] })], [to({ notPorts: [81] })]],
    [
      'a source port',
      [egress({ protocol: 'TCP', source: { ports: [80] } })],
      [egress({ protocol: 'TCP', source: { ports: [81] } })],
    ],
    [
      'a source port excluded',
      [egress({ protocol: 'TCP', source: { notPorts: [80] } })],
      [egress({ protocol: 'TCP', source: { notPorts: [81] } })],
    ],
    [
      'the sender of a rule',
      [egress({ source: { selector: "app == 'web'" } })],
      [egress({ source: { selector: 'all()' } })],
    ],
    [
      'what a service offers',
      [egress({ destination: { services: { name: 'db', namespace: 'shop' } } }), slice(1)],
      [egress({ destination: { services: { name: 'db', namespace: 'shop' } } }), slice(2)],
    ],
    [
      'a set of addresses',
      [to({ selector: "role == 'far'" }), set(['192.0.2.0/24'])],
      [to({ selector: "role == 'far'" }), set(['192.0.2.0/25'])],
    ],
    ['a default action', [tier({ defaultAction: 'Deny' }), inFirst], [tier({ defaultAction: 'Pass' }), inFirst]],
    ['a profile', [profile('Allow')], [profile('Deny')]],
    [
      'an order',
      [
        egress({ action: 'Deny' }, { order: 1 }),
        calico('GlobalNetworkPolicy', { name: 'q' }, { order: 2, types: ['Egress'], egress: [{ action: 'Allow' }] }),
      ],
      [
        egress({ action: 'Deny' }, { order: 3 }),
        calico('GlobalNetworkPolicy', { name: 'q' }, { order: 2, types: ['Egress'], egress: [{ action: 'Allow' }] }),
      ],
    ],
    ['who is selected', [egress({ action: 'Deny' }, { selector: "app == 'web'" })], [egress({ action: 'Deny' })]],
  ])('tells lists apart that differ in %s', (_, before, after) => {
    expect(changes(before, after)).toBeGreaterThan(0);
    expect(changes(after, before)).toBeGreaterThan(0);
  });

  it('tells lists apart that differ in what a port name means', () => {
    const named = to({ selector: "app == 'db'", ports: ['sql'] });
    const moved = ENDPOINTS.with(2, pod('db', '10.0.0.2', [{ name: 'sql', containerPort: 5433 }]));
    const { sentences } = findDifference(statesOf([...ENDPOINTS, named], [...moved, named]));
    expect(sentences.map(({ services, change }) => `${services} ${change.after}`)).toEqual([
      'TCP 5432 deny',
      'TCP 5433 allow',
    ]);
  });

  it.each<[string, Manifest[], Manifest[]]>([
    ['names', [egress({ protocol: 'TCP' })], [{ ...egress({ protocol: 'TCP' }), metadata: { name: 'other' } }]],
    [
      'rules that log',
      [egress({})],
      [
        calico(
          'GlobalNetworkPolicy',
          { name: 'p' },
          { types: ['Egress'], egress: [{ action: 'Log' }, { action: 'Allow' }] },
        ),
      ],
    ],
    ['staged policies', [], [staged]],
    [
      'sets that are spelled otherwise',
      [to({ nets: ['192.0.2.0/24'] })],
      [to({ nets: ['192.0.2.0/25', '192.0.2.128/25'] })],
    ],
  ])('finds no change in %s', (_, before, after) => {
    expect(changes(before, after)).toBe(0);
  });
});
