// Manifests with host endpoints, and what lint says of them.
import type { LintMachine } from '../../../../src/analysis/lint/context.ts';
import { type IpAddress, parseAddress } from '../../../../src/model/address.ts';

const hep = (name: string, spec: string, node = 'n1'): string =>
  `apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: ${name}, labels: {hep: ${name}}}\nspec: {node: ${node}, ${spec}}`;
const gnp = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ${name}}\nspec: {${spec}}`;
const node = (name: string, address: string): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {addresses: [{type: InternalIP, address: "${address}"}, {type: Hostname, address: ${name}}]}`;
const withInterfaces = (name: string, ...interfaces: readonly string[]): string => {
  const noted = JSON.stringify(interfaces.map((each) => ({ name: each, addresses: ['172.17.0.1'] })));
  return `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {name: ${name}}, annotations: {projectcalico.org/Interfaces: '${noted}'}}`;
};
const automatic = (...templates: readonly string[]): string =>
  `apiVersion: projectcalico.org/v3\nkind: KubeControllersConfiguration\nmetadata: {name: default}\nspec: {controllers: {node: {hostEndpoint: {autoCreate: Enabled, templates: [${templates.map((one) => `{${one}}`)}]}}}}`;
const TEMPLATE = 'kubecontrollersconfiguration/default spec.controllers.node.hostEndpoint.templates';
const UNTRACKED = 'doNotTrack: true, applyOnForward: true';
const BOTH_WAYS = 'ingress: [{action: Allow, protocol: UDP}], egress: [{action: Allow, protocol: UDP}]';

const MACHINE: LintMachine = {
  node: 'n1',
  interfaces: [
    { name: 'eth0', kind: 'host', addresses: [parseAddress('192.0.2.1') as IpAddress] },
    { name: 'eth1', kind: 'host', addresses: [] },
    { name: 'cali1', kind: 'workload', addresses: [] },
  ],
};

interface HostCase {
  readonly name: string;
  readonly documents: readonly string[];
  readonly machine?: LintMachine;
  readonly expected: readonly string[];
}

export const HOST_CASES: readonly HostCase[] = [
  {
    name: 'endpoints of different interfaces',
    documents: [
      hep('a', 'interfaceName: eth0'),
      hep('b', 'interfaceName: eth1'),
      hep('c', 'interfaceName: eth0', 'n2'),
    ],
    expected: [],
  },
  {
    name: 'two endpoints of one interface',
    documents: [hep('b', 'interfaceName: eth0'), hep('a', 'interfaceName: eth0')],
    expected: ['host-endpoints-overlap hostendpoint/b spec.interfaceName'],
  },
  {
    name: 'two endpoints of every interface',
    documents: [hep('a', 'interfaceName: "*"'), hep('b', 'interfaceName: "*"')],
    expected: ['host-endpoints-overlap hostendpoint/b spec.interfaceName'],
  },
  {
    name: 'two endpoints with one address',
    documents: [hep('a', 'expectedIPs: [192.0.2.1]'), hep('b', 'expectedIPs: [192.0.2.2, 192.0.2.1]')],
    expected: ['host-endpoints-overlap hostendpoint/b spec.expectedIPs'],
  },
  {
    name: 'an endpoint by name and one by address, as far as interfaces are known',
    documents: [hep('a', 'interfaceName: eth0'), hep('b', 'expectedIPs: [192.0.2.1]')],
    machine: MACHINE,
    expected: ['host-endpoints-overlap hostendpoint/b spec.expectedIPs'],
  },
  {
    name: 'endpoints that no interface has, of this node only',
    documents: [
      hep('a', 'interfaceName: eth7'),
      hep('b', 'expectedIPs: [192.0.2.9]'),
      hep('c', 'interfaceName: cali1'),
      hep('d', 'interfaceName: eth7', 'n2'),
    ],
    machine: MACHINE,
    expected: [
      'host-endpoint-unbound hostendpoint/a spec.interfaceName',
      'host-endpoint-unbound hostendpoint/b spec.expectedIPs',
      'host-endpoint-unbound hostendpoint/c spec.interfaceName',
    ],
  },
  {
    name: 'an endpoint of an interface without an address',
    documents: [hep('a', 'interfaceName: eth1'), hep('b', 'interfaceName: eth0')],
    machine: MACHINE,
    expected: ['host-interface-without-address hostendpoint/a spec.interfaceName'],
  },
  {
    name: 'an address that another node has',
    documents: [
      node('n1', '192.0.2.1'),
      node('n2', '2001:db8::0:2'),
      hep('a', 'expectedIPs: [192.0.2.1, "2001:db8::2"]'),
    ],
    expected: ['expected-address-elsewhere hostendpoint/a spec.expectedIPs[1]'],
  },
  {
    name: 'an address that an endpoint of another node has',
    documents: [
      hep('a', 'interfaceName: eth0, expectedIPs: [192.0.2.1]'),
      hep('b', 'interfaceName: eth0, expectedIPs: [192.0.2.1]', 'n2'),
    ],
    expected: [
      'expected-address-elsewhere hostendpoint/a spec.expectedIPs[0]',
      'expected-address-elsewhere hostendpoint/b spec.expectedIPs[0]',
    ],
  },
  {
    name: 'endpoints of nodes, with bridges that have the same address everywhere',
    documents: [
      withInterfaces('n1', 'eth0', 'docker0'),
      withInterfaces('n2', 'eth0', 'docker0'),
      automatic('generateName: t, interfacePattern: eth'),
      hep('own', 'expectedIPs: [172.17.0.1]', 'n3'),
    ],
    expected: [],
  },
  {
    name: 'an endpoint of a node that a written one is in the way of, and the other way round',
    documents: [
      node('n1', '192.0.2.1'),
      node('n2', '192.0.2.2'),
      automatic(),
      hep('all', 'interfaceName: "*"'),
      hep('other', 'interfaceName: "*"', 'n2'),
    ],
    expected: ['host-endpoints-overlap node/n1', 'host-endpoints-overlap hostendpoint/other spec.interfaceName'],
  },
  {
    name: 'templates that make nothing for nodes that they select',
    documents: [
      withInterfaces('n1', 'eth0'),
      node('n2', '192.0.2.2'),
      automatic(
        'generateName: a, interfacePattern: ens',
        'generateName: b, interfaceCIDRs: [192.0.2.0/24, 172.17.0.0/16]',
        'generateName: c, interfaceCIDRs: [192.0.2.0/24]',
        'generateName: d, interfacePattern: eth, nodeSelector: has(name)',
      ),
    ],
    expected: [
      `host-endpoint-template-idle ${TEMPLATE}[0].interfacePattern`,
      `host-endpoint-template-idle ${TEMPLATE}[0].interfacePattern`,
      `host-endpoint-template-idle ${TEMPLATE}[2].interfaceCIDRs`,
      'host-endpoints-overlap node/n2',
    ],
  },
  {
    name: 'a template whose addresses no interface of the machine has',
    documents: [node('n1', '192.0.2.9'), automatic('generateName: t, interfaceCIDRs: [192.0.2.0/24]')],
    machine: MACHINE,
    expected: ['host-endpoint-unbound node/n1'],
  },
  {
    name: 'untracked policy that allows both ways',
    documents: [hep('a', 'interfaceName: eth0'), gnp('u', `${UNTRACKED}, ${BOTH_WAYS}`)],
    expected: [],
  },
  {
    name: 'untracked policies that answer each other',
    documents: [
      hep('a', 'interfaceName: eth0'),
      gnp('in', `${UNTRACKED}, ingress: [{action: Allow, protocol: UDP}]`),
      gnp('out', `${UNTRACKED}, egress: [{action: Allow, protocol: TCP}]`),
    ],
    expected: [],
  },
  {
    name: 'untracked policy that only denies',
    documents: [
      hep('a', 'interfaceName: eth0'),
      gnp('u', `${UNTRACKED}, ingress: [{action: Deny, source: {nets: [203.0.113.0/24]}}]`),
    ],
    expected: [],
  },
  {
    name: 'untracked policy without the other way',
    documents: [hep('a', 'interfaceName: eth0'), gnp('u', `${UNTRACKED}, ingress: [{action: Allow, protocol: UDP}]`)],
    expected: ['untracked-without-reverse gnp/u spec.ingress'],
  },
  {
    name: 'untracked policy whose other way is for another endpoint, or staged',
    documents: [
      hep('a', 'interfaceName: eth0'),
      hep('b', 'interfaceName: eth1'),
      gnp('u', `${UNTRACKED}, ingress: [{action: Allow, protocol: UDP}]`),
      gnp('w', `${UNTRACKED}, selector: hep == "b", egress: [{action: Allow, protocol: UDP}]`),
      gnp('s', `${UNTRACKED}, egress: [{action: Allow, protocol: UDP}]`).replace('Global', 'StagedGlobal'),
    ],
    expected: ['untracked-without-reverse gnp/u spec.ingress'],
  },
  {
    name: 'policy for hosts that selects none',
    documents: [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: d, labels: {app: web}}\nspec: {nodeName: n1}\nstatus: {podIP: 10.0.0.1}',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: d}',
      gnp('u', `${UNTRACKED}, selector: app == "web", ${BOTH_WAYS}`),
    ],
    expected: ['policy-selects-nothing gnp/u spec.selector'],
  },
  {
    name: 'a profile that a host endpoint lists and nobody defines',
    documents: [hep('a', 'interfaceName: eth0, profiles: [nothing]')],
    expected: ['missing-profile hostendpoint/a spec.profiles'],
  },
  {
    name: 'a rule that does nothing for workloads, in a policy of hosts as well',
    documents: [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: d}\nspec: {nodeName: n1}\nstatus: {podIP: 10.0.0.1}',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: d}',
      hep('a', 'interfaceName: eth0'),
      gnp('p', 'order: 1, selector: "!has(hep)", ingress: [{action: Allow, protocol: TCP}, {action: Deny}]'),
      gnp('q', 'order: 2, ingress: [{action: Allow, protocol: UDP}]'),
    ],
    expected: [],
  },
];
