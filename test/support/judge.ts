// One question to a few manifests, answered by the reference evaluator and by the compiled tables: what tests of policy
// semantics state their expectations against. The two must agree before anything is returned.
import { expect } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { formatAnswer, parseFlowQuestion } from '../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../src/model/reference/evaluator.ts';
import { TableCompiler } from '../../src/tables/compiler.ts';
import { TableEvaluator } from '../../src/tables/evaluator.ts';
import { worldFrom } from './world-from.ts';

export interface JudgedSide {
  readonly endpoint: string;
  readonly verdict: string;
  readonly trace: readonly string[];
  readonly pending?: { readonly verdict: string; readonly trace: readonly string[] };
}

export interface Judged {
  readonly verdict: string;
  readonly egress: JudgedSide | null;
  readonly ingress: JudgedSide | null;
}

/** The answer of `tortie verdict` to each question. Throws the first error of the manifests. */
export function judge(manifests: string, ...questions: readonly Readonly<Record<string, unknown>>[]): Judged[] {
  const world = worldFrom(manifests);
  const model = new ReferenceEvaluator(world);
  const desired = desiredStateOf(world, '*');
  const compiler = new TableCompiler();
  const tables = new TableEvaluator(desired, compiler, compiler.compile(desired));
  return questions.map((question) => {
    const { flow } = parseFlowQuestion(question);
    const answer = model.evaluate(flow);
    expect(tables.evaluate(flow)).toEqual(answer);
    const { verdict, egress, ingress } = formatAnswer(null, answer) as unknown as Judged;
    return { verdict, egress, ingress };
  });
}
