// A case run through the model, as an agent would take it: each step is a change, told to one model, one graph and one compiler.
import { CalcGraph } from '../../../src/calc/graph.ts';
import { ModelStore } from '../../../src/model/build-world.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import type { Cluster, ConformanceCase, Manifest } from './case.ts';
import type { Judge } from './judge.ts';
import { podsIn, statesOf } from './state.ts';
import { type Cell, truthCells } from './truth.ts';

/** Valid until the next step is taken. */
export interface JudgedStep {
  readonly cells: readonly Cell[];
  readonly model: Judge;
  readonly tables: Judge;
}

/** Step by step. Throws the first error of a manifest that is refused. */
export function* judgeSteps(cluster: Cluster, one: ConformanceCase): Generator<JudgedStep> {
  const store = new ModelStore();
  const graph = new CalcGraph(() => true);
  for (const objects of Object.values(store.world)) graph.apply(objects.values(), []);
  const compiler = new TableCompiler();
  let known = new Set<string>();
  for (const { manifests, expect } of statesOf(cluster, one)) {
    const resources = parseManifests(manifests);
    const ids = new Set(resources.map(({ id }) => id));
    const removed = [...known].filter((id) => !ids.has(id));
    const change = store.apply(resources, removed);
    if (change.errors[0] !== undefined) throw change.errors[0];
    graph.apply(change.changed, change.removed);
    known = ids;
    const desired = graph.flush();
    yield {
      cells: truthCells(expect, podsIn(manifests), cluster.ports),
      model: new ReferenceEvaluator(store.world),
      tables: new TableEvaluator(desired, compiler, compiler.compile(desired)),
    };
  }
}

function parseManifests(manifests: readonly Manifest[]) {
  const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const { resources, errors } = parseDocuments(text, 'conformance.yaml');
  if (errors[0] !== undefined) throw errors[0];
  return resources;
}
