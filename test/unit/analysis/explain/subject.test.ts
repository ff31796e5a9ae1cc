import { describe, expect, it } from 'vitest';
import { findSubject, type KindsNamed } from '../../../../src/analysis/explain/subject.ts';
import { policyName } from '../../../../src/analysis/object-names.ts';
import { worldFrom } from '../../../support/world-from.ts';

const calico = (kind: string, name: string, namespace = ''): string =>
  `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: {name: ${name}${namespace === '' ? '' : `, namespace: ${namespace}`}}\nspec: {}`;
const WORLD = worldFrom(
  [
    calico('NetworkPolicy', 'web', 'shop'),
    calico('NetworkPolicy', 'web', 'blog'),
    calico('GlobalNetworkPolicy', 'baseline'),
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {podSelector: {}}',
    'apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: n1-eth0}\nspec: {node: n1, interfaceName: eth0}',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop}\nspec: {nodeName: n1}',
  ].join('\n---\n'),
);
const KINDS: Readonly<Record<string, ReturnType<KindsNamed>>> = {
  np: ['NetworkPolicy'],
  knp: ['KubernetesNetworkPolicy'],
  gnp: ['GlobalNetworkPolicy'],
  networkpolicy: ['NetworkPolicy', 'KubernetesNetworkPolicy'],
  pod: ['endpoint'],
};

function find(text: string): string {
  const subject = findSubject(text, WORLD, (kind) => KINDS[kind] ?? []);
  return subject.kind === 'policy' ? policyName(subject.policy) : subject.endpoint.displayName;
}

describe('the subject of an explanation', () => {
  it.each([
    ['np/shop/web', 'np/shop/web'],
    ['np:shop/web', 'np/shop/web'],
    ['knp/web', 'knp/shop/web'],
    ['blog/web', 'np/blog/web'],
    ['networkpolicy/blog/web', 'np/blog/web'],
    ['gnp/baseline', 'gnp/baseline'],
    ['gnp:baseline', 'gnp/baseline'],
    ['baseline', 'gnp/baseline'],
    ['shop/web-1', 'shop/web-1'],
    ['pod/shop/web-1', 'shop/web-1'],
    ['web-1', 'shop/web-1'],
    ['shop/n1-k8s-web--1-eth0', 'shop/web-1'],
  ])('%s is %s', (text, expected) => {
    expect(find(text)).toBe(expected);
  });

  it.each([
    ['web', 'knp/shop/web, np/blog/web, np/shop/web'],
    ['shop/web', 'knp/shop/web, np/shop/web'],
    ['np/web', 'np/blog/web, np/shop/web'],
    ['networkpolicy/shop/web', 'knp/shop/web, np/shop/web'],
  ])('%s is ambiguous, and all of %s are named', (text, names) => {
    expect(() => find(text)).toThrow(expect.objectContaining({ code: 'USAGE', expected: `one of ${names}` }));
  });

  it.each([
    ['np/shop/wbe', 'did you mean np/shop/web'],
    ['baselin', 'did you mean gnp/baseline'],
    ['shop/web-2', 'shop/web-1'],
    ['zzzzzzzz', 'see: tortie get'],
    ['a/b/c/d', ''],
  ])('%s is nothing, and what is near is suggested', (text, hint) => {
    expect(() => find(text)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', hint: expect.stringContaining(hint) }),
    );
  });

  it.each(['n1-eth0', 'hostendpoint/n1-eth0'])('is no host endpoint, and is told where to ask: %s', (text) => {
    expect(() => find(text)).toThrow(/is a host endpoint, which is not explained.*tortie verdict/s);
  });
});
