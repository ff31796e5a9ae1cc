import { describe, expect, it } from 'vitest';
import { EndpointBinder } from '../../../src/agent/endpoint-binder.ts';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { worldFrom } from '../../support/world-from.ts';

const endpoint = (name: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: shop, name: node-k8s-${name}-eth0}
spec: {node: node, orchestrator: k8s, pod: ${name}, endpoint: eth0, interfaceName: cali-${name}, ipNetworks: [10.0.0.1/32]}
`;
const link = (name: string, ifindex: number) => ({
  ifindex,
  name,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  up: true,
  kind: 'veth',
  peerMac: '',
  master: 0,
  lower: 0,
});
const linksOf = (...names: string[]) => new Map(names.map((name, index) => [name, link(name, 7 + index)]));

describe('EndpointBinder', () => {
  const desired = desiredStateOf(worldFrom(endpoint('web')), '*');

  it('gives the very same result while nothing changes', () => {
    const binder = new EndpointBinder();
    const links = linksOf('cali-web');
    const first = binder.bind(desired, links, new Map());
    expect(first.bindings.map(({ ifindex }) => ifindex)).toEqual([7]);
    expect(binder.bind(desired, links, new Map())).toBe(first);
  });

  it.each([
    ['interfaces', desired, linksOf('other', 'cali-web'), new Map<string, string>(), [8]],
    ['what was given by hand', desired, linksOf('cali-web', 'by-hand'), new Map([['shop/web', 'by-hand']]), [8]],
    ['endpoints', desiredStateOf(worldFrom(endpoint('db')), '*'), linksOf('cali-web'), new Map<string, string>(), []],
  ] as const)('follows a change of %s', (_, state, links, manual, ifindexes) => {
    const binder = new EndpointBinder();
    binder.bind(desired, linksOf('cali-web'), new Map());
    expect(binder.bind(state, links, manual).bindings.map(({ ifindex }) => ifindex)).toEqual(ifindexes);
  });
});
