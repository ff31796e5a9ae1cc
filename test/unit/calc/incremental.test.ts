import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalcGraph } from '../../../src/calc/graph.ts';
import { buildWorld, ModelStore } from '../../../src/model/build-world.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import type { Manifest } from '../../support/worlds/manifests.ts';
import { describeFlow, newSeed, type Question, questions } from '../../support/worlds/questions.ts';

const FLOWS_PER_WORLD = 60;
const SEQUENCES = Number(process.env.TORTIE_EXACT_SEQUENCES ?? 150);

/** Which manifests of two worlds are there, step by step: a step takes a manifest of either world in, or out. */
interface History {
  readonly first: Question;
  readonly second: Question;
  readonly steps: readonly { readonly world: 0 | 1; readonly pick: number; readonly isRemoval: boolean }[];
}

const histories: fc.Arbitrary<History> = fc.record({
  first: questions(FLOWS_PER_WORLD),
  second: questions(1),
  steps: fc.array(
    fc.record({ world: fc.constantFrom(0 as const, 1 as const), pick: fc.nat(999), isRemoval: fc.boolean() }),
    { minLength: 1, maxLength: 25 },
  ),
});

function parse(manifest: Manifest): Resource {
  return parseDocuments(JSON.stringify(manifest), 'generated.yaml').resources[0] as Resource;
}

describe('a change after a change', () => {
  it(`ends in the tables of a fresh start, over ${SEQUENCES} generated histories`, { timeout: 600_000 }, () => {
    const seed = newSeed('incremental == from scratch');
    fc.assert(
      fc.property(histories, ({ first, second, steps }) => {
        const pools = [first.manifests.map(parse), second.manifests.map(parse)] as const;
        const present = new Map(pools[0].map((resource) => [resource.id, resource]));
        const store = new ModelStore();
        const graph = new CalcGraph(() => true);
        const compiler = new TableCompiler();
        const builtIn = Object.values(store.world).flatMap((objects) => [...objects.values()]);
        graph.apply(builtIn, []);
        const apply = (changed: readonly Resource[], removed: readonly string[]): void => {
          const change = store.apply(changed, removed);
          graph.apply(change.changed, change.removed);
          compiler.compile(graph.flush());
          compiler.retireOlderImages();
        };
        apply([...present.values()], []);
        for (const { world, pick, isRemoval } of steps) {
          const pool = pools[world];
          const resource = pool[pick % pool.length] as Resource;
          if (isRemoval) present.delete(resource.id);
          else present.set(resource.id, resource);
          apply(isRemoval ? [] : [resource], isRemoval ? [resource.id] : []);
        }
        const desired = graph.flush();
        const tables = new TableEvaluator(desired, compiler, compiler.compile(desired));
        const model = new ReferenceEvaluator(buildWorld(present.values()).world);
        for (const flow of first.flows) expect(tables.evaluate(flow), describeFlow(flow)).toEqual(model.evaluate(flow));
      }),
      { numRuns: SEQUENCES, seed },
    );
  });
});
