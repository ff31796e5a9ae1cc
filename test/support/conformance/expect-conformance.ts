// The tests of a suite that need no kernel: every truth table in the reference evaluator and in compiled tables, and who decided.
import { describe, expect, it } from 'vitest';
import type { ConformanceSuite } from './case.ts';
import { judgeCells } from './judge.ts';
import { judgeSteps } from './judge-steps.ts';

/** Defines one test for each case. `deciders` are those that judgeCells may name. */
export function expectConformance(suite: ConformanceSuite, deciders: readonly string[]): void {
  for (const { name, cases } of suite.groups) {
    describe(name, () => {
      it.each(cases)('$name', (one) => {
        for (const { cells, model, tables } of judgeSteps(suite.cluster, one)) {
          for (const [engine, judge] of [['reference evaluator', model] as const, ['tables', tables] as const]) {
            const judgement = judgeCells(judge, cells);
            expect(judgement.disagreements, engine).toEqual([]);
            expect(deciders, engine).toEqual(expect.arrayContaining([...judgement.deciders]));
          }
        }
      });
    });
  }
}
