import { describe, expect, it } from 'vitest';
import { createContext, type LintContext, type RuleSubject } from '../../../../src/analysis/lint/context.ts';
import { analyseReach, type RuleFate } from '../../../../src/analysis/lint/reach.ts';
import { newSeed, questionOf, resourcesOf } from '../../../support/worlds/questions.ts';
import { everySide, isWithoutEffect, type Side, slowFates } from './oracle.ts';

const WORLDS = Number(process.env.TORTIE_LINT_WORLDS ?? 20);
/** Judging every packet takes time in proportion to this; larger worlds say nothing new. */
const MAX_SIDES = 15_000;
const REDUNDANT_CHECKED = 3;

interface Judged {
  readonly subject: RuleSubject;
  readonly fate: RuleFate;
}

/** Rules of enforced policies; what is said of staged ones is about another world. */
function enforcedFates(context: LintContext): Map<string, Judged> {
  const judged = [...analyseReach(context).fates].map(([key, fate]): [string, Judged] => {
    return [key, { subject: context.subjects.get(key) as RuleSubject, fate }];
  });
  return new Map(judged.filter(([, { subject }]) => subject.owner.kind === 'policy' && !subject.owner.object.staged));
}

/** Traces do not show that a Log rule was come to. */
function comparable(isLog: boolean, { isMet, isTaken }: Pick<RuleFate, 'isMet' | 'isTaken'>) {
  return isLog ? { isMet } : { isMet, isTaken };
}

describe('the fate of rules', () => {
  it(`is what the reference evaluator says of every packet, in ${WORLDS} generated worlds`, {
    timeout: 600_000,
  }, () => {
    const seed = newSeed('lint == reference');
    const seen = { unmet: 0, unreached: 0, redundant: 0, needed: 0 };
    for (let index = 0, done = 0; done < WORLDS; index += 1) {
      const context = createContext(resourcesOf(questionOf(seed, index, 0).manifests), []);
      const sides: Side[] = [];
      for (const side of everySide(context.world)) if (sides.push(side) > MAX_SIDES) break;
      if (sides.length > MAX_SIDES) continue;
      done += 1;
      const judged = enforcedFates(context);
      const found = [...judged].map(([key, { subject, fate }]) => [
        key,
        comparable(subject.rule.action === 'log', fate),
      ]);
      const slow = [...slowFates(context.world, sides)].map(([key, fate]) => {
        return [key, comparable(context.subjects.get(key)?.rule.action === 'log', fate)];
      });
      expect(Object.fromEntries(found), `world ${index}`).toEqual(Object.fromEntries(slow));
      const takers = [...judged.values()].filter(({ subject, fate }) => fate.isTaken && subject.rule.action !== 'log');
      const redundant = takers.filter(({ fate }) => fate.isRedundant).slice(0, REDUNDANT_CHECKED);
      const needed = takers.filter(({ fate }) => !fate.isRedundant).slice(0, REDUNDANT_CHECKED);
      for (const { subject, fate } of [...redundant, ...needed]) {
        const isIdle = isWithoutEffect(context.world, sides, subject);
        expect(isIdle, `world ${index} ${subject.key}`).toBe(fate.isRedundant);
      }
      for (const { fate } of judged.values()) {
        if (!fate.isMet) seen.unmet += 1;
        else if (!fate.isTaken) seen.unreached += 1;
      }
      seen.redundant += redundant.length;
      seen.needed += needed.length;
    }
    for (const [kind, number] of Object.entries(seen)) expect(number, kind).toBeGreaterThan(0);
  });
});
