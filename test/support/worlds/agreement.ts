// Holds one engine to another on generated worlds and flows, and reports the smallest manifests that tell them apart.
import { isEqual } from '../../../src/base/equal.ts';
import type { Flow } from '../../../src/model/flow.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { FlowVerdict } from '../../../src/model/verdict.ts';
import type { World } from '../../../src/model/world.ts';
import type { Manifest } from './manifests.ts';
import { Progress } from './progress.ts';
import { describeFlow, describeVerdict, questionOf, worldOf } from './questions.ts';
import { smallest } from './smallest.ts';

/** Time for finding out what a difference hangs on. */
const REDUCE_MS = 60_000;

export interface Judge {
  evaluate(flow: Flow): FlowVerdict;
  close?(): void;
}

/** How much a run judges. */
export interface RunSize {
  readonly flows: number;
  readonly flowsPerWorld: number;
  /** Number of the first world; each has its own choices. */
  readonly firstWorld: number;
  /** For the test runner; 0 = none. */
  readonly timeoutMs: number;
}

export interface AgreementRun extends RunSize {
  /** Of reports: `model == tables`. */
  readonly subject: string;
  readonly seed: number;
  /** The engine that is held to the reference evaluator. */
  readonly open: (world: World) => Judge;
}

/** Past a host's interfaces, of either engine: of one seed both are asked the same. */
export const HOST_FLOWS = { flows: 100_000, flowsPerWorld: 1000 } as const;

/** The usual size, unless the environment asks for another: TORTIE_EXACT_FLOWS, TORTIE_EXACT_FIRST. */
export function sizeOfRun(usual: Pick<RunSize, 'flows' | 'flowsPerWorld'>): RunSize {
  const { TORTIE_EXACT_FLOWS: asked, TORTIE_EXACT_FIRST: first } = process.env;
  const flows = Number(asked ?? usual.flows);
  return { ...usual, flows, firstWorld: Number(first ?? 0), timeoutMs: asked === undefined ? 600_000 : 0 };
}

/** Throws an Error with the smallest manifests and a flow on which the engine and the reference evaluator differ. */
export function expectAgreement(run: AgreementRun): void {
  const { subject, seed, firstWorld, flowsPerWorld } = run;
  const progress = new Progress(subject, run.flows, 'flows');
  for (let index = firstWorld; progress.left > 0; index++) {
    const { manifests, flows } = questionOf(seed, index, Math.min(flowsPerWorld, progress.left));
    const difference = findDifference(worldOf(manifests), flows, run.open);
    if (difference !== undefined) throw reportOf(run, index, manifests, difference);
    progress.add(flows.length);
  }
  progress.end();
}

interface Difference {
  readonly flow: Flow;
  readonly expected: FlowVerdict;
  readonly found: FlowVerdict;
}

function findDifference(world: World, flows: readonly Flow[], open: AgreementRun['open']): Difference | undefined {
  const model = new ReferenceEvaluator(world);
  const judge = open(world);
  try {
    for (const flow of flows) {
      const [expected, found] = [model.evaluate(flow), judge.evaluate(flow)];
      if (!isEqual(expected, found)) return { flow, expected, found };
    }
    return undefined;
  } finally {
    judge.close?.();
  }
}

function reportOf(run: AgreementRun, index: number, manifests: readonly Manifest[], { flow }: Difference): Error {
  const differenceIn = (candidate: readonly Manifest[]): Difference | undefined => {
    try {
      return findDifference(worldOf(candidate), [flow], run.open);
    } catch {
      return undefined;
    }
  };
  const few = smallest(manifests, (candidate) => differenceIn(candidate) !== undefined, REDUCE_MS);
  const difference = differenceIn(few);
  const lines = [
    `${run.subject} differ in world ${index}; again: TORTIE_SEED=${run.seed} TORTIE_EXACT_FIRST=${index}`,
    ...few.map((manifest) => JSON.stringify(manifest)),
    `flow     ${describeFlow(flow)}`,
  ];
  if (difference !== undefined) {
    lines.push(`model    ${describeVerdict(difference.expected)}`);
    lines.push(`other    ${describeVerdict(difference.found)}`);
  }
  return new Error(lines.join('\n'));
}
