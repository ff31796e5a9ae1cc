// What recommended policies let through, in worlds and of flows that are generated.
import { expect, it } from 'vitest';
import { EXACT_PORTS } from '../../../../src/analysis/recommend/port-ranges.ts';
import { EXACT_ADDRESSES } from '../../../../src/analysis/recommend/prefixes.ts';
import { enforcedPolicies } from '../../../../src/analysis/recommend/proof.ts';
import { DEFAULT_MERGING } from '../../../../src/analysis/recommend/rules.ts';
import { parseFlowQuestion } from '../../../../src/model/flow-question.ts';
import { judgeOf, recommendFor } from '../../../support/recommend/recommend-for.ts';
import {
  classOf,
  type FlowRecord,
  type GeneratedWorld,
  generatedFlow,
  generatedFlows,
  generatedWorld,
} from '../../../support/recommend/shop.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const EXACT = { ports: EXACT_PORTS, addresses: EXACT_ADDRESSES };

it.each([
  ['exactly what was seen', EXACT],
  ['what was seen and what its comments say', DEFAULT_MERGING],
])('lets through %s, in generated worlds, by the reference evaluator', (_, merging) => {
  const seed = newSeed('recommend');
  let replayed = 0;
  let unseen = 0;
  for (let index = 0; index < 30; index++) {
    const random = new Random(seed, index);
    const generated = generatedWorld(random);
    const records = generatedFlows(random, generated, random.between(1, 60));
    const { yaml, proof, evidence } = recommendFor(generated.world, records, { merging });
    const place = `world ${index} of seed ${seed}`;
    expect(proof.replay, place).toMatchObject({ denied: 0, examples: [] });
    expect(proof.unseen, place).toMatchObject({ unexplained: 0, examples: [] });
    expect(evidence.reports + (evidence.unused.elsewhere ?? 0), place).toBe(records.length);
    replayed += checkSeen(yaml, generated, records, place);
    if (merging === EXACT) unseen += checkUnseen(yaml, generated, records, random, place);
  }
  expect(replayed).toBeGreaterThan(300);
  if (merging === EXACT) expect(unseen).toBeGreaterThan(1000);
});

/** Without any of the code that proves: the policies alone, the flows one by one. */
function checkSeen(yaml: string, { world }: GeneratedWorld, records: readonly FlowRecord[], place: string): number {
  const judge = judgeOf({ ...world, policies: new Map(enforcedPolicies(yaml).map((policy) => [policy.key, policy])) });
  for (const record of records) {
    const { egress, ingress } = judge(parseFlowQuestion(record).flow);
    expect([egress?.verdict ?? 'allow', ingress?.verdict ?? 'allow'], `${JSON.stringify(record)} in ${place}`).toEqual([
      'allow',
      'allow',
    ]);
  }
  return records.length;
}

/** Between the ends of the flows: what no two of their kinds were seen to say is denied at each workload's end. */
function checkUnseen(
  yaml: string,
  { world, addresses, outside }: GeneratedWorld,
  records: readonly FlowRecord[],
  random: Random,
  place: string,
): number {
  const judge = judgeOf({ ...world, policies: new Map(enforcedPolicies(yaml).map((policy) => [policy.key, policy])) });
  const keyOf = ({ src, dst, protocol, dstPort, icmpType }: FlowRecord): string =>
    [classOf(world, String(src)), classOf(world, String(dst)), protocol, dstPort, icmpType].join('|');
  const seen = new Set(records.map(keyOf));
  const ends = [...addresses, ...outside];
  let checked = 0;
  for (let tries = 0; tries < 200; tries++) {
    const record = generatedFlow(random, random.pick(ends), random.pick(ends));
    if (record === undefined || seen.has(keyOf(record))) continue;
    const { egress, ingress } = judge(parseFlowQuestion(record).flow);
    if (egress === null && ingress === null) continue;
    checked += 1;
    expect([egress?.verdict ?? 'deny', ingress?.verdict ?? 'deny'], `${JSON.stringify(record)} in ${place}`).toEqual([
      'deny',
      'deny',
    ]);
  }
  return checked;
}
