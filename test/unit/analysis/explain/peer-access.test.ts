import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../../src/agent/offline.ts';
import { ListCatalog } from '../../../../src/analysis/diff/catalog.ts';
import { FamilyView } from '../../../../src/analysis/diff/family-view.ts';
import { SideRows } from '../../../../src/analysis/diff/side-rows.ts';
import { judgePeers } from '../../../../src/analysis/explain/peer-access.ts';
import { classifyJointly } from '../../../../src/analysis/joint-classes.ts';
import type { ResolvedEndpoint } from '../../../../src/calc/resolved.ts';
import { formatAddress } from '../../../../src/model/address.ts';
import { DIRECTIONS } from '../../../../src/model/policy.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import { l4Index } from '../../../../src/tables/l4-space.ts';
import { newSeed, questionOf, worldOf } from '../../../support/worlds/questions.ts';
import { everySide, type Side } from '../lint/oracle.ts';

const WORLDS = 12;
const MAX_SIDES = 8_000;

/** Now, and with the endpoint's own staged policies enforced. */
function verdicts(evaluator: ReferenceEvaluator, { endpoint, direction, flow }: Side): { now: boolean; then: boolean } {
  const { verdict, egress, ingress } = evaluator.evaluate(flow);
  const own = direction === 'ingress' ? ingress : egress;
  const other = direction === 'ingress' ? egress : ingress;
  expect(own?.endpoint).toBe(endpoint.displayName);
  const then = (own?.pending ?? own)?.verdict === 'allow' && other?.verdict !== 'deny';
  return { now: verdict === 'allow', then };
}

describe('what passes between an endpoint and its peers', () => {
  it(`is what the reference evaluator says of every packet, in ${WORLDS} generated worlds`, {
    timeout: 300_000,
  }, () => {
    const seed = newSeed('explain == reference');
    let staged = 0;
    // Few worlds have a staged policy that changes something; one at least must be among those that were asked.
    for (let index = 0, done = 0; done < WORLDS || (staged === 0 && done < 10 * WORLDS); index += 1) {
      const world = worldOf(questionOf(seed, index, 0).manifests);
      const sides: Side[] = [];
      for (const side of everySide(world)) if (sides.push(side) > MAX_SIDES) break;
      if (sides.length > MAX_SIDES) continue;
      done += 1;
      const desired = desiredStateOf(world, '*');
      const joint = classifyJointly([desired, desired]);
      const catalog = new ListCatalog(joint);
      const state = { world, desired };
      const evaluator = new ReferenceEvaluator(world);
      for (const family of [4, 6] as const) {
        const view = new FamilyView([state, state], joint, catalog, family, new Map());
        const rows = new SideRows(view.groups, catalog, joint.l4, view.space);
        for (const resolved of desired.endpoints.values()) {
          for (const direction of DIRECTIONS) {
            const access = judgePeers(direction, resolved, view, rows, joint);
            const own = sides.filter(
              (side) =>
                side.endpoint.key === resolved.endpoint.key &&
                side.direction === direction &&
                side.flow.source.family === family,
            );
            for (const side of own) staged += checkSide(side, resolved, evaluator, view, access, joint) ? 1 : 0;
          }
        }
      }
    }
    expect(staged).toBeGreaterThan(0);
  });
});

/** Returns whether a staged policy changes the packet's end. */
function checkSide(
  side: Side,
  { endpoint }: ResolvedEndpoint,
  evaluator: ReferenceEvaluator,
  view: FamilyView,
  access: ReturnType<typeof judgePeers>,
  joint: ReturnType<typeof classifyJointly>,
): boolean {
  const { flow, direction } = side;
  const peer = direction === 'ingress' ? flow.source : flow.destination;
  const text = formatAddress(peer);
  if (endpoint.addresses.some((address) => formatAddress(address) === text)) return false;
  const group = view.groups.find(({ owned, class: own }) =>
    owned.length > 0
      ? owned.some(({ address }) => formatAddress(address) === text)
      : own === joint.classOf(peer) && evaluator.endpointAt(peer) === undefined,
  );
  // Several addresses of one endpoint may be judged apart; what passes for any of them is shown.
  if (group === undefined || endpoint.addresses.filter(({ family }) => family === view.family).length > 1) return false;
  const { now, then } = verdicts(evaluator, side);
  const has = (packets: number | undefined): boolean => {
    if (packets === undefined) return false;
    const slice = Math.max(0, view.space.sourceExamples.indexOf(flow.sourcePort));
    const id = joint.l4.classes[l4Index(flow.protocol, flow.destinationPort, flow.icmpType, flow.icmpCode)] as number;
    const word = view.space.bitsOf(packets)[slice * view.space.wordsPerSlice + (id >>> 5)] as number;
    return ((word >>> (id & 31)) & 1) === 1;
  };
  if (!has(view.space.everything)) return false;
  const place = `${endpoint.displayName} ${direction} ${text} ${JSON.stringify(flow)}`;
  expect(has(access.allowed.get(group.index)), place).toBe(now);
  expect(has(access.gained.get(group.index)), place).toBe(then && !now);
  expect(has(access.lost.get(group.index)), place).toBe(now && !then);
  return then !== now;
}
