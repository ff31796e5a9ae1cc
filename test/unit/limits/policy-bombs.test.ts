import { describe, expect, it } from 'vitest';
import { DataplaneError } from '../../../src/base/errors.ts';
import { CalcGraph } from '../../../src/calc/graph.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS } from '../../../src/calc/limits.ts';
import { buildWorld } from '../../../src/model/build-world.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { type BombSize, type Manifest, POLICY_BOMBS } from './policy-bombs.ts';

const SMALL: BombSize = {
  policies: 10,
  rulesPerPolicy: 30,
  selectors: 30,
  pods: 50,
  namespaces: 3,
  netsPerRule: 32,
};
/** 100,000 rules over 1,000 selectors. */
const FULL: BombSize = {
  policies: 100,
  rulesPerPolicy: 1000,
  selectors: 1000,
  pods: 1000,
  namespaces: 100,
  netsPerRule: 32,
};
/** Of processor time; what it takes on a quiet machine is a third of it. */
const FULL_LIMIT_MS = 60_000;
const PLAIN = 'a port and a selector for each rule';

function explode(name: string, size: BombSize): Manifest[] {
  return POLICY_BOMBS[name]?.(size) ?? [];
}

/** `tables`, or the code and the setting of the refusal. Other errors are thrown. */
function outcomeOf(manifests: readonly Manifest[], limits: CalcLimits = DEFAULT_CALC_LIMITS): string {
  const resources = manifests.flatMap((manifest): readonly Resource[] => {
    const { resources: made, errors } = parseDocuments(JSON.stringify(manifest), 'bomb.yaml');
    expect(errors).toEqual([]);
    return made;
  });
  const { world, errors } = buildWorld(resources);
  expect(errors).toEqual([]);
  const graph = new CalcGraph(() => true, limits);
  try {
    for (const objects of Object.values(world)) graph.apply(objects.values(), []);
    new TableCompiler().compile(graph.flush());
    return 'tables';
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    return `${error.code} ${/--limit ([a-z0-9-]+)=/.exec(error.hint ?? '')?.[1] ?? error.target}`;
  }
}

describe('a policy that is meant to cost too much', () => {
  it.each(Object.keys(POLICY_BOMBS))('ends in tables while it is small: %s', { timeout: 60_000 }, (name) => {
    expect(outcomeOf(explode(name, SMALL))).toBe('tables');
  });

  it.each([
    [PLAIN, 'rules', 299],
    [PLAIN, 'listedRules', 600],
    [PLAIN, 'appliedPolicies', 499],
    ['a list of CIDRs for each rule, none like another', 'memberships', 5000],
    ['deep selectors that no index helps with', 'selectorConditions', 10_000],
  ] as const)('ends in a refusal: %s, by limit %s = %i', (name, limit, value) => {
    const setting = limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const limits = { ...DEFAULT_CALC_LIMITS, [limit]: value };
    expect(outcomeOf(explode(name, SMALL), limits)).toBe(`LIMIT_EXCEEDED ${setting}`);
  });

  it('ends in tables or in a refusal, at full size', { timeout: 5 * FULL_LIMIT_MS }, () => {
    const manifests = explode(PLAIN, FULL);
    const startedMs = process.cpuUsage().user / 1000;
    expect(outcomeOf(manifests)).toBe('LIMIT_EXCEEDED listed-rules');
    expect(process.cpuUsage().user / 1000 - startedMs).toBeLessThan(FULL_LIMIT_MS);
  });
});
