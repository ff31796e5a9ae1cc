import { describe, expect, it } from 'vitest';
import { contradiction, covers } from '../../../../src/analysis/lint/covers.ts';
import type { Policy, Rule } from '../../../../src/model/policy.ts';
import { Membership } from '../../../../src/model/reference/membership.ts';
import { ruleMatches } from '../../../../src/model/reference/rule-match.ts';
import { describeFlow, newSeed, questionOf, worldOf } from '../../../support/worlds/questions.ts';
import { objectOf } from '../../model/parse/parsed.ts';

const WORLDS = 30;
const FLOWS = 150;

function ruleOf(fields: string): Rule {
  const text = `{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, namespace: ns}, spec: {ingress: [{action: Allow, ${fields}}]}}`;
  return (objectOf('policy', text) as Policy).rules.ingress[0] as Rule;
}

describe('covers', () => {
  it.each([
    ['', 'protocol: TCP'],
    ['protocol: TCP', 'protocol: TCP, destination: {ports: [80]}'],
    ['protocol: TCP, destination: {ports: ["80:90"]}', 'protocol: TCP, destination: {ports: [80, "85:90"]}'],
    ['protocol: TCP, destination: {ports: [80, http]}', 'protocol: TCP, destination: {ports: [http]}'],
    ['source: {nets: [10.0.0.0/8]}', 'source: {nets: [10.1.0.0/16, 10.2.0.0/16]}'],
    ['source: {notNets: [10.1.0.0/16]}', 'source: {notNets: [10.0.0.0/8]}'],
    ['source: {notNets: [10.1.0.0/16]}', 'source: {nets: [10.2.0.0/16]}'],
    ['source: {selector: has(app)}', 'source: {selector: app == "a"}'],
    ["source: {selector: \"app in {'a', 'b'}\"}", 'source: {selector: app == "a" && has(tier)}'],
    ['source: {selector: app == "a" || app == "b"}', 'source: {selector: app == "b"}'],
    ['source: {selector: app != "a"}', 'source: {selector: app == "b"}'],
    ['source: {services: {name: s}}', 'source: {services: {name: s}}, protocol: UDP'],
    ['notProtocol: UDP', 'protocol: TCP'],
    ['protocol: ICMP, icmp: {type: 8}', 'protocol: ICMP, icmp: {type: 8, code: 0}'],
  ])('finds that {%s} matches all that {%s} does, and not the other way round', (wide, narrow) => {
    expect(covers(ruleOf(wide), ruleOf(narrow))).toBe(true);
    if (ruleOf(wide).source.service === undefined || ruleOf(narrow).protocol !== undefined) {
      expect(covers(ruleOf(narrow), ruleOf(wide))).toBe(false);
    }
  });

  it.each([
    ['source: {selector: app == "a"}', 'source: {notSelector: app == "b"}'],
    ['source: {nets: [10.0.0.0/8]}', 'source: {nets: ["fd00::/8"]}'],
    ['source: {nets: [0.0.0.0/0]}', 'protocol: TCP'],
    ['protocol: TCP, destination: {ports: [http]}', 'protocol: TCP, destination: {ports: [80]}'],
    ['protocol: TCP, destination: {notPorts: [http]}', 'protocol: TCP, destination: {notPorts: [http]}'],
    ['protocol: TCP, source: {ports: [80]}', 'protocol: TCP'],
  ])('does not claim that {%s} matches all that {%s} does', (wide, narrow) => {
    expect(covers(ruleOf(wide), ruleOf(narrow))).toBe(false);
  });

  it('never claims too much, on pairs of generated rules and generated flows', { timeout: 300_000 }, () => {
    const seed = newSeed('covers');
    let claims = 0;
    for (let index = 0; index < WORLDS; index += 1) {
      const { manifests, flows } = questionOf(seed, index, FLOWS);
      const world = worldOf(manifests);
      const membership = new Membership(world);
      const rules = [...world.policies.values()].flatMap((policy) => [...policy.rules.ingress, ...policy.rules.egress]);
      const matched = new Map(
        rules.map((rule) => [rule, new Set(flows.filter((flow) => ruleMatches(rule, flow, membership)))]),
      );
      for (const [narrow, own] of matched) {
        const [example] = own;
        const text = JSON.stringify(narrow);
        if (contradiction(narrow) !== undefined) expect(example && describeFlow(example), text).toBeUndefined();
        for (const [wide, others] of matched) {
          if (wide === narrow || !covers(wide, narrow)) continue;
          claims += 1;
          const missed = [...own].filter((flow) => !others.has(flow)).map(describeFlow);
          expect(missed, JSON.stringify([wide, narrow])).toEqual([]);
        }
      }
    }
    expect(claims).toBeGreaterThan(WORLDS);
  });
});

describe('contradiction', () => {
  it.each([
    ['protocol: TCP, notProtocol: TCP', 'protocol and port'],
    ['protocol: TCP, destination: {ports: [80], notPorts: ["1:100"]}', 'protocol and port'],
    ['protocol: ICMP, icmp: {type: 8}, notICMP: {type: 8}', 'protocol and port'],
    ['source: {nets: [10.1.0.0/16], notNets: [10.0.0.0/8]}', 'source.nets'],
    ['source: {selector: app == "a" && app == "b"}', 'source selector'],
    ['source: {selector: has(app) && !has(app)}', 'source selector'],
    ['source: {selector: "app in {}"}', 'source selector'],
  ])('is seen in {%s}', (fields, reason) => {
    expect(contradiction(ruleOf(fields))).toContain(reason);
  });

  it.each([
    '',
    'protocol: TCP, destination: {ports: [http]}',
    'source: {selector: app != "a"}',
    'source: {nets: [10.0.0.0/8], notNets: [10.1.0.0/16]}',
  ])('is not seen in {%s}', (fields) => {
    expect(contradiction(ruleOf(fields))).toBeUndefined();
  });
});
