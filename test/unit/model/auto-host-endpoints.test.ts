import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { CalcGraph } from '../../../src/calc/graph.ts';
import { formatAddress, parseAddress } from '../../../src/model/address.ts';
import { buildWorld, ModelStore } from '../../../src/model/build-world.ts';
import type { HostEndpoint } from '../../../src/model/endpoint.ts';
import { PROTOCOL } from '../../../src/model/flow.ts';
import type { HostInterface } from '../../../src/model/host-interfaces.ts';
import type { PathFlow } from '../../../src/model/path.ts';
import { ReferencePathEvaluator } from '../../../src/model/reference/path-evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TablePathEvaluator } from '../../../src/tables/path-evaluator.ts';

const CREATED_BY = { 'projectcalico.org/created-by': 'calico-kube-controllers' };

const node = (name: string, parts: { labels?: string; annotations?: string; addresses?: string } = {}): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {${parts.labels ?? ''}}, annotations: {${parts.annotations ?? ''}}}\nstatus: {addresses: [${parts.addresses ?? ''}]}`;
const internal = (address: string): string => `{type: InternalIP, address: "${address}"}`;
const plan = (hostEndpoint: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: KubeControllersConfiguration\nmetadata: {name: default}\nspec: {controllers: {node: {hostEndpoint: {${hostEndpoint}}}}}`;
const ENABLED = plan('autoCreate: Enabled');
const templates = (...written: readonly string[]): string =>
  plan(`autoCreate: Enabled, createDefaultHostEndpoint: Disabled, templates: [${written.map((one) => `{${one}}`)}]`);
const hep = (name: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: ${name}}\nspec: {node: n1, interfaceName: eth7}`;
const INTERFACES = `projectcalico.org/Interfaces: '${JSON.stringify([
  { name: 'eth0', addresses: ['192.0.2.1', '2001:db8::1'] },
  { name: 'eth1', addresses: ['198.51.100.1', '198.51.100.2'] },
  { name: 'tunl0', addresses: null },
])}'`;

function resourcesOf(...documents: readonly string[]): readonly Resource[] {
  const { resources, errors } = parseDocuments(documents.join('\n---\n'), 'f.yaml');
  expect(errors).toEqual([]);
  return resources;
}

function worldOf(...documents: readonly string[]): World {
  const { world, errors } = buildWorld(resourcesOf(...documents));
  expect(errors).toEqual([]);
  return world;
}

function endpointsOf(...documents: readonly string[]): HostEndpoint[] {
  return [...worldOf(...documents).hostEndpoints.values()];
}

/** `name interface addresses`. */
function shown(endpoints: readonly HostEndpoint[]): string[] {
  return endpoints.map(({ name, interfaceName, addresses }) =>
    [name, interfaceName || '-', ...addresses.map(formatAddress)].join(' '),
  );
}

describe('the endpoint of a node', () => {
  it('is for all interfaces, has its labels and internal addresses, and lets pass what no policy selects', () => {
    const addresses = `${internal('192.0.2.1')}, {type: ExternalIP, address: 203.0.113.9}, {type: Hostname, address: n1}`;
    const documents = [node('n1', { labels: 'zone: a', addresses }), ENABLED];
    expect(endpointsOf(...documents)).toEqual([
      {
        type: 'hostEndpoint',
        key: 'n1-auto-hep',
        name: 'n1-auto-hep',
        node: 'n1',
        interfaceName: '*',
        addresses: [parseAddress('192.0.2.1')],
        labels: { zone: 'a', ...CREATED_BY },
        profiles: ['projectcalico-default-allow'],
        ports: [],
        location: { file: 'f.yaml', line: 1 },
      },
    ]);
  });

  it('has the addresses that the node agent has noted, in its order, each once', () => {
    const annotations = `projectcalico.org/IPv4Address: 192.0.2.1/24, projectcalico.org/IPv6Address: "2001:DB8::1/64", projectcalico.org/IPv4IPIPTunnelAddr: 10.0.0.1, projectcalico.org/IPv4VXLANTunnelAddr: 10.0.0.2, projectcalico.org/IPv6WireguardInterfaceAddr: "fd00::3", ${INTERFACES}`;
    const addresses = [internal('192.0.2.1'), internal('192.0.2.200'), internal('no address')].join();
    expect(shown(endpointsOf(node('n1', { annotations, addresses }), ENABLED))).toEqual([
      'n1-auto-hep * 192.0.2.1 2001:db8::1 10.0.0.1 10.0.0.2 fd00::3 192.0.2.200 198.51.100.1 198.51.100.2',
    ]);
  });

  it.each([
    ['without a configuration', []],
    ['where it is not asked for', [plan('')]],
    ['where it is switched off', [plan('autoCreate: Disabled')]],
    ['where only those of templates are wanted', [plan('autoCreate: Enabled, createDefaultHostEndpoint: Disabled')]],
  ])('is not made %s', (_what, documents) => {
    expect(endpointsOf(node('n1', { addresses: internal('192.0.2.1') }), ...documents)).toEqual([]);
  });

  it('gives way to one of its name that is written', () => {
    expect(shown(endpointsOf(hep('n1-auto-hep'), node('n1'), node('n2'), ENABLED))).toEqual([
      'n1-auto-hep eth7',
      'n2-auto-hep *',
    ]);
  });

  it.each([
    ['INVALID_FIELD', '[eth0]'],
    ['INVALID_FIELD', '{}'],
    ['INVALID_FIELD', '[{"name":1}]'],
    ['INVALID_FIELD', '[{"name":"eth0","addresses":[1]}]'],
    ['LIMIT_EXCEEDED', JSON.stringify(Array.from({ length: 4097 }, (_, index) => ({ name: `e${index}` })))],
  ])('is left out with its node where the list of interfaces is refused: %s', (code, list) => {
    const annotations = `projectcalico.org/Interfaces: '${list}'`;
    const { world, errors } = buildWorld(resourcesOf(node('n1', { annotations }), node('n2'), ENABLED));
    expect([...world.hostEndpoints.keys()]).toEqual(['n2-auto-hep']);
    expect(errors).toMatchObject([
      { code, target: 'node n1', field: 'metadata.annotations["projectcalico.org/Interfaces"]' },
    ]);
  });
});

describe('templates of host endpoints', () => {
  const both = node('n1', { labels: 'zone: a, role: node', annotations: INTERFACES });

  it('make one for the addresses in their networks, with labels that go before those of the node', () => {
    const labels = 'labels: {zone: b, projectcalico.org/created-by: me}';
    const [endpoint, ...others] = endpointsOf(
      both,
      templates(`generateName: out, interfaceCIDRs: [198.51.100.2/31, "2001:db8::/32"], ${labels}`),
    );
    expect(others).toEqual([]);
    expect(shown(endpoint === undefined ? [] : [endpoint])).toEqual(['n1-out-auto-hep - 2001:db8::1 198.51.100.2']);
    expect(endpoint?.labels).toEqual({ zone: 'b', role: 'node', ...CREATED_BY });
  });

  it('make none where no address is in their networks', () => {
    expect(endpointsOf(both, templates('generateName: out, interfaceCIDRs: [10.0.0.0/8]'))).toEqual([]);
  });

  it('make one for each interface that their pattern describes', () => {
    expect(shown(endpointsOf(both, templates('generateName: t, interfacePattern: "eth1|tunl"')))).toEqual([
      'n1-t-eth1-auto-hep eth1 198.51.100.1 198.51.100.2',
      'n1-t-tunl0-auto-hep tunl0',
    ]);
  });

  it('expect addresses in their networks and those of the interface, where they have both', () => {
    const written = 'generateName: t, interfacePattern: "^eth0$", interfaceCIDRs: [198.51.100.1/32]';
    expect(shown(endpointsOf(both, templates(written)))).toEqual([
      'n1-t-eth0-auto-hep eth0 198.51.100.1 192.0.2.1 2001:db8::1',
    ]);
  });

  it('make none for interfaces where nobody has noted any, or with names that no endpoint may have', () => {
    const odd = 'projectcalico.org/Interfaces: \'[{"name":"a/b"}]\'';
    const nodes = [node('n1', { addresses: internal('192.0.2.1') }), node('n2', { annotations: odd })];
    expect(endpointsOf(...nodes, templates('generateName: t, interfacePattern: ".*"'))).toEqual([]);
  });

  it('are for the nodes that they select', () => {
    const written = 'generateName: t, interfacePattern: "^eth0$", nodeSelector: "zone == \'a\' && !has(constructor)"';
    const nodes = [both, node('n2', { labels: 'zone: b', annotations: INTERFACES })];
    expect(endpointsOf(...nodes, templates(written)).map(({ name }) => name)).toEqual(['n1-t-eth0-auto-hep']);
  });

  it('take the place of what comes before under the same name', () => {
    const all = 'interfaceCIDRs: [0.0.0.0/0]';
    const written = plan(
      `autoCreate: Enabled, templates: [{${all}}, {generateName: t, ${all}}, {generateName: t, interfaceCIDRs: [192.0.2.0/24]}]`,
    );
    expect(shown(endpointsOf(both, written))).toEqual([
      'n1-auto-hep - 192.0.2.1 198.51.100.1 198.51.100.2',
      'n1-t-auto-hep - 192.0.2.1',
    ]);
  });

  it('have names that are digests where they would be too long', () => {
    const long = `${'n'.repeat(60)}.${'m'.repeat(60)}`.padEnd(250, 'x');
    const [endpoint] = endpointsOf(node(long), ENABLED);
    const digest = createHash('sha256').update(`${long}-auto-hep`).digest('base64url').replace(/[-_]/g, '');
    expect(endpoint?.name).toBe(`${digest.toLowerCase()}-auto-hep`);
  });
});

describe('endpoints of nodes in a store', () => {
  const [n1, n2, enabled] = resourcesOf(node('n1'), node('n2'), ENABLED) as [Resource, Resource, Resource];
  const [labelled] = resourcesOf(node('n1', { labels: 'zone: a' })) as [Resource];
  const [written] = resourcesOf(hep('n1-auto-hep')) as [Resource];

  it('come with a node or with the configuration, whichever is last, and go with either', () => {
    const store = new ModelStore();
    const names = (): string[] => [...store.world.hostEndpoints.keys()].sort();
    expect(store.apply([n1]).changed).toEqual([]);
    expect(store.apply([enabled]).changed.map(({ key }) => key)).toEqual(['n1-auto-hep']);
    expect(store.apply([n2]).changed.map(({ key }) => key)).toEqual(['n2-auto-hep']);
    expect(store.apply([], [n1.id]).removed).toEqual([{ type: 'hostEndpoint', key: 'n1-auto-hep' }]);
    expect(names()).toEqual(['n2-auto-hep']);
    expect(store.apply([n1], [enabled.id]).removed).toEqual([{ type: 'hostEndpoint', key: 'n2-auto-hep' }]);
    expect(names()).toEqual([]);
    store.apply([enabled]);
    expect(names()).toEqual(['n1-auto-hep', 'n2-auto-hep']);
    store.apply(resourcesOf(plan('autoCreate: Disabled')));
    expect(names()).toEqual([]);
  });

  it('change alone where one node does, and not at all where nothing of them does', () => {
    const store = new ModelStore();
    store.apply([n1, n2, enabled]);
    expect(store.apply([labelled]).changed).toMatchObject([{ key: 'n1-auto-hep', labels: { zone: 'a' } }]);
    expect(store.apply([labelled, enabled])).toEqual({ changed: [], removed: [], errors: [] });
    expect(store.apply(resourcesOf(plan('autoCreate: Enabled, createDefaultHostEndpoint: Enabled'))).changed).toEqual(
      [],
    );
  });

  it('step back for a written one, and forward when it goes', () => {
    const store = new ModelStore();
    store.apply([n1, enabled]);
    expect(store.apply([written]).changed).toMatchObject([{ key: 'n1-auto-hep', interfaceName: 'eth7' }]);
    expect(store.apply([labelled]).changed).toEqual([]);
    expect(store.apply([], [written.id]).changed).toMatchObject([
      { key: 'n1-auto-hep', interfaceName: '*', labels: { zone: 'a' } },
    ]);
  });

  it('are those of the resources there are, whatever came and went before', () => {
    const byId = (text: string): Resource => resourcesOf(text)[0] as Resource;
    const pool = [
      ENABLED,
      plan('autoCreate: Disabled'),
      templates('generateName: t, interfacePattern: "eth|tun"', 'generateName: b-t, interfaceCIDRs: [192.0.2.0/24]'),
      // Of two nodes one has a template's endpoint under the name that the other has as well.
      plan('autoCreate: Enabled, templates: [{generateName: b, interfaceCIDRs: [0.0.0.0/0]}]'),
      node('a', { annotations: INTERFACES }),
      node('a', { labels: 'zone: a', addresses: internal('192.0.2.7') }),
      node('a-b', { annotations: INTERFACES }),
      hep('a-b-auto-hep'),
      hep('a-t-eth0-auto-hep'),
    ].map(byId);
    const step = fc.record({ index: fc.nat(pool.length - 1), isRemoved: fc.boolean() });
    const sorted = (world: World): HostEndpoint[] =>
      [...world.hostEndpoints.values()].sort((x, y) => (x.name < y.name ? -1 : 1));
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 8 }), (changes) => {
        const store = new ModelStore();
        const held = new Map<string, Resource>();
        const told = new Map<string, unknown>();
        for (const steps of changes) {
          const given = new Map(steps.map((each) => [(pool[each.index] as Resource).id, each]));
          const taken = [...given.values()]
            .filter(({ isRemoved }) => !isRemoved)
            .map(({ index }) => pool[index] as Resource);
          const gone = [...given].filter(([, { isRemoved }]) => isRemoved).map(([id]) => id);
          const { changed, removed } = store.apply(taken, gone);
          for (const id of gone) held.delete(id);
          for (const resource of taken) held.set(resource.id, resource);
          for (const { key } of removed) told.delete(key);
          for (const object of changed) told.set(object.key, object);
        }
        expect(sorted(store.world)).toEqual(sorted(buildWorld(held.values()).world));
        expect(new Map(store.world.hostEndpoints)).toEqual(told);
      }),
    );
  });

  it('reach the calculation with each change', () => {
    const store = new ModelStore();
    const graph = new CalcGraph(({ node: of }) => of === 'n1');
    const local = (...change: Parameters<ModelStore['apply']>): string[] => {
      const { changed, removed } = store.apply(...change);
      graph.apply(changed, removed);
      return [...graph.flush().hostEndpoints.keys()];
    };
    expect(local([n1, n2])).toEqual([]);
    expect(local([enabled])).toEqual(['hostEndpoint:n1-auto-hep']);
    expect(local([], [n1.id])).toEqual([]);
    expect(local([n1])).toEqual(['hostEndpoint:n1-auto-hep']);
    expect(local([], [enabled.id])).toEqual([]);
  });
});

describe('policy of endpoints of nodes', () => {
  const nodes = [
    node('n1', { labels: 'zone: a', addresses: internal('192.0.2.1') }),
    node('n2', { labels: 'zone: b', addresses: internal('192.0.2.2') }),
    ENABLED,
  ];
  const interfaces: readonly HostInterface[] = [{ name: 'eth0', kind: 'host', addresses: [addressOf('192.0.2.1')] }];
  const gnp = (spec: string): string =>
    `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {${spec}}`;

  function addressOf(text: string): NonNullable<ReturnType<typeof parseAddress>> {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(text);
    return address;
  }

  function packet(from: string, to: string, port: number): PathFlow {
    const [source, destination] = [addressOf(from), addressOf(to)];
    const parts = { protocol: PROTOCOL.TCP, sourcePort: 40000, destinationPort: port, icmpType: 0, icmpCode: 0 };
    const flow = { source, destination, ...parts };
    return to === '192.0.2.1'
      ? { flow, path: { kind: 'to-host', in: 'eth0' } }
      : { flow, path: { kind: 'from-host', out: 'eth0' } };
  }

  /** Verdicts of the reference evaluator, which are those of the tables. */
  function verdicts(documents: readonly string[], packets: readonly PathFlow[]): string[] {
    const whole = worldOf(...documents);
    const local = ({ node: of }: { readonly node: string }): boolean => of === 'n1';
    const desired = desiredStateOf(whole, 'n1');
    const compiler = new TableCompiler();
    const tables = new TablePathEvaluator(desired, interfaces, compiler, compiler.compile(desired));
    const reference = new ReferencePathEvaluator(whole, interfaces, local);
    return packets.map((each) => {
      const expected = reference.evaluatePath(each);
      expect(tables.evaluatePath(each)).toMatchObject({ verdict: expected.verdict });
      return expected.verdict;
    });
  }

  const PACKETS = [
    packet('198.51.100.7', '192.0.2.1', 80),
    packet('192.0.2.2', '192.0.2.1', 80),
    packet('198.51.100.7', '192.0.2.1', 22),
    packet('192.0.2.1', '198.51.100.7', 443),
  ];

  it('lets everything pass where there is none', () => {
    expect(verdicts(nodes, PACKETS)).toEqual(['allow', 'allow', 'allow', 'allow']);
  });

  it('counts where it selects them by a label of the node, as peers too; failsafe ports stay open', () => {
    const policy = gnp(`selector: "zone == 'a'", ingress: [{action: Allow, source: {selector: "zone == 'b'"}}]`);
    expect(verdicts([...nodes, policy], PACKETS)).toEqual(['deny', 'allow', 'allow', 'allow']);
  });

  it('does not count at the endpoints that it does not select', () => {
    const policy = gnp(`selector: "zone == 'b'", types: [Ingress, Egress]`);
    expect(verdicts([...nodes, policy], PACKETS)).toEqual(['allow', 'allow', 'allow', 'allow']);
  });

  it('selects all of them by who made them', () => {
    const policy = gnp(`selector: "projectcalico.org/created-by == 'calico-kube-controllers'", types: [Egress]`);
    expect(verdicts([...nodes, policy], PACKETS)).toEqual(['allow', 'allow', 'allow', 'deny']);
  });
});
