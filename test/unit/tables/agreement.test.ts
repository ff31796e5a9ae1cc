import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import { describeFlow, newSeed, questions, worldOf } from '../../support/worlds/questions.ts';

const FLOWS_PER_WORLD = 200;
const WORLDS = Number(process.env.TORTIE_EXACT_WORLDS ?? 500);

describe('compiled tables', () => {
  it(`agree with the reference evaluator on ${WORLDS * FLOWS_PER_WORLD} generated flows`, { timeout: 600_000 }, () => {
    const seed = newSeed('model == tables');
    fc.assert(
      fc.property(questions(FLOWS_PER_WORLD), ({ manifests, flows }) => {
        const world = worldOf(manifests);
        const model = new ReferenceEvaluator(world);
        const compiler = new TableCompiler();
        const desired = desiredStateOf(world, '*');
        const tables = new TableEvaluator(desired, compiler, compiler.compile(desired));
        for (const flow of flows) expect(tables.evaluate(flow), describeFlow(flow)).toEqual(model.evaluate(flow));
      }),
      { numRuns: WORLDS, seed },
    );
  });
});
