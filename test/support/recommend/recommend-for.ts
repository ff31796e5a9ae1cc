// A recommender asked for all of a world, with the flows that a test has seen.
import { parseRecord } from '../../../src/analysis/flow-logs/records.ts';
import { Recommender, type RecommenderOptions } from '../../../src/analysis/recommend/recommender.ts';
import { DEFAULT_MERGING } from '../../../src/analysis/recommend/rules.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import type { FlowRecord } from './shop.ts';

/** Of the reference evaluator. */
export function judgeOf(world: World) {
  const evaluator = new ReferenceEvaluator(world);
  return evaluator.evaluate.bind(evaluator);
}

/** Of every endpoint unless told otherwise. Throws what the recommender refuses. */
export function recommendFor(world: World, records: readonly FlowRecord[], more: Partial<RecommenderOptions> = {}) {
  const recommender = new Recommender({
    world,
    isSubject: () => true,
    openJudge: judgeOf,
    merging: DEFAULT_MERGING,
    tier: 'default',
    order: 1000,
    maxProbes: 2000,
    ...more,
  });
  for (const record of records) {
    const flow = parseRecord(record, undefined);
    if ('skipped' in flow) throw new Error(flow.skipped);
    recommender.add(flow);
  }
  return recommender.finish();
}

/** Whom most tests recommend for. */
export const inShop = ({ namespace }: { readonly namespace: string }): boolean => namespace === 'shop';
/** TCP unless `more` says otherwise. */
export const flow = (src: string, dst: string, dstPort: number, more: FlowRecord = {}): FlowRecord => ({
  src,
  dst,
  protocol: 'TCP',
  dstPort,
  ...more,
});
