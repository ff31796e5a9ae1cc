import { describe, expect, it } from 'vitest';
import { classifyJointly, type JointClassification } from '../../../src/analysis/joint-classes.ts';
import { allowedClasses } from '../../../src/analysis/walk.ts';
import type { IpAddress } from '../../../src/model/address.ts';
import type { Flow } from '../../../src/model/flow.ts';
import { isLinkScopeDiscovery } from '../../../src/model/link-scope.ts';
import { DIRECTIONS } from '../../../src/model/policy.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { BitSet } from '../../../src/tables/bit-sets.ts';
import { l4Index } from '../../../src/tables/l4-space.ts';
import { statesOf } from '../../support/diff/states.ts';
import { manifestsOf } from '../../support/worlds/manifests.ts';
import { describeFlow, flowsAmong, newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

const WORLDS = 25;
const FLOWS = 100;

type Resolved = NonNullable<ReturnType<ReturnType<typeof statesOf>[0]['desired']['endpoints']['get']>>;

/** The walk's answer for one flow: the verdict, and the rules that take its class, as `<policy> <rule>`. */
function walk(
  joint: JointClassification,
  list: Resolved['egress'],
  flow: Flow,
): { isAllowed: boolean; takers: string[] } {
  const programs = joint.programs[0]?.get(list);
  if (programs === undefined) throw new Error('no program for the list');
  const setsOf = (address: IpAddress): ReadonlySet<number> => joint.classOf(address).sets[0] ?? new Set();
  const [own, other] = list.direction === 'egress' ? [flow.source, flow.destination] : [flow.destination, flow.source];
  const sets = { local: setsOf(own), peer: setsOf(other) };
  const id = joint.l4.classes[l4Index(flow.protocol, flow.destinationPort, flow.icmpType, flow.icmpCode)] as number;
  const has = (bits: BitSet): boolean => (((bits[id >>> 5] as number) >>> (id & 31)) & 1) === 1;
  const takers: string[] = [];
  const key = { family: own.family, sets, sourcePort: flow.sourcePort };
  const allowed = allowedClasses(programs.enforced, key, joint.l4, {
    onRule: ({ action, entry }, _hits, taken) => {
      if (action !== 'log' && has(taken)) takers.push(`${entry.name} ${entry.ruleIndex}`);
    },
  });
  return { isAllowed: has(allowed), takers };
}

describe('allowedClasses', () => {
  it('allows what the reference evaluator allows, by the same rules', { timeout: 120_000 }, () => {
    const seed = newSeed('walk == model');
    for (let index = 0; index < WORLDS; index += 1) {
      const random = new Random(seed, index);
      const manifests = manifestsOf(random);
      const [state] = statesOf(manifests, manifests);
      const model = new ReferenceEvaluator(state.world);
      const joint = classifyJointly([state.desired]);
      const resolved = new Map([...state.desired.endpoints.values()].map((one) => [one.endpoint.key, one]));
      for (const flow of flowsAmong(random, manifests, FLOWS)) {
        for (const direction of DIRECTIONS) {
          const endpoint = model.endpointAt(direction === 'egress' ? flow.source : flow.destination);
          if (endpoint === undefined || isLinkScopeDiscovery(flow)) continue;
          const found = walk(joint, (resolved.get(endpoint.key) as Resolved)[direction], flow);
          const { verdict, trace } = model.evaluateSide(endpoint, direction, flow);
          const rules = trace
            .filter(({ ruleIndex }) => ruleIndex >= 0)
            .map(({ name, ruleIndex }) => `${name} ${ruleIndex}`);
          const expected = { isAllowed: verdict === 'allow', takers: rules };
          expect(found, `world ${index}: ${direction} ${describeFlow(flow)}`).toEqual(expected);
        }
      }
    }
  });
});
