import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../../../src/model/address.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { judge } from '../../../support/judge.ts';
import { objectOf, parseOne } from './parsed.ts';

const slice = (rest: string, labels = '{kubernetes.io/service-name: s}', name = 's-1', namespace = 'web'): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}, namespace: ${namespace}, labels: ${labels}}\n${rest}`;

describe('an endpoint slice', () => {
  it('offers every address with every numbered port', () => {
    const text = slice(
      'addressType: IPv4\nendpoints: [{addresses: [10.0.0.1, 10.0.0.2]}, {addresses: [10.0.0.3]}]\nports: [{port: 80}, {name: dns, port: 53, protocol: UDP}, {name: none}, {port: 9, protocol: sctp}, {port: 7, protocol: 136}]',
    );
    const { key, service, addresses, ports } = objectOf('serviceSlice', text);
    expect({ key, service, addresses: addresses.map(formatAddress), ports }).toEqual({
      key: 'web/s-1',
      service: 's',
      addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
      ports: [
        { name: '', protocol: 6, port: 80 },
        { name: 'dns', protocol: 17, port: 53 },
        { name: '', protocol: 132, port: 9 },
        { name: '', protocol: 136, port: 7 },
      ],
    });
  });

  it.each([
    ['', true],
    ['{}', true],
    ['{ready: true}', true],
    ['{ready: false}', false],
    ['{ready: null}', true],
    ['{serving: true, ready: false}', true],
    ['{serving: false, ready: true}', false],
    ['{serving: null, ready: false}', false],
    ['{serving: true, ready: false, terminating: true}', true],
    ['{serving: false, ready: false, terminating: true}', false],
    ['{terminating: true}', true],
  ])('counts an endpoint with conditions %s as backend: %s', (conditions, isBackend) => {
    const endpoint =
      conditions === '' ? '{addresses: [10.0.0.1]}' : `{addresses: [10.0.0.1], conditions: ${conditions}}`;
    const { addresses } = objectOf('serviceSlice', slice(`addressType: IPv4\nendpoints: [${endpoint}]`));
    expect(addresses.map(formatAddress)).toEqual(isBackend ? ['10.0.0.1'] : []);
  });

  it('may be of IPv6', () => {
    const text = slice('addressType: IPv6\nendpoints: [{addresses: ["FD00:0::1"]}]\nports: [{port: 80}]');
    expect(objectOf('serviceSlice', text).addresses.map(formatAddress)).toEqual(['fd00::1']);
  });

  it('of no service, or of host names, is nothing', () => {
    expect(parseOne(slice('addressType: IPv4\nendpoints: []', '{}')).objects).toEqual([]);
    expect(parseOne(slice('addressType: FQDN\nendpoints: [{addresses: [a.example]}]')).objects).toEqual([]);
  });

  it.each([
    ['addressType: IPv4\nendpoints: [{addresses: ["fd00::1"]}]', 'endpoints[0].addresses[0]', 'an IPv4 address'],
    ['addressType: IPv6\nendpoints: [{addresses: [10.0.0.1]}]', 'endpoints[0].addresses[0]', 'an IPv6 address'],
    ['addressType: IPv5', 'addressType', 'IPv4, IPv6 or FQDN'],
    ['addressType: IPv4\nports: [{port: 1, protocol: ICMP}]', 'ports[0].protocol', 'protocol does not support ports'],
    ['addressType: IPv4\nports: [{port: 1, protocol: TPC}]', 'ports[0].protocol', 'protocol name invalid'],
    ['addressType: IPv4\nports: [{port: 65536}]', 'ports[0].port', 'at most 65535'],
  ])('with %j is refused', (rest, field, message) => {
    expect(parseDocuments(slice(rest), 'f').errors).toMatchObject([
      { code: 'INVALID_FIELD', field, message: expect.stringContaining(message) },
    ]);
  });
});

describe('services in rules', () => {
  const workload = `---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: web}
spec: {nodeName: n}
status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
`;
  const policy = (kind: string, services: string): string => `---
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: {name: p${kind === 'NetworkPolicy' ? ', namespace: web' : ''}}
spec: {ingress: [{action: Allow, source: {services: ${services}}}], egress: [{action: Allow, destination: {services: ${services}}}]}
`;
  const part = (name: string, namespace: string, rest: string): string =>
    `---\n${slice(rest, '{kubernetes.io/service-name: s}', name, namespace)}\n`;
  const slices = [
    part('s-1', 'web', 'addressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: [192.0.2.1]}]'),
    part(
      's-2',
      'web',
      'addressType: IPv4\nports: [{port: 81, name: x}, {name: y}]\nendpoints: [{addresses: [192.0.2.2]}, {addresses: [192.0.2.3], conditions: {ready: false}}]',
    ),
    part('s-3', 'web', 'addressType: IPv6\nports: [{port: 80}]\nendpoints: [{addresses: ["fd00::2"]}]'),
    part('s-1', 'other', 'addressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: [192.0.2.9]}]'),
  ].join('');
  const to = (dst: string, dstPort: number, protocol = 'TCP') => {
    return { src: dst.includes(':') ? 'fd00::1' : '10.0.0.1', dst, protocol, dstPort };
  };
  const from = (src: string) => ({ src, dst: src.includes(':') ? 'fd00::1' : '10.0.0.1', protocol: 'UDP', dstPort: 7 });

  it.each([
    ['an address and port of one slice', to('192.0.2.1', 80), 'allow'],
    ['a port of another slice', to('192.0.2.1', 81), 'deny'],
    ['a named port', to('192.0.2.2', 81), 'allow'],
    ['another protocol', to('192.0.2.2', 81, 'UDP'), 'deny'],
    ['an endpoint that does not serve', to('192.0.2.3', 81), 'deny'],
    ['IPv6', to('fd00::2', 80), 'allow'],
    ['a service of that name in another namespace', to('192.0.2.9', 80), 'deny'],
    ['a backend as source, whatever the port', from('192.0.2.2'), 'allow'],
    ['an IPv6 backend as source', from('fd00::2'), 'allow'],
    ['a source that does not serve', from('192.0.2.3'), 'deny'],
  ])('judge %s', (_name, question, verdict) => {
    const manifests = workload + slices;
    expect(judge(manifests + policy('NetworkPolicy', '{name: s}'), question)[0]?.verdict).toBe(verdict);
    expect(judge(manifests + policy('NetworkPolicy', '{name: s, namespace: ""}'), question)[0]?.verdict).toBe(verdict);
    const global = policy('GlobalNetworkPolicy', '{name: s, namespace: web}');
    expect(judge(manifests + global, question)[0]?.verdict).toBe(verdict);
  });

  it('match nothing when the service has no slices', () => {
    const manifests = workload + slices + policy('NetworkPolicy', '{name: none}');
    const verdicts = judge(manifests, to('192.0.2.1', 80), from('192.0.2.1'));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['deny', 'deny']);
  });
});
