// Holds one engine for packets past a host's interfaces to the reference evaluator, and reports the smallest manifests
// that tell them apart.
import { isEqual } from '../../../src/base/equal.ts';
import type { HostInterface } from '../../../src/model/host-interfaces.ts';
import type { PathFlow, PathVerdict } from '../../../src/model/path.ts';
import { ReferencePathEvaluator } from '../../../src/model/reference/path-evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import type { RunSize } from './agreement.ts';
import { hostQuestionOf } from './hosts.ts';
import { Progress } from './progress.ts';
import { describeFlow, describeTraces, worldOf } from './questions.ts';
import { smallest } from './smallest.ts';

/** Time for finding out what a difference hangs on. */
const REDUCE_MS = 60_000;

export interface PathJudge {
  evaluatePath(question: PathFlow): PathVerdict;
  close?(): void;
}

export interface PathAgreementRun extends RunSize {
  /** Of reports: `model == tables`. */
  readonly subject: string;
  readonly seed: number;
  /** The engine that is held to the reference evaluator. */
  readonly open: (world: World, interfaces: readonly HostInterface[]) => PathJudge;
  /** Questions that the engine can be asked; all, unless given. */
  readonly isAsked?: (question: PathFlow) => boolean;
  /** Of an engine that does not tell all; every stage counts otherwise. */
  readonly isSame?: (expected: PathVerdict, found: PathVerdict) => boolean;
}

interface Difference {
  readonly question: PathFlow;
  readonly expected: PathVerdict;
  readonly found: PathVerdict;
}

/** Throws an Error with the smallest manifests and a packet on which the engine and the reference evaluator differ. */
export function expectPathAgreement(run: PathAgreementRun): void {
  const { subject, seed, firstWorld, flowsPerWorld } = run;
  const progress = new Progress(subject, run.flows, 'flows');
  for (let index = firstWorld; progress.left > 0; index++) {
    const { manifests, interfaces, questions } = hostQuestionOf(seed, index, Math.min(flowsPerWorld, progress.left));
    const differenceIn = (candidate: typeof manifests, asked: readonly PathFlow[]): Difference | undefined =>
      findDifference(worldOf(candidate), interfaces, asked, run);
    const difference = differenceIn(manifests, questions);
    if (difference !== undefined) {
      const { question } = difference;
      const few = smallest(
        manifests,
        (candidate) => attempt(() => differenceIn(candidate, [question])) !== undefined,
        REDUCE_MS,
      );
      throw new Error(
        [
          `${subject} differ in world ${index}; again: TORTIE_SEED=${seed} TORTIE_EXACT_FIRST=${index}`,
          ...few.map((manifest) => JSON.stringify(manifest)),
          `interfaces ${JSON.stringify(interfaces)}`,
          ...describe(attempt(() => differenceIn(few, [question])) ?? difference),
        ].join('\n'),
      );
    }
    progress.add(questions.length);
  }
  progress.end();
}

function findDifference(
  world: World,
  interfaces: readonly HostInterface[],
  questions: readonly PathFlow[],
  { open, isSame = isEqual, isAsked = () => true }: PathAgreementRun,
): Difference | undefined {
  const model = new ReferencePathEvaluator(world, interfaces);
  const judge = open(world, interfaces);
  try {
    for (const question of questions.filter(isAsked)) {
      const [expected, found] = [model.evaluatePath(question), judge.evaluatePath(question)];
      if (!isSame(expected, found)) return { question, expected, found };
    }
    return undefined;
  } finally {
    judge.close?.();
  }
}

/** Of manifests that are no world any more nothing is asked. */
function attempt<T>(work: () => T | undefined): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function describe({ question, expected, found }: Difference): string[] {
  return [
    `flow     ${describeFlow(question.flow)}`,
    `path     ${JSON.stringify({ ...question.path, beforeNat: question.beforeNat })}`,
    `model    ${describeTraces(expected)}`,
    `other    ${describeTraces(found)}`,
  ];
}
