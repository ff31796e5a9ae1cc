import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';

const document = (kind: string, spec: string): string => {
  const metadata = kind.includes('Global') ? '{name: p}' : '{name: p, namespace: web}';
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}`;
};
const ingress = (rule: string): string => document('NetworkPolicy', `{ingress: [${rule}]}`);
const egress = (rule: string): string => document('NetworkPolicy', `{egress: [${rule}]}`);
const globalEgress = (rule: string): string => document('GlobalNetworkPolicy', `{egress: [${rule}]}`);
const services = (rest: string): string => egress(`{action: Allow, destination: {services: {name: s}, ${rest}}}`);
const tcp = (rest: string): string => ingress(`{action: Allow, protocol: TCP, ${rest}}`);

const rejections: readonly (readonly [string, string])[] = [
  [
    ingress('{action: Allow, protocol: UDP, http: {methods: [GET]}}'),
    'rules with HTTP match must have protocol TCP or unset',
  ],
  [ingress('{action: Deny, http: {methods: [GET]}}'), 'HTTP match is only valid on Allow rules'],
  [egress('{action: Allow, http: {methods: [GET]}}'), 'http: not allowed in egress rule'],
  [globalEgress('{action: Allow, http: {}}'), 'http: not allowed in egress rules'],
  [ingress('{action: Allow, http: {paths: [{exact: /a, prefix: /b}]}}'), 'a path must be one of exact or prefix'],
  [ingress('{action: Allow, http: {paths: [{exact: "/a?b"}]}}'), 'a path must be one of exact or prefix'],
  [
    egress('{action: Allow, protocol: TCP, destination: {services: {name: s}, ports: [80]}}'),
    'ports and notPorts cannot be specified with services',
  ],
  [services('namespaceSelector: all()'), 'cannot specify NamespaceSelector and Services on the same rule'],
  [services('serviceAccounts: {names: [a]}'), 'cannot specify ServiceAccounts and Services on the same rule'],
  [services('notSelector: has(a)'), 'cannot specify Selector/NotSelector and Services on the same rule'],
  [services('notNets: [10.0.0.0/8]'), 'cannot specify Nets/NotNets and Services on the same rule'],
  [egress('{action: Allow, destination: {services: {namespace: x}}}'), 'services must specify a service name'],
  [egress('{action: Allow, source: {services: {name: s}}}'), 'not allowed in egress rule source'],
  [ingress('{action: Allow, destination: {services: {name: s}}}'), 'not allowed in ingress rule destination'],
  [globalEgress('{action: Allow, destination: {services: {name: s}}}'), 'must specify a namespace'],
  [
    ingress('{action: Allow, destination: {ports: [80]}}'),
    'rules with numeric port or port range must set protocol to TCP or UDP or SCTP',
  ],
  [
    ingress('{action: Allow, protocol: UDPLite, source: {notPorts: ["1:2"]}}'),
    'rules with numeric port or port range must set protocol to TCP or UDP or SCTP',
  ],
  [
    ingress('{action: Allow, protocol: ICMP, destination: {ports: [http]}}'),
    'rules that specify ports must set protocol to TCP or UDP or SCTP',
  ],
  [ingress('{action: Allow, icmp: {type: 8}}'), 'ICMP fields require protocol to be ICMP or ICMPv6'],
  [tcp('icmp: {type: 8}'), 'ICMP fields require protocol to be ICMP or ICMPv6'],
  [ingress('{action: Allow, protocol: ICMP, icmp: {code: 1}}'), 'ICMP code specified without an ICMP type'],
  [ingress('{action: Allow, notICMP: {code: 1}}'), 'ICMP code specified without an ICMP type'],
  [ingress('{action: Allow, protocol: 1, ipVersion: 6}'), 'protocol ICMP requires ipVersion 4'],
  [ingress('{action: Allow, notProtocol: ICMPv6, ipVersion: 4}'), 'protocol ICMPv6 requires ipVersion 6'],
  [
    ingress('{action: Allow, source: {nets: [10.0.0.0/8]}, destination: {notNets: ["fe80::/10"]}}'),
    'rule contains both IPv4 and IPv6 CIDRs',
  ],
  [
    ingress('{action: Allow, ipVersion: 6, source: {nets: [10.0.0.0/8]}}'),
    "rule IP version doesn't match CIDR version",
  ],
  [
    ingress('{action: Allow, source: {notNets: [0.0.0.0/0]}}'),
    'catch-all CIDR in negation creates logical contradiction (matches no traffic)',
  ],
  [
    ingress('{action: Allow, source: {notNets: ["0::/0"]}}'),
    'catch-all CIDR in negation creates logical contradiction (matches no traffic)',
  ],
  [
    document('GlobalNetworkPolicy', '{preDNAT: true, doNotTrack: true, applyOnForward: true}'),
    'preDNAT and doNotTrack cannot both be true',
  ],
  [
    document('GlobalNetworkPolicy', '{preDNAT: true, applyOnForward: true, egress: [{action: Allow}]}'),
    'preDNAT policy cannot have any egress rules',
  ],
  [
    document('StagedGlobalNetworkPolicy', '{preDNAT: true, applyOnForward: true, types: [Egress]}'),
    "preDNAT policy cannot have 'Egress' type",
  ],
  [
    document('GlobalNetworkPolicy', '{doNotTrack: true}'),
    'applyOnForward must be true if either preDNAT or doNotTrack is true',
  ],
  [document('NetworkPolicy', '{types: [Ingress, Ingress]}'), 'type specified more than once'],
  [
    document('StagedNetworkPolicy', '{stagedAction: Delete, order: 1}'),
    'stagedAction Delete allows no other field but tier',
  ],
];

describe('policy validation', () => {
  it.each(rejections.map(([text, message]) => [message, text]))('rejects with "%s"', (message, text) => {
    const { errors, resources } = parseDocuments(text, 'f');
    expect(resources).toEqual([]);
    expect(errors.map((error) => error.message).join('\n')).toContain(message);
  });

  it.each([
    ['named ports without protocol', ingress('{action: Allow, destination: {ports: [http]}}')],
    ['named and numeric ports of TCP', tcp('destination: {ports: [http, 80, "90:100"]}')],
    ['ports of protocol 17', ingress('{action: Allow, protocol: 17, destination: {ports: [53]}}')],
    ['ports of SCTP', ingress('{action: Allow, protocol: sctp, destination: {ports: [53]}}')],
    ['UDPLite without ports', ingress('{action: Allow, protocol: UDPLite}')],
    [
      'service accounts on either side',
      ingress(
        '{action: Allow, source: {serviceAccounts: {names: [a]}}, destination: {serviceAccounts: {selector: has(a)}}}',
      ),
    ],
    ['an empty entity', ingress('{action: Allow, source: {}}')],
    ['notICMP without protocol', ingress('{action: Allow, notICMP: {type: 8}}')],
    ['ICMP by number', ingress('{action: allow, protocol: 58, icmp: {type: 128, code: 0}}')],
    ['services in egress', egress('{action: Pass, destination: {services: {name: s}}}')],
    ['services in ingress', ingress('{action: Log, source: {services: {name: s, namespace: n}}}')],
    [
      'both families in different rules',
      ingress('{action: Allow, source: {nets: [10.0.0.0/8]}}, {action: Allow, source: {nets: ["fe80::/10"]}}'),
    ],
    ['stagedAction Delete with a tier', document('StagedNetworkPolicy', '{stagedAction: Delete, tier: a}')],
  ])('accepts %s', (_name, text) => {
    expect(parseDocuments(text, 'f').errors).toEqual([]);
  });
});

describe('Kubernetes policy validation', () => {
  const policy = (rule: string): string =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [${rule}]}`;

  it.each([
    ['{from: [{}]}', 'must specify a peer'],
    ['{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}', 'may not specify both ipBlock and another peer'],
    ['{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}', 'is not inside the block'],
    ['{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}', 'is not inside the block'],
    ['{ports: [{endPort: 80}]}', 'endPort needs a numeric port'],
    ['{ports: [{port: 90, endPort: 80}]}', 'endPort is below port'],
    ['{from: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}', 'In needs values'],
    [
      '{from: [{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}',
      'Exists takes no values',
    ],
    ['{form: []}', 'unknown field (did you mean from?)'],
  ])('rejects %s', (rule, message) => {
    expect(parseDocuments(policy(rule), 'f').errors.map((error) => error.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

describe('endpoint validation', () => {
  it.each([
    ['HostEndpoint', '{interfaceName: eth0}', 'spec.node: is missing'],
    ['HostEndpoint', '{node: n}', 'no interfaceName or expectedIPs'],
    ['HostEndpoint', '{node: n, interfaceName: averylonginterface}', 'expected an interface name or *'],
    ['HostEndpoint', '{node: n, expectedIPs: [10.0.0.0/8]}', 'expected an IP address'],
    ['HostEndpoint', '{node: n, interfaceName: "*", ports: [{protocol: TCP, port: 1}]}', 'ports[0].name: is missing'],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ipNetworks: [10.0.0.0/24]}',
      'an IP address, bare or with /32 or /128',
    ],
    ['WorkloadEndpoint', '{orchestrator: k8s, node: n, mac: 00:11}', 'a MAC such as'],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ports: [{protocol: TCP, port: 1}]}',
      'a port without hostPort has no name',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ipNATs: [{internalIP: 10.0.0.1, externalIP: 1.1.1.1}]}',
      'is not an address of the endpoint',
    ],
  ])('rejects a %s with %s', (kind, spec, message) => {
    const text = document(kind, spec).replace(kind === 'HostEndpoint' ? ', namespace: web' : '\0', '');
    expect(parseDocuments(text, 'f').errors.map((error) => error.message)).toEqual([expect.stringContaining(message)]);
  });

  it('rejects the reserved label on network sets', () => {
    const text =
      'apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: s, labels: {projectcalico.org/namespace: a}}';
    expect(parseDocuments(text, 'f').errors[0]?.message).toContain(
      'projectcalico.org/namespace is not a valid label name',
    );
  });
});
