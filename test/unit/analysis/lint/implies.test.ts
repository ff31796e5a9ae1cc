import { describe, expect, it } from 'vitest';
import { implies, isImpossible } from '../../../../src/analysis/lint/implies.ts';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { matches } from '../../../../src/model/selector/evaluate.ts';
import { parseSelector } from '../../../../src/model/selector/parser.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const ATOMS = [
  'has(a)',
  'a == "x"',
  'a != "x"',
  'a in {"x", "y"}',
  'a not in {"x", "z"}',
  'a starts with "x"',
  'a contains "y"',
  'b == "x"',
  'has(b)',
  'all()',
  'b not in {"x"}',
  'a ends with "y"',
];
const VALUES = [undefined, 'x', 'y', 'z', 'xy', ''];

function selectorText(random: Random, depth: number): string {
  if (depth === 0 || random.chance(35)) return random.pick(ATOMS);
  const negation = random.chance(20) ? '!' : '';
  const operator = random.pick([' && ', ' || ']);
  return `${negation}(${random.list(1, 3, () => selectorText(random, depth - 1)).join(operator)})`;
}

describe('implies', () => {
  it('never claims too much, on generated selectors and every combination of a few labels', {
    timeout: 120_000,
  }, () => {
    const random = new Random(newSeed('implies'));
    let claims = 0;
    for (let round = 0; round < 4000; round += 1) {
      const [narrow, wide] = [parseSelector(selectorText(random, 2)), parseSelector(selectorText(random, 2))];
      const isClaimed = implies(narrow, wide);
      const isEmpty = isImpossible(narrow);
      if (isClaimed) claims += 1;
      for (const a of VALUES) {
        for (const b of VALUES) {
          const lookup = (label: string) => (label === 'a' ? a : b);
          const text = `a=${a} b=${b}: ${formatSelector(narrow)} => ${formatSelector(wide)}`;
          if (isEmpty) expect(matches(narrow, lookup), text).toBe(false);
          if (isClaimed && matches(narrow, lookup)) expect(matches(wide, lookup), text).toBe(true);
        }
      }
    }
    expect(claims).toBeGreaterThan(200);
  });
});
