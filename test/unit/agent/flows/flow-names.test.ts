import { describe, expect, it } from 'vitest';
import { AgentFlowNames } from '../../../../src/agent/flows/flow-names.ts';
import { desiredStateOf } from '../../../../src/agent/offline.ts';
import type { DesiredState } from '../../../../src/calc/resolved.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import type { HostInterface, InterfaceKind } from '../../../../src/model/host-interfaces.ts';
import type { World } from '../../../../src/model/world.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import type { Resource } from '../../../../src/resources/resource.ts';
import { DEFAULT_TABLE_SIZES, TableCompiler } from '../../../../src/tables/compiler.ts';
import { worldFrom } from '../../../support/world-from.ts';

const NODE = 'here';
const address = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;

function at(name: string, texts: readonly string[], kind: InterfaceKind = 'host'): HostInterface {
  return { name, kind, addresses: texts.map(address) };
}

const hostEndpoint = (name: string, spec: object, node = NODE) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'HostEndpoint',
  metadata: { name, labels: { host: name } },
  spec: { node, ...spec },
});

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web' },
  spec: { nodeName: NODE, containers: [{ name: 'main' }] },
  status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }] },
};
const OFFICE = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkSet',
  metadata: { name: 'office' },
  spec: { nets: ['192.0.2.0/24'] },
};

class Scene {
  world: World = worldFrom('');
  desired: DesiredState = desiredStateOf(this.world, NODE);
  interfaces: readonly HostInterface[] = [];
  services: readonly Resource[] = [];
  serviceChanges = 0;
  readonly names = new AgentFlowNames({
    world: () => this.world,
    desired: () => this.desired,
    resources: () => this.services,
    serviceChanges: () => this.serviceChanges,
    compiler: new TableCompiler(DEFAULT_TABLE_SIZES),
    isLocal: ({ node }) => node === NODE,
    interfaces: () => this.interfaces,
  });

  put(...objects: readonly object[]): this {
    this.world = worldFrom(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    this.desired = desiredStateOf(this.world, NODE);
    return this;
  }

  /** `<type> <name>` of whoever has the address. */
  said(...texts: readonly string[]): (string | undefined)[] {
    return texts.map((text) => {
      const end = this.names.endAt(address(text));
      return end && `${end.type} ${end.name}`;
    });
  }
}

describe('names of ends of flows', () => {
  it('are those of workloads, of host endpoints by what they expect, and of network sets', () => {
    const scene = new Scene().put(
      POD,
      OFFICE,
      hostEndpoint('far', { interfaceName: 'eth0', expectedIPs: ['192.0.2.9'] }, 'there'),
    );
    expect(scene.names.renew()).toBe(true);
    expect(scene.said('10.0.0.1', '192.0.2.9', '192.0.2.10', '203.0.113.1')).toEqual([
      'wep web',
      'hep far',
      'ns office',
      undefined,
    ]);
    expect(scene.names.endAt(address('192.0.2.9'))).toMatchObject({ aggregatedName: 'there', isLocal: false });
  });

  it.each([
    ['by the name of the interface', { interfaceName: 'eth0' }, ['hep gate', 'hep gate', undefined]],
    ['for all interfaces', { interfaceName: '*' }, ['hep gate', 'hep gate', 'hep gate']],
    ['by one of its addresses', { expectedIPs: ['2001:db8::1'] }, ['hep gate', 'hep gate', undefined]],
  ])('have the host endpoint that is responsible %s', (_, spec, said) => {
    const scene = new Scene().put(hostEndpoint('gate', spec));
    scene.interfaces = [
      at('lo', ['127.0.0.1'], 'loopback'),
      at('eth0', ['192.0.2.1', '2001:db8::1']),
      at('eth1', ['198.51.100.1']),
      at('cali1', ['169.254.1.1'], 'workload'),
    ];
    scene.names.renew();
    expect(scene.said('192.0.2.1', '2001:db8::1', '198.51.100.1')).toEqual(said);
    expect(scene.said('127.0.0.1', '169.254.1.1')).toEqual([undefined, undefined]);
    expect(scene.names.endAt(address('192.0.2.1'))).toEqual({
      type: 'hep',
      namespace: '',
      name: 'gate',
      aggregatedName: NODE,
      labels: { host: 'gate' },
      isLocal: true,
    });
  });

  it('leave interfaces to endpoints of this host, and addresses to those whose they are', () => {
    const scene = new Scene().put(
      POD,
      OFFICE,
      hostEndpoint('far', { interfaceName: '*' }, 'there'),
      hostEndpoint('own', { interfaceName: 'eth0' }),
      hostEndpoint('any', { interfaceName: '*', expectedIPs: ['192.0.2.1', '192.0.2.3'] }),
    );
    scene.interfaces = [at('eth0', ['192.0.2.1', '10.0.0.1']), at('eth1', ['192.0.2.2'])];
    scene.names.renew();
    expect(scene.said('192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '10.0.0.1')).toEqual([
      'hep own',
      'hep any',
      'hep any',
      'ns office',
      'wep web',
    ]);
  });

  it('follow the addresses of the host, and are the same for as long as those are', () => {
    const scene = new Scene().put(hostEndpoint('gate', { interfaceName: 'eth0' }));
    scene.interfaces = [at('eth0', ['192.0.2.1'])];
    expect([scene.names.renew(), scene.names.renew()]).toEqual([true, false]);
    scene.interfaces = [at('eth0', ['192.0.2.2']), at('eth1', ['198.51.100.1'])];
    expect(scene.said('192.0.2.1', '192.0.2.2')).toEqual(['hep gate', undefined]);
    expect([scene.names.renew(), scene.names.renew()]).toEqual([true, false]);
    expect(scene.said('192.0.2.1', '192.0.2.2', '198.51.100.1')).toEqual([undefined, 'hep gate', undefined]);
    // Of no concern to any endpoint.
    scene.interfaces = [at('eth0', ['192.0.2.2']), at('eth1', ['198.51.100.2']), at('cali1', [], 'workload')];
    expect(scene.names.renew()).toBe(false);
    scene.put();
    expect(scene.names.renew()).toBe(true);
    expect(scene.said('192.0.2.2')).toEqual([undefined]);
  });

  it('know Services that come, change and go while nothing else is new', () => {
    const scene = new Scene().put(POD);
    const said = (): string | undefined => scene.names.serviceAt(address('10.96.0.10'), 6, 80)?.name;
    const say = (...services: readonly Resource[]): [boolean, boolean, string | undefined] => {
      scene.services = services;
      scene.serviceChanges += 1;
      return [scene.names.renew(), scene.names.renew(), said()];
    };
    expect([scene.names.renew(), said()]).toEqual([true, undefined]);
    expect(say(service('db'))).toEqual([true, false, 'db']);
    expect(say(service('cache'))).toEqual([true, false, 'cache']);
    // What is in force is another one: the same Services.
    expect([scene.put(OFFICE).names.renew(), said()]).toEqual([true, 'cache']);
    expect(say()).toEqual([true, false, undefined]);
  });
});

function service(name: string): Resource {
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'lab', name },
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }] },
  });
  return parseDocuments(text, 'services.yaml').resources[0] as Resource;
}
