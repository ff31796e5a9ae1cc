import { describe, expect, it } from 'vitest';
import { RESOURCE_TYPES } from '../../../src/cli/kind-names.ts';
import { columnsOf, describeAge } from '../../../src/cli/object-columns.ts';
import type { ResourceType } from '../../../src/resources/resource.ts';

const NOW = new Date('2026-01-02T00:00:00Z');

function cells(type: ResourceType, object: object, isWide = false): Record<string, string> {
  return Object.fromEntries(columnsOf(type, isWide).map(({ title, cell }) => [title, cell(object as never, NOW)]));
}

describe('describeAge', () => {
  it.each([
    [-1, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [600, '10m'],
    [3 * 3600 - 1, '179m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 61, '3h1m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [49 * 3600, '2d1h'],
    [9 * 86_400 + 3600, '9d'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(describeAge(seconds)).toBe(text);
  });
});

describe('columns', () => {
  it.each([...RESOURCE_TYPES])('of %s say something of an object that has nothing', (type) => {
    const texts = Object.values(cells(type, {}, true));
    expect(texts).toEqual(expect.arrayContaining(['<unknown>', 'store']));
    for (const text of texts) expect(text).not.toMatch(/undefined|null|\[object|^$/);
  });

  it.each<[ResourceType, object, object]>([
    ['Tier', { spec: { order: 5, defaultAction: 'Pass' } }, { ORDER: '5', 'DEFAULT-ACTION': 'Pass' }],
    [
      'StagedNetworkPolicy',
      { spec: { stagedAction: 'Delete', tier: 't' } },
      { STAGED: 'Delete', TIER: 't', RULES: '0/0' },
    ],
    [
      'GlobalNetworkSet',
      { spec: { nets: ['10.0.0.0/8', 'fd00::/8'] } },
      { NETS: '2', ADDRESSES: '10.0.0.0/8,fd00::/8' },
    ],
    [
      'KubernetesNetworkPolicy',
      { spec: { podSelector: { matchLabels: { a: 'b' }, matchExpressions: [{}] }, policyTypes: ['Egress'] } },
      { 'POD-SELECTOR': 'a=b,1 expressions', TYPES: 'Egress' },
    ],
    [
      'HostEndpoint',
      { spec: { node: 'n', interfaceName: 'eth0', expectedIPs: ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'] } },
      { NODE: 'n', INTERFACE: 'eth0', IPS: '1.1.1.1,2.2.2.2,3.3.3.3 + 1 more...' },
    ],
    [
      'Service',
      { spec: { clusterIP: '10.0.0.1', ports: [{ port: 53, protocol: 'UDP' }, { port: 80 }] } },
      { PORTS: '53/UDP,80/TCP' },
    ],
    [
      'KubeControllersConfiguration',
      { spec: { controllers: { node: { hostEndpoint: { autoCreate: 'Enabled', templates: [{}] } } } } },
      { 'AUTO-CREATE': 'Enabled', TEMPLATES: '1' },
    ],
    ['Node', { status: { addresses: [{ address: '192.0.2.1' }] } }, { ADDRESSES: '192.0.2.1' }],
    ['EndpointSlice', { endpoints: [{ addresses: ['10.0.0.9'] }], ports: [{}] }, { ENDPOINTS: '10.0.0.9', PORTS: '*' }],
    [
      'Pod',
      {
        metadata: { creationTimestamp: '2026-01-01T00:00:00Z', annotations: { 'tortie.io/file': 'a.yaml:3' } },
        status: { podIP: '10.0.0.9' },
      },
      { IP: '10.0.0.9', AGE: '24h', SOURCE: 'a.yaml:3' },
    ],
  ])('of %s show what is in %j', (type, object, shown) => {
    expect(cells(type, object, true)).toMatchObject(shown);
  });
});
