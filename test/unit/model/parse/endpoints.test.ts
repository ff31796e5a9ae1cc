import { describe, expect, it } from 'vitest';
import { formatAddress, formatCidr } from '../../../../src/model/address.ts';
import { podInterfaceName, workloadEndpointName } from '../../../../src/model/parse/pods.ts';
import { objectOf, parseOne } from './parsed.ts';

const pod = (spec: string, status = '{podIP: 10.0.0.1}', metadata = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: my-pod, namespace: web${metadata}}\nspec: ${spec}\nstatus: ${status}`;
const SCHEDULED = '{nodeName: node-1}';

describe('a pod', () => {
  it('becomes the endpoint that the CNI plugin would make', () => {
    const containers =
      'initContainers: [{ports: [{name: init, containerPort: 1}]}], containers: [{ports: [{name: http, containerPort: 8080}, {containerPort: 2}, {name: dns, containerPort: 53, protocol: UDP}]}]';
    const endpoint = objectOf(
      'workloadEndpoint',
      pod(
        `{nodeName: node-1, serviceAccountName: sa, ${containers}}`,
        '{podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}',
        ', labels: {app: a, pcns.x: y}',
      ),
    );
    expect(endpoint).toMatchObject({
      key: 'web/node--1-k8s-my--pod-eth0',
      name: 'node--1-k8s-my--pod-eth0',
      displayName: 'web/my-pod',
      node: 'node-1',
      interfaceName: 'calibf803a49e83',
      labels: {
        app: 'a',
        'projectcalico.org/namespace': 'web',
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'sa',
      },
      profiles: ['kns.web', 'ksa.web.sa'],
      ports: [
        { name: 'init', protocol: 6, port: 1 },
        { name: 'http', protocol: 6, port: 8080 },
        { name: 'dns', protocol: 17, port: 53 },
      ],
    });
    expect(endpoint.labels).not.toHaveProperty(['pcns.x']);
    expect(endpoint.addresses.map(formatAddress)).toEqual(['10.0.0.1', 'fd00::1']);
  });

  it.each([
    ['is not scheduled', pod('{}')],
    ['uses the host network', pod('{nodeName: n, hostNetwork: true}')],
    ['has failed', pod(SCHEDULED, '{podIP: 10.0.0.1, phase: Failed}')],
    ['has succeeded', pod(SCHEDULED, '{podIP: 10.0.0.1, phase: Succeeded}')],
    ['is completed', pod(SCHEDULED, '{podIP: 10.0.0.1, phase: Completed}')],
    [
      'is being deleted and has lost its AWS address',
      pod(
        SCHEDULED,
        '{podIP: 10.0.0.1}',
        ', deletionTimestamp: "2026-01-01T00:00:00Z", annotations: {vpc.amazonaws.com/pod-ips: ""}',
      ),
    ],
    [
      'is being deleted and has lost its address',
      pod(
        SCHEDULED,
        '{podIP: 10.0.0.1}',
        ', deletionTimestamp: "2026-01-01T00:00:00Z", annotations: {cni.projectcalico.org/podIP: ""}',
      ),
    ],
  ])('is nothing when it %s', (_name, text) => {
    expect(parseOne(text)).toEqual({ objects: [], errors: [] });
  });

  it.each([
    ['podIPs before podIP', '{podIPs: [{ip: 10.0.0.2}], podIP: 10.0.0.1}', '', ['10.0.0.2']],
    [
      'podIP',
      '{podIPs: [], podIP: 10.0.0.1}',
      ', annotations: {cni.projectcalico.org/podIPs: 10.0.0.9/32}',
      ['10.0.0.1'],
    ],
    [
      'the podIPs annotation',
      '{}',
      ', annotations: {cni.projectcalico.org/podIPs: "10.0.0.3/32,fd00::3/128"}',
      ['10.0.0.3', 'fd00::3'],
    ],
    ['the podIP annotation', '{}', ', annotations: {cni.projectcalico.org/podIP: 10.0.0.4/32}', ['10.0.0.4']],
    ['the AWS annotation', '{}', ', annotations: {vpc.amazonaws.com/pod-ips: 10.0.0.5}', ['10.0.0.5']],
    ['nothing yet', '{}', '', []],
    ['its address during deletion', '{podIP: 10.0.0.6}', ', deletionTimestamp: "2026-01-01T00:00:00Z"', ['10.0.0.6']],
  ])('takes its addresses from %s', (_name, status, metadata, expected) => {
    expect(objectOf('workloadEndpoint', pod(SCHEDULED, status, metadata)).addresses.map(formatAddress)).toEqual(
      expected,
    );
  });

  it('is refused when an address does not parse', () => {
    const { objects, errors } = parseOne(pod(SCHEDULED, '{podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.0/24}]}'));
    expect(objects).toEqual([]);
    expect(errors).toMatchObject([{ code: 'INVALID_FIELD', field: 'status.podIPs', found: '10.0.0.0/24' }]);
  });

  it('may send from the prefixes of its annotation', () => {
    const annotation = (value: string): string =>
      pod(SCHEDULED, '{}', `, annotations: {cni.projectcalico.org/allowedSourcePrefixes: '${value}'}`);
    const endpoint = objectOf('workloadEndpoint', annotation('["10.1.0.0/16", "10.2.0.1"]'));
    expect(endpoint.allowedSourcePrefixes.map(formatCidr)).toEqual(['10.1.0.0/16', '10.2.0.1/32']);
    expect(parseOne(annotation('10.1.0.0/16')).errors).toMatchObject([{ code: 'INVALID_FIELD' }]);
  });

  it.each([
    [
      'protocols in any case',
      '{name: a, containerPort: 1, protocol: udplite}',
      [{ name: 'a', protocol: 136, port: 1 }],
    ],
    [
      'one name several times',
      '{name: a, containerPort: 1}, {name: a, containerPort: 2}, {name: a, containerPort: 1, protocol: UDP}',
      [
        { name: 'a', protocol: 6, port: 1 },
        { name: 'a', protocol: 6, port: 2 },
        { name: 'a', protocol: 17, port: 1 },
      ],
    ],
  ])('has named ports with %s', (_name, ports, expected) => {
    const text = pod(`{nodeName: n, containers: [{ports: [${ports}]}]}`);
    expect(objectOf('workloadEndpoint', text).ports).toEqual(expected);
  });

  it('has names that Calico would give it', () => {
    expect(podInterfaceName('default', 'web')).toMatch(/^cali[0-9a-f]{11}$/);
    expect(workloadEndpointName('a-b', 'c')).toBe('a--b-k8s-c-eth0');
  });
});

describe('other endpoints', () => {
  it('are read as written', () => {
    const endpoint = objectOf(
      'workloadEndpoint',
      `apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: n1-cni-w1-eth0, namespace: web, labels: {app: a, pcsa.x: y}}
spec: {orchestrator: cni, node: n1, workload: w1, endpoint: eth0, interfaceName: cali1, mac: "0A:58:00:00:00:01",
  ipNetworks: [10.0.0.1/32, "fd00::1"], profiles: [p1], serviceAccountName: sa,
  ports: [{name: http, protocol: tcp, port: 80}, {protocol: UDP, port: 1, hostPort: 2}], allowSpoofedSourcePrefixes: [10.9.0.1/8]}`,
    );
    expect(endpoint).toMatchObject({
      key: 'web/n1-cni-w1-eth0',
      displayName: 'web/w1',
      mac: '0a:58:00:00:00:01',
      interfaceName: 'cali1',
      profiles: ['p1'],
      labels: { app: 'a', 'projectcalico.org/orchestrator': 'cni', 'projectcalico.org/serviceaccount': 'sa' },
      ports: [{ name: 'http', protocol: 6, port: 80 }],
    });
    expect(endpoint.allowedSourcePrefixes.map(formatCidr)).toEqual(['10.0.0.0/8']);
  });

  it('may be virtual machines', () => {
    const endpoint = objectOf(
      'workloadEndpoint',
      `apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: n1-openstack-openstack%2f5c8e4bd3--a7a5-7f8c, namespace: openstack, labels: {sg: web}}
spec: {orchestrator: openstack, node: n1, workload: openstack/5c8e4bd3-a7a5, endpoint: 7f8c, interfaceName: tap7f8c,
  mac: FA-16-3E-00-00-01, ipNetworks: [10.0.0.1/32], ipNATs: [{internalIP: 10.0.0.1, externalIP: 192.0.2.1}],
  ipv4Gateway: 169.254.1.1, ipv6Gateway: "fe80::1", profiles: [openstack-sg-web]}`,
    );
    expect(endpoint).toMatchObject({
      displayName: 'openstack/openstack/5c8e4bd3-a7a5',
      mac: 'fa:16:3e:00:00:01',
      labels: {
        sg: 'web',
        'projectcalico.org/orchestrator': 'openstack',
        'projectcalico.org/namespace': 'openstack',
      },
      profiles: ['openstack-sg-web'],
    });
    expect(endpoint.addresses.map(formatAddress)).toEqual(['10.0.0.1']);
  });

  it('of hosts are known by interface or addresses', () => {
    const text = `apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {role: db}}
spec: {node: n1, interfaceName: eth0, expectedIPs: [10.0.0.1], profiles: [a, b], ports: [{name: x, protocol: UDP, port: 9}]}`;
    expect(objectOf('hostEndpoint', text)).toMatchObject({
      key: 'h',
      interfaceName: 'eth0',
      addresses: [{ family: 4, words: [0x0a000001] }],
      labels: { role: 'db' },
      profiles: ['a', 'b'],
      ports: [{ name: 'x', protocol: 17, port: 9 }],
    });
  });
});

describe('network sets', () => {
  it('in a namespace have its label and profile', () => {
    const text =
      'apiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: s, namespace: web, labels: {a: b}}\nspec: {nets: [10.0.0.0/8, 1.1.1.1]}';
    const set = objectOf('networkSet', text);
    expect(set).toMatchObject({
      key: 'NetworkSet/web/s',
      labels: { a: 'b', 'projectcalico.org/namespace': 'web' },
      profiles: ['kns.web'],
    });
    expect(set.nets.map(formatCidr)).toEqual(['10.0.0.0/8', '1.1.1.1/32']);
  });

  it('of the cluster have only their own labels', () => {
    const text = 'apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: s, labels: {a: b}}';
    expect(objectOf('networkSet', text)).toMatchObject({
      key: 'GlobalNetworkSet//s',
      labels: { a: 'b' },
      profiles: [],
      nets: [],
    });
  });
});

describe('profiles and tiers', () => {
  it('lend the labels of a namespace and allow everything', () => {
    expect(objectOf('profile', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: web, labels: {e: p}}')).toMatchObject(
      {
        key: 'kns.web',
        labels: { 'pcns.e': 'p', 'pcns.projectcalico.org/name': 'web' },
        rules: { ingress: [{ action: 'allow' }], egress: [{ action: 'allow' }] },
      },
    );
  });

  it('lend the labels of a service account and say nothing', () => {
    expect(
      objectOf('profile', 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa, namespace: web, labels: {r: x}}'),
    ).toMatchObject({
      key: 'ksa.web.sa',
      labels: { 'pcsa.r': 'x', 'pcsa.projectcalico.org/name': 'sa' },
      rules: { ingress: [], egress: [] },
    });
  });

  it('may be written down', () => {
    const text =
      'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: p}\nspec: {labelsToApply: {a: b}, ingress: [{action: Deny}]}';
    expect(objectOf('profile', text)).toMatchObject({
      key: 'p',
      labels: { a: 'b' },
      rules: { ingress: [{ action: 'deny' }] },
    });
  });

  const tier = (name: string, spec: string): string =>
    `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: ${spec}`;

  it('have the defaults of a tier', () => {
    expect(objectOf('tier', tier('a', '{}'))).toMatchObject({ key: 'a', order: 1_000_000, defaultAction: 'deny' });
    expect(objectOf('tier', tier('a', '{order: 5, defaultAction: Pass}'))).toMatchObject({
      order: 5,
      defaultAction: 'pass',
    });
  });

  it('may repeat a built-in tier, but not change it', () => {
    expect(objectOf('tier', tier('kube-admin', '{}'))).toMatchObject({ order: 1000, defaultAction: 'pass' });
    expect(parseOne(tier('default', '{order: 10}')).errors).toMatchObject([
      { code: 'INVALID_FIELD', field: 'spec.order' },
    ]);
    expect(parseOne(tier('default', '{defaultAction: Pass}')).errors).toMatchObject([{ field: 'spec.defaultAction' }]);
  });
});
