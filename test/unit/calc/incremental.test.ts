import { describe, expect, it } from 'vitest';
import { isEqual } from '../../../src/base/equal.ts';
import { CalcGraph } from '../../../src/calc/graph.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import { ModelStore } from '../../../src/model/build-world.ts';
import type { Flow } from '../../../src/model/flow.ts';
import type { HostInterface } from '../../../src/model/host-interfaces.ts';
import type { PathFlow } from '../../../src/model/path.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { ReferencePathEvaluator } from '../../../src/model/reference/path-evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { TablePathEvaluator } from '../../../src/tables/path-evaluator.ts';
import { type Batch, endOf, historyOf, resourcesOfBatch } from '../../support/worlds/histories.ts';
import { interfacesOf, pathsAmong } from '../../support/worlds/hosts.ts';
import { Progress } from '../../support/worlds/progress.ts';
import { describeFlow, describeTraces, describeVerdict, flowsAmong, newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';
import { smallest } from '../../support/worlds/smallest.ts';
import { contentOf } from '../../support/worlds/state-content.ts';

const FLOWS_PER_HISTORY = 60;
const PATHS_PER_HISTORY = 60;
const HISTORIES = Number(process.env.TORTIE_EXACT_HISTORIES ?? 150);
const FIRST = Number(process.env.TORTIE_EXACT_FIRST ?? 0);
const TIMEOUT_MS = process.env.TORTIE_EXACT_HISTORIES === undefined ? 600_000 : 0;
const REDUCE_MS = 60_000;

interface Outcome {
  readonly world: World;
  readonly desired: DesiredState;
  readonly image: TableImage;
  readonly compiler: TableCompiler;
}

/** What both ends are asked. */
interface Asked {
  readonly flows: readonly Flow[];
  readonly interfaces: readonly HostInterface[];
  readonly paths: readonly PathFlow[];
}

type IsLocal = (endpoint: { readonly node: string }) => boolean;

/** Takes the batches in one after the other, as an agent does. */
function follow(batches: readonly Batch[], isLocal: IsLocal): Outcome {
  const store = new ModelStore();
  const graph = new CalcGraph(isLocal);
  const compiler = new TableCompiler();
  for (const objects of Object.values(store.world)) graph.apply(objects.values(), []);
  for (const batch of batches) {
    const change = store.apply(resourcesOfBatch(batch), batch.remove);
    graph.apply(change.changed, change.removed);
    if (batch.isCompiled) compiler.compile(graph.flush());
    if (batch.isRetired) compiler.retireOlderImages();
  }
  const desired = graph.flush();
  const image = compiler.compile(desired);
  return { world: store.world, desired, image, compiler };
}

/** The same end in one batch. */
function startFresh(batches: readonly Batch[], isLocal: IsLocal): Outcome {
  const store = new ModelStore();
  store.apply(endOf(batches).values());
  const graph = new CalcGraph(isLocal);
  for (const objects of Object.values(store.world)) graph.apply(objects.values(), []);
  const desired = graph.flush();
  const compiler = new TableCompiler();
  const image = compiler.compile(desired);
  return { world: store.world, desired, image, compiler };
}

/** What the two ways to the same end disagree on; undefined = nothing. */
function disagreement(batches: readonly Batch[], asked: Asked, isLocal: IsLocal): string | undefined {
  const [followed, fresh] = [follow(batches, isLocal), startFresh(batches, isLocal)];
  for (const type of Object.keys(fresh.world) as (keyof World)[]) {
    const [here, there] = [followed.world[type], fresh.world[type]];
    if (!isEqual(sorted(here), sorted(there))) return `${type} of the world`;
  }
  if (!isEqual(contentOf(followed.desired), contentOf(fresh.desired))) return 'the desired state';
  if (!isEqual(followed.image.counts, fresh.image.counts)) {
    return `counts: ${JSON.stringify(followed.image.counts)}, fresh ${JSON.stringify(fresh.image.counts)}`;
  }
  return wrongFlow(followed, fresh.world, asked, isLocal) ?? wrongPath(followed, fresh.world, asked, isLocal);
}

function wrongFlow({ desired, compiler, image }: Outcome, world: World, { flows }: Asked, isLocal: IsLocal) {
  const model = new ReferenceEvaluator(world, isLocal);
  const tables = new TableEvaluator(desired, compiler, image);
  for (const flow of flows) {
    const [found, expected] = [tables.evaluate(flow), model.evaluate(flow)];
    if (isEqual(found, expected)) continue;
    return `flow ${describeFlow(flow)}: ${describeVerdict(found)}, model ${describeVerdict(expected)}`;
  }
  return undefined;
}

function wrongPath(
  { desired, compiler, image }: Outcome,
  world: World,
  { interfaces, paths }: Asked,
  isLocal: IsLocal,
) {
  const model = new ReferencePathEvaluator(world, interfaces, isLocal);
  const tables = new TablePathEvaluator(desired, interfaces, compiler, image);
  for (const question of paths) {
    const [found, expected] = [tables.evaluatePath(question), model.evaluatePath(question)];
    if (isEqual(found, expected)) continue;
    return `packet ${JSON.stringify(question)}: ${describeTraces(found)}, model ${describeTraces(expected)}`;
  }
  return undefined;
}

function sorted(objects: ReadonlyMap<string, unknown>): unknown[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Which endpoints are this node's: all, or some, so that edits move endpoints from node to node. */
function localityOf(index: number): IsLocal {
  return index % 2 === 0 ? () => true : ({ node }) => node === 'node1';
}

function reportOf(seed: number, index: number, batches: readonly Batch[], asked: Asked): string {
  const find = (candidate: readonly Batch[]): string | undefined => {
    try {
      return disagreement(candidate, asked, localityOf(index));
    } catch {
      return undefined;
    }
  };
  const few = smallest(batches, (candidate) => find(candidate) !== undefined, REDUCE_MS);
  const again = `again: TORTIE_SEED=${seed} TORTIE_EXACT_FIRST=${index}`;
  return [`history ${index} ends elsewhere; ${again}`, ...few.map((b) => JSON.stringify(b)), find(few)].join('\n');
}

describe('a change after a change', () => {
  it(`ends where a fresh start ends, over ${HISTORIES} generated histories`, { timeout: TIMEOUT_MS }, () => {
    const subject = 'incremental == from scratch';
    const seed = newSeed(subject);
    const progress = new Progress(subject, HISTORIES, 'histories');
    for (let index = FIRST; index < FIRST + HISTORIES; index++) {
      const random = new Random(seed, index);
      const batches = historyOf(random);
      const everything = batches.flatMap(({ set }) => set);
      const flows = flowsAmong(random, everything, FLOWS_PER_HISTORY);
      const interfaces = interfacesOf(random, everything);
      const asked = { flows, interfaces, paths: pathsAmong(random, everything, interfaces, PATHS_PER_HISTORY) };
      const found = disagreement(batches, asked, localityOf(index));
      if (found !== undefined) expect.fail(`${found}\n${reportOf(seed, index, batches, asked)}`);
      progress.add(1);
    }
    progress.end();
  });
});
