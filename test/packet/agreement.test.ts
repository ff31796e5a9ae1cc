import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalcGraph } from '../../src/calc/graph.ts';
import { KernelEvaluator } from '../../src/kernel/evaluator.ts';
import { ReferenceEvaluator } from '../../src/model/reference/evaluator.ts';
import { describeFlow, newSeed, questions, worldOf } from '../support/worlds/questions.ts';

const FLOWS_PER_WORLD = 200;
const WORLDS = Number(process.env.TORTIE_EXACT_WORLDS ?? 100);

describe('loaded programs', () => {
  it(`agree with the reference evaluator on ${WORLDS * FLOWS_PER_WORLD} generated flows`, { timeout: 600_000 }, () => {
    const seed = newSeed('kernel == model');
    fc.assert(
      fc.property(questions(FLOWS_PER_WORLD), ({ manifests, flows }) => {
        const world = worldOf(manifests);
        const model = new ReferenceEvaluator(world);
        const graph = new CalcGraph(() => true);
        for (const objects of Object.values(world)) graph.apply(objects.values(), []);
        const kernel = new KernelEvaluator(graph.flush());
        try {
          for (const flow of flows) expect(kernel.evaluate(flow), describeFlow(flow)).toEqual(model.evaluate(flow));
        } finally {
          kernel.close();
        }
      }),
      { numRuns: WORLDS, seed },
    );
  });
});
