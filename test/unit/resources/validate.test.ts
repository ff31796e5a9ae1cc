import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';

const document = (kind: string, spec: string): string => {
  const metadata = kind.includes('Global') ? '{name: p}' : '{name: p, namespace: web}';
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}`;
};

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
    ['{from: [{podSelector: {matchLabels: {"a b": c}}}]}', 'matchLabels["a b"]: invalid label key'],
    ['{from: [{podSelector: {matchLabels: {a: "b c"}}}]}', 'matchLabels.a: invalid label value: found "b c"'],
    [
      '{from: [{podSelector: {matchExpressions: [{key: -a, operator: Exists}]}}]}',
      'matchExpressions[0].key: invalid label key: found "-a"',
    ],
    [
      '{from: [{podSelector: {matchExpressions: [{key: a, operator: In, values: [b, c/d]}]}}]}',
      'matchExpressions[0].values[1]: invalid label value: found "c/d"',
    ],
    ['{ports: [{protocol: ICMP}]}', 'protocol does not support ports: found "ICMP"'],
    ['{ports: [{protocol: 0, port: 1}]}', 'protocol number invalid'],
    ['{ports: [{protocol: TPC, port: 1}]}', 'protocol name invalid: found "TPC"'],
    ['{ports: [{port: 0}]}', 'found 0'],
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
      'spec.ipNATs[0].internalIP: NAT is not in the endpoint networks: found 10.0.0.1, expected one of ipNetworks',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ipNetworks: [10.0.0.1], ipNATs: [{internalIP: 10.0.0.1, externalIP: "fd00::1"}]}',
      'spec.ipNATs[0].externalIP: mismatched IP versions: found fd00::1, expected an address of the family of 10.0.0.1',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ipv4Gateway: "fe80::1"}',
      'spec.ipv4Gateway: invalid IPv4 gateway address specified: found fe80::1',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ipv6Gateway: 169.254.1.1}',
      'spec.ipv6Gateway: invalid IPv6 gateway address specified: found 169.254.1.1',
    ],
    ['WorkloadEndpoint', '{orchestrator: k8s, node: n, interfaceName: "*"}', 'expected an interface name'],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ports: [{name: a, protocol: ICMP, port: 1}]}',
      'spec.ports[0].protocol: protocol does not support ports: found "ICMP", expected TCP, UDP, SCTP, UDPLite',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: k8s, node: n, ports: [{name: Web, protocol: TCP, port: 1}]}',
      'spec.ports[0].name: invalid value: found "Web"',
    ],
    [
      'HostEndpoint',
      '{node: n, interfaceName: "*", ports: [{name: a, protocol: 47, port: 1}]}',
      'spec.ports[0].protocol: protocol does not support ports: found 47',
    ],
    [
      'HostEndpoint',
      '{node: n, interfaceName: "*", ports: [{name: a, protocol: 0, port: 1}]}',
      'spec.ports[0].protocol: protocol number invalid: found 0',
    ],
    [
      'HostEndpoint',
      '{node: n, interfaceName: "*", ports: [{name: a, protocol: TCP, port: 0}]}',
      'spec.ports[0].port: invalid value: found 0, expected at least 1',
    ],
    [
      'HostEndpoint',
      `{node: ${'n'.repeat(254)}, interfaceName: eth0}`,
      'spec.node: invalid value: found 254 characters',
    ],
  ])('rejects a %s with %s', (kind, spec, message) => {
    const text = document(kind, spec).replace(kind === 'HostEndpoint' ? ', namespace: web' : '\0', '');
    expect(parseDocuments(text, 'f').errors.map((error) => error.message)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['HostEndpoint', '{node: n, interfaceName: "*", ports: [{name: a, protocol: udplite, port: 65535}]}'],
    [
      'WorkloadEndpoint',
      '{orchestrator: openstack, workload: openstack/5c8e4bd3-a7a5, node: n, mac: 0A-58-0A-F4-00-05}',
    ],
    ['WorkloadEndpoint', '{orchestrator: cni, node: n, mac: 0a58.0af4.0005}'],
    [
      'WorkloadEndpoint',
      '{orchestrator: cni, node: n, ipNetworks: ["fd00::1/128"], ipNATs: [{internalIP: "FD00:0::1", externalIP: "fd01::1"}]}',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: cni, node: n, ports: [{name: a, protocol: 6, port: 1}, {name: a, protocol: TCP, port: 1}, {name: "", protocol: TCP, port: 2, hostPort: 3}]}',
    ],
    [
      'WorkloadEndpoint',
      '{orchestrator: cni, node: n, allowSpoofedSourcePrefixes: [10.0.0.0/8, 10.0.0.1, "fd00::/8"]}',
    ],
  ])('accepts a %s with %s', (kind, spec) => {
    const text = document(kind, spec).replace(kind === 'HostEndpoint' ? ', namespace: web' : '\0', '');
    expect(parseDocuments(text, 'f').errors.map((error) => error.message)).toEqual([]);
  });

  it('rejects the reserved label on network sets', () => {
    const text =
      'apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: s, labels: {projectcalico.org/namespace: a}}';
    expect(parseDocuments(text, 'f').errors[0]?.message).toContain(
      'projectcalico.org/namespace is not a valid label name',
    );
  });
});
