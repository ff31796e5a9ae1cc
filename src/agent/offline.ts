// Answers without an agent: a directory of manifests read once, judged by one of the engines.
import type { DataplaneError } from '../base/errors.ts';
import { CalcGraph } from '../calc/graph.ts';
import type { DesiredState } from '../calc/resolved.ts';
import { KernelEvaluator } from '../kernel/evaluator.ts';
import { buildWorld } from '../model/build-world.ts';
import type { Flow } from '../model/flow.ts';
import { ReferenceEvaluator } from '../model/reference/evaluator.ts';
import type { FlowVerdict } from '../model/verdict.ts';
import type { World } from '../model/world.ts';
import { readDirectory } from '../resources/sources/directory.ts';
import { TableCompiler, type TableSizes } from '../tables/compiler.ts';
import { TableEvaluator } from '../tables/evaluator.ts';
import { isLocalNode } from './options.ts';

export type EngineName = 'model' | 'tables' | 'kernel';
export const ENGINES: readonly EngineName[] = ['model', 'tables', 'kernel'];

export interface LoadedManifests {
  readonly world: World;
  /** Objects that were refused; all others are in the world. */
  readonly errors: readonly DataplaneError[];
}

/** One way to judge flows. */
export interface Engine {
  evaluate(flow: Flow): FlowVerdict;
  close(): void;
}

/** A directory that cannot be read is an error in the result, like everything else that is wrong with it. */
export function loadManifests(directory: string): LoadedManifests {
  const snapshot = readDirectory(directory);
  const { world, errors } = buildWorld(snapshot.objects.values());
  return { world, errors: [...snapshot.errors, ...errors] };
}

/** What a node must enforce; `*` = every node's endpoints. */
export function desiredStateOf(world: World, node: string): DesiredState {
  const graph = new CalcGraph(isLocalNode(node));
  for (const objects of Object.values(world)) graph.apply(objects.values(), []);
  return graph.flush();
}

/** Builds what the engine needs. Throws TABLE_FULL; for the kernel also PERMISSION, PROGRAM_REJECTED, OBJECT_MISSING. */
export function openEngine(name: EngineName, world: World, node: string, sizes?: TableSizes): Engine {
  if (name === 'model') {
    const evaluator = new ReferenceEvaluator(world, isLocalNode(node));
    return { evaluate: (flow) => evaluator.evaluate(flow), close: () => undefined };
  }
  const desired = desiredStateOf(world, node);
  if (name === 'kernel') return new KernelEvaluator(desired, { sizes });
  const compiler = new TableCompiler(sizes);
  const evaluator = new TableEvaluator(desired, compiler, compiler.compile(desired));
  return { evaluate: (flow) => evaluator.evaluate(flow), close: () => undefined };
}
