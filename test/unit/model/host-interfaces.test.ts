import { describe, expect, it } from 'vitest';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import type { HostEndpoint } from '../../../src/model/endpoint.ts';
import { endpointOfInterface, type HostInterface, resolveInterfaces } from '../../../src/model/host-interfaces.ts';
import { worldFrom } from '../../support/world-from.ts';

const address = (text: string): IpAddress => parseAddress(text) as IpAddress;

const INTERFACES: readonly HostInterface[] = [
  { name: 'eth0', kind: 'host', addresses: [address('192.0.2.1'), address('2001:db8::1')] },
  { name: 'eth1', kind: 'host', addresses: [address('192.0.2.2')] },
  { name: 'bond0', kind: 'host', addresses: [] },
  { name: 'cali1', kind: 'workload', addresses: [address('192.0.2.3')] },
  { name: 'lo', kind: 'loopback', addresses: [address('127.0.0.1')] },
];

function endpoints(specs: Readonly<Record<string, string>>): HostEndpoint[] {
  const texts = Object.entries(specs).map(
    ([name, spec]) =>
      `apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: ${name}}\nspec: {node: n1, ${spec}}`,
  );
  return [...worldFrom(texts.join('\n---\n')).hostEndpoints.values()];
}

interface Case {
  readonly name: string;
  readonly specs: Readonly<Record<string, string>>;
  readonly own: Readonly<Record<string, string>>;
  readonly any?: string;
  readonly unbound?: readonly string[];
  readonly shadowed?: Readonly<Record<string, readonly string[]>>;
}

const cases: readonly Case[] = [
  { name: 'an endpoint that names an interface', specs: { a: 'interfaceName: bond0' }, own: { bond0: 'a' } },
  {
    name: 'an endpoint by its addresses, of both families and on all interfaces that have one',
    specs: { a: 'expectedIPs: ["2001:DB8:0::1", 192.0.2.2]' },
    own: { eth0: 'a', eth1: 'a' },
  },
  {
    name: 'an endpoint with a name by its name only',
    specs: { a: 'interfaceName: eth7, expectedIPs: [192.0.2.1]' },
    own: {},
    unbound: ['a'],
  },
  {
    name: 'the first by name of several, whichever way they claim the interface',
    specs: { b: 'interfaceName: eth0', a: 'expectedIPs: [192.0.2.1]', c: 'interfaceName: eth0' },
    own: { eth0: 'a' },
    unbound: ['b', 'c'],
    shadowed: { eth0: ['b', 'c'] },
  },
  {
    name: 'names byte by byte',
    specs: { a1: 'interfaceName: eth0', 'a-1': 'interfaceName: eth0' },
    own: { eth0: 'a-1' },
    unbound: ['a1'],
    shadowed: { eth0: ['a1'] },
  },
  {
    name: 'every interface by one endpoint',
    specs: { all: 'interfaceName: "*"', a: 'interfaceName: eth0', also: 'interfaceName: "*"' },
    own: { eth0: 'a' },
    any: 'all',
    unbound: ['also'],
    shadowed: { '*': ['also'] },
  },
  {
    name: 'no interface of a workload, nor the loopback interface',
    specs: { a: 'interfaceName: cali1', b: 'expectedIPs: [192.0.2.3]', c: 'interfaceName: lo' },
    own: {},
    unbound: ['a', 'b', 'c'],
  },
];

describe('resolveInterfaces', () => {
  it.each(cases)('gives $name', ({ specs, own, any, unbound = [], shadowed = {} }) => {
    const resolved = resolveInterfaces(endpoints(specs), INTERFACES);
    expect(Object.fromEntries([...resolved.own].map(([name, endpoint]) => [name, endpoint.name]))).toEqual(own);
    expect(resolved.any?.name).toBe(any);
    expect(resolved.unbound.map(({ name }) => name)).toEqual(unbound);
    const overlaps = resolved.overlaps.map((overlap) => [
      overlap.interfaceName,
      overlap.shadowed.map(({ name }) => name),
    ]);
    expect(Object.fromEntries(overlaps)).toEqual(shadowed);
  });

  it('does not depend on the order of endpoints', () => {
    const all = endpoints({ b: 'interfaceName: eth0', a: 'expectedIPs: [192.0.2.1]', c: 'interfaceName: "*"' });
    const own = (order: readonly HostEndpoint[]): unknown => [...resolveInterfaces(order, INTERFACES).own];
    expect(own([...all].reverse())).toEqual(own(all));
  });

  it('leaves interfaces without one of their own, known or not, to `*`', () => {
    const resolved = resolveInterfaces(endpoints({ all: 'interfaceName: "*"', a: 'interfaceName: eth0' }), INTERFACES);
    const names = ['eth0', 'eth1', 'tun7'].map((name) => endpointOfInterface(resolved, name)?.name);
    expect(names).toEqual(['a', 'all', 'all']);
  });
});
