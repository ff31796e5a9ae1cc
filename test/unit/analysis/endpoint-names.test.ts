import { describe, expect, it } from 'vitest';
import { loadManifests } from '../../../src/agent/offline.ts';
import { EndpointNames, workloadName } from '../../../src/analysis/endpoint-names.ts';
import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';
import type { World } from '../../../src/model/world.ts';

const names = new EndpointNames(loadManifests('examples/three-tier/manifests').world);

describe('EndpointNames', () => {
  it.each([
    ['shop/web-1', ['shop/web-1']],
    ['shop/node1-k8s-web--1-eth0', ['shop/web-1']],
    ['shop/*', ['shop/api-1', 'shop/db-1', 'shop/web-1']],
    ['shop/w*', ['shop/web-1']],
    ['other/*', []],
    ['*', []],
    ['web-1', []],
  ])('takes %s for %j', (pattern, found) => {
    expect(names.matching(pattern).map(({ displayName }) => displayName)).toEqual(found);
  });

  it('takes the name of a pod with several interfaces for all of them', () => {
    const endpoint = (key: string) => [key, { key, namespace: 'a', displayName: 'a/pod', addresses: [] }] as const;
    const world = { workloadEndpoints: new Map([endpoint('a/one'), endpoint('a/two')]) } as unknown as World;
    expect(new EndpointNames(world).matching('a/pod').map(({ key }) => key)).toEqual(['a/one', 'a/two']);
  });

  it('suggests the name that was probably meant', () => {
    expect(names.nearest('shop/wbe-1')).toBe('shop/web-1');
    expect(names.nearest('nothing/alike')).toBeUndefined();
  });
});

describe('workloadName', () => {
  const endpoint = (pod: string, labels: Record<string, string>) =>
    workloadName({ namespace: 'a', displayName: `a/${pod}`, labels } as unknown as WorkloadEndpoint);

  it.each([
    ['web-6d4f-x2x2x', { 'pod-template-hash': '6d4f' }, 'a/web'],
    ['web-6d4f-x2x2x', { 'pod-template-hash': 'other' }, 'a/web-6d4f-x2x2x'],
    ['db-12', { 'statefulset.kubernetes.io/pod-name': 'db-12', 'controller-revision-hash': 'db-7' }, 'a/db'],
    ['agent-x8k2p', { 'controller-revision-hash': '5f' }, 'a/agent'],
    ['import-29-zzzzz', { 'batch.kubernetes.io/job-name': 'import-29' }, 'a/import-29'],
    ['bare', {}, 'a/bare'],
  ])('calls %s with %j %s', (pod, labels, name) => {
    expect(endpoint(pod, labels)).toBe(name);
  });
});
