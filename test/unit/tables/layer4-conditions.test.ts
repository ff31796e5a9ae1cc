import { describe, expect, it } from 'vitest';
import type { ResolvedRule } from '../../../src/calc/resolved.ts';
import { intersect } from '../../../src/tables/interval-sets.ts';
import { portSet, protocolConditions } from '../../../src/tables/l4-space.ts';
import { layer4Conditions } from '../../../src/tables/layer4-conditions.ts';

const ANY = { sets: [], without: [] };

function ruleOf(protocol: number, first: number, last = first): ResolvedRule {
  return {
    action: 'allow',
    index: 0,
    matchesV4: true,
    matchesV6: true,
    protocol,
    source: ANY,
    destination: { ...ANY, ports: { ranges: [{ first, last }], named: [] } },
    location: { file: '', line: 0 },
  } as unknown as ResolvedRule;
}

describe('conditions of layer 4', () => {
  it('of one port are those of a range of one port', () => {
    for (const [protocol, port] of [
      [6, 0],
      [6, 443],
      [17, 53],
      [132, 65535],
      [1, 8],
    ] as const) {
      const rule = ruleOf(protocol, port);
      const base = protocolConditions({ protocol });
      expect(layer4Conditions(rule)).toEqual({
        base,
        numeric: intersect(base, portSet([{ first: port, last: port }])),
      });
    }
  });

  it('are one object for equal rules', () => {
    expect(layer4Conditions(ruleOf(6, 80))).toBe(layer4Conditions(ruleOf(6, 80)));
    expect(layer4Conditions(ruleOf(6, 80, 90))).toBe(layer4Conditions(ruleOf(6, 80, 90)));
    expect(layer4Conditions(ruleOf(6, 80)).base).toBe(layer4Conditions(ruleOf(6, 81)).base);
  });
});
