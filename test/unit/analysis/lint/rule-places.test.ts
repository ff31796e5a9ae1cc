import { describe, expect, it } from 'vitest';
import { createContext } from '../../../../src/analysis/lint/context.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { formatPath } from '../../../../src/resources/field-path.ts';
import { newSeed, questionOf, resourcesOf } from '../../../support/worlds/questions.ts';

const KUBERNETES = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: k, namespace: ns}
spec:
  podSelector: {}
  ingress:
    - ports: [{port: 80}, {port: 53, protocol: UDP}]
    - from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}]
      ports: [{port: 53, protocol: UDP}, {port: 80}]
    - {}
`;

describe('the place of a rule', () => {
  it('is the peer of a Kubernetes policy, once for each protocol', () => {
    const { subjects } = createContext(parseDocuments(KUBERNETES, 'f.yaml').resources, []);
    expect([...subjects.values()].map(({ place, rule }) => [formatPath(place), rule.protocol])).toEqual([
      ['spec.ingress[0]', 6],
      ['spec.ingress[0]', 17],
      ['spec.ingress[1].from[0]', 6],
      ['spec.ingress[1].from[1]', 6],
      ['spec.ingress[1].from[0]', 17],
      ['spec.ingress[1].from[1]', 17],
      ['spec.ingress[2]', undefined],
    ]);
  });

  it('exists in the manifest, for every rule of generated policies of every kind', { timeout: 120_000 }, () => {
    const seed = newSeed('rule places');
    const kinds = new Set<string>();
    for (let index = 0; index < 60; index += 1) {
      const { subjects } = createContext(resourcesOf(questionOf(seed, index, 0).manifests), []);
      for (const { place, owner } of subjects.values()) {
        let value: unknown = owner.resource;
        for (const step of place) value = (value as Record<string | number, unknown>)[step];
        expect(value, `${owner.name} ${formatPath(place)}`).toBeTypeOf('object');
        kinds.add(owner.resource.type);
      }
    }
    expect(kinds.size).toBeGreaterThan(5);
  });
});
