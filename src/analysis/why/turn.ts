// What would turn a verdict: one small policy after the other, just before whatever decided, until the reference evaluator says that
// the flow is judged the other way.
import { DataplaneError } from '../../base/errors.ts';
import { hostCidr, type IpAddress } from '../../model/address.ts';
import { type Flow, hasPorts, isIcmp } from '../../model/flow.ts';
import type { Direction, Policy } from '../../model/policy.ts';
import { ReferenceEvaluator } from '../../model/reference/evaluator.ts';
import { DEFAULT_RULE_INDEX, PROFILE_TIER, type TraceEntry } from '../../model/trace.ts';
import type { World } from '../../model/world.ts';
import { Inventory } from '../inventory.ts';
import type { ProposedObject } from '../protect/proposal.ts';
import { proposalText } from '../protect/proposal-text.ts';
import { type WorkloadGroup, WorkloadGroups } from '../recommend/groups.ts';
import { enforcedPolicies } from '../recommend/proof.ts';
import { ruleOf } from '../recommend/recommendation.ts';
import type { Need, Peer } from '../recommend/rules.ts';
import { type Unit, Units } from '../recommend/units.ts';
import { PoliciesByTrace, whereOf, writtenEntry } from './entries.ts';

/** One thing that stands in the way, and what would take it out of it. */
export interface TurnStep {
  readonly direction: Direction;
  readonly endpoint: string;
  /** `<tier>|<kind>:<name>|<action>|<rule>` of what decides. */
  readonly decides: string;
  /** `rule`: change or take away that rule. `missing`: no rule of the tier speaks of it. */
  readonly because: 'rule' | 'missing';
  /** `file:line` of the rule, or of the policy that made the tier decide. */
  readonly where?: string;
  /** A policy that does it, as YAML. */
  readonly yaml: string;
}

export interface Turn {
  readonly to: 'allow' | 'deny';
  readonly steps: readonly TurnStep[];
  /** With all of them the flow is judged so, by the reference evaluator. */
  readonly isEnough: boolean;
}

const MAX_STEPS = 8;
const NAME_LENGTH = 60;
/** Orders are numbers of any size: what is just before another leaves it alone. */
const JUST_BEFORE = 0.5;
const FIRST_ORDER = 1000;

/** undefined = neither end is an endpoint whose policy is known. */
export function turnOf(world: World, flow: Flow): Turn | undefined {
  let current = world;
  const before = new ReferenceEvaluator(current).evaluate(flow);
  if (before.egress === null && before.ingress === null) return undefined;
  const to = before.verdict === 'allow' ? 'deny' : 'allow';
  const units = new Units(new WorkloadGroups(new Inventory(world)));
  const steps: TurnStep[] = [];
  while (steps.length < MAX_STEPS) {
    const evaluator = new ReferenceEvaluator(current);
    const { verdict, egress, ingress } = evaluator.evaluate(flow);
    if (verdict === to) return { to, steps, isEnough: true };
    // To deny, one end is enough: that of who is spoken to, where there is one.
    const direction: Direction =
      to === 'allow' ? (egress?.verdict === 'deny' ? 'egress' : 'ingress') : ingress === null ? 'egress' : 'ingress';
    const entry = (direction === 'egress' ? egress : ingress)?.trace.at(-1);
    const group = units.groups.at(direction === 'egress' ? flow.source : flow.destination);
    if (entry === undefined || group === undefined) break;
    const step = stepOf({ current, flow, direction, entry, group, units, to, count: steps.length });
    steps.push(step);
    const added = tryPolicies(step.yaml);
    if (added === undefined) break;
    current = { ...current, policies: new Map([...current.policies, ...added.map((one) => [one.key, one] as const)]) };
  }
  return { to, steps, isEnough: false };
}

interface StepInput {
  readonly current: World;
  readonly flow: Flow;
  readonly direction: Direction;
  readonly entry: TraceEntry;
  readonly group: WorkloadGroup;
  readonly units: Units;
  readonly to: 'allow' | 'deny';
  readonly count: number;
}

function stepOf(input: StepInput): TurnStep {
  const { current, direction, entry, group } = input;
  const { policy, tier, action, ruleIndex } = writtenEntry(entry);
  const decider = new PoliciesByTrace(current).at(policy);
  const where = whereOf(entry.location);
  return {
    direction,
    endpoint: `${group.namespace}/${group.name}`,
    decides: `${tier}|${policy}|${action}|${ruleIndex}`,
    because: ruleIndex === DEFAULT_RULE_INDEX ? 'missing' : 'rule',
    ...(where === undefined ? {} : { where }),
    yaml: proposalText({ why: [], objects: [objectOf(input, decider)] }),
  };
}

function objectOf(
  { flow, direction, entry, group, units, to, count }: StepInput,
  decider: Policy | undefined,
): ProposedObject {
  const { namespace } = group;
  const isProfile = entry.tier === PROFILE_TIER;
  const tier = isProfile ? 'default' : entry.tier;
  const own = `${to}-${group.name}-${direction}${count === 0 ? '' : `-${count + 1}`}`.slice(0, NAME_LENGTH);
  const rule = {
    ...ruleOf(needOf(flow, direction, units), direction, namespace),
    action: to === 'allow' ? 'Allow' : 'Deny',
  };
  // Where no policy governs, one that does would deny all the rest at the end of its tier.
  const rest = isProfile ? [{ why: ['Everything else as before.'], rule: { action: 'Pass' } }] : [];
  return {
    why: [],
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: tier === 'default' ? own : `${tier}.${own}`, namespace },
    spec: {
      tier,
      order: decider?.order === undefined ? FIRST_ORDER : decider.order - JUST_BEFORE,
      selector: group.selector,
      types: [direction === 'ingress' ? 'Ingress' : 'Egress'],
    },
    rules: { [direction]: [{ why: [], rule }, ...rest] },
  };
}

/** undefined = such policies cannot be in that tier. */
function tryPolicies(yaml: string): readonly Policy[] | undefined {
  try {
    return enforcedPolicies(yaml);
  } catch (error) {
    if (error instanceof DataplaneError) return undefined;
    throw error;
  }
}

function needOf(flow: Flow, direction: Direction, units: Units): Need {
  const { protocol, destinationPort: port, icmpType: type, icmpCode: code } = flow;
  const other = direction === 'egress' ? flow.destination : flow.source;
  const unit = units.at(other, direction === 'egress' ? `${protocol} ${port}` : undefined);
  return {
    peer: peerOf(unit, other),
    protocol,
    ...(hasPorts(protocol) ? { ports: [{ first: port, last: port }] } : {}),
    ...(isIcmp(protocol) ? { icmp: { type, code } } : {}),
    evidence: { flows: 1, conversations: 1 },
  };
}

function peerOf(unit: Unit, address: IpAddress): Peer {
  if (unit.kind !== 'address') return unit;
  return {
    kind: 'prefixes',
    prefixes: [{ cidr: hostCidr(address), seen: 1 }],
    hosts: unit.label === undefined ? [] : [unit.label],
  };
}
