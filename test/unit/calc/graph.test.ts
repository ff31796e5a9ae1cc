import { describe, expect, it } from 'vitest';
import { CalcGraph } from '../../../src/calc/graph.ts';
import { DEFAULT_CALC_LIMITS } from '../../../src/calc/limits.ts';
import type { ModelObject } from '../../../src/model/world.ts';
import { worldFrom } from '../../support/world-from.ts';

const PODS = `
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web, labels: { app: web } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.1 }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: db, labels: { app: db } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.2 }] }
---
`;

const LIMITS = { ...DEFAULT_CALC_LIMITS, rules: 5 };

function policyWith(rules: number): string {
  const allow = Array.from({ length: rules }, () => '{ action: Allow, source: { selector: app == "web" } }').join(', ');
  return `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: { namespace: shop, name: p }
spec: { ingress: [${allow}] }
`;
}

function objectsOf(manifests: string): ModelObject[] {
  return Object.values(worldFrom(manifests)).flatMap((objects) => [...objects.values()]);
}

/** Rules of each local endpoint's ingress list. */
function rulesOf(graph: CalcGraph): number[] {
  return [...graph.flush().endpoints.values()].map(({ ingress }) =>
    ingress.tiers.flatMap(({ policies }) => policies).reduce((sum, { rules }) => sum + rules.ingress.length, 0),
  );
}

describe('CalcGraph', () => {
  it('gives the same object until something changes', () => {
    const graph = new CalcGraph(() => true);
    graph.apply(objectsOf(PODS), []);
    const first = graph.flush();
    graph.apply([], []);
    expect(graph.flush()).toBe(first);
    graph.apply(objectsOf(PODS + policyWith(1)), []);
    expect(graph.flush()).not.toBe(first);
  });

  it('refuses inputs that exceed a limit at every flush, until they change', () => {
    const graph = new CalcGraph(() => true, LIMITS);
    graph.apply(objectsOf(PODS + policyWith(6)), []);
    const message = /too many rules apply to local endpoints: found 6 rules, expected at most 5 .*--limit rules=/;
    expect(() => graph.flush()).toThrow(message);
    expect(() => graph.flush()).toThrow(message);
    graph.apply(objectsOf(PODS + policyWith(5)), []);
    expect(rulesOf(graph)).toEqual([5, 5]);
  });

  it('starts afresh from all inputs, those that came while it refused included', () => {
    const graph = new CalcGraph(() => true, LIMITS);
    graph.apply(objectsOf(policyWith(6)), []);
    graph.apply(objectsOf(PODS), []);
    expect(() => graph.flush()).toThrow(/too many rules/);
    const [policy] = objectsOf(policyWith(6)).filter(({ type }) => type === 'policy');
    graph.apply([], [{ type: 'policy', key: policy?.key ?? '' }]);
    expect(rulesOf(graph)).toEqual([0, 0]);
    graph.apply(objectsOf(policyWith(3)), []);
    expect(rulesOf(graph)).toEqual([3, 3]);
  });

  it('counts what is there now, however often it changed', () => {
    const graph = new CalcGraph(() => true, { ...LIMITS, appliedPolicies: 2, memberships: 4, selectorConditions: 40 });
    for (let round = 0; round < 50; round += 1) {
      graph.apply(objectsOf(PODS + policyWith(1 + (round % 5))), []);
      expect(rulesOf(graph)).toEqual([1 + (round % 5), 1 + (round % 5)]);
      const pods = objectsOf(PODS).filter(({ type }) => type === 'workloadEndpoint');
      graph.apply(
        [],
        pods.map(({ type, key }) => ({ type, key })),
      );
      expect(rulesOf(graph)).toEqual([]);
    }
  });
});
