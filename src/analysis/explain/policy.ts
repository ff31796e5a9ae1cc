// One policy explained: whom it selects, where it stands among the policies of its endpoints, and what each rule says.
import type { DesiredState } from '../../calc/resolved.ts';
import { DIRECTIONS, type Direction, type Policy } from '../../model/policy.ts';
import { evaluationTier } from '../../model/policy-order.ts';
import { formatSelector } from '../../model/selector/canonical.ts';
import { describeSelector } from '../describe-selector.ts';
import { type Inventory, itemKey } from '../inventory.ts';
import { memberName, policyName } from '../object-names.ts';
import { type ExplainedRule, explainRule } from './rule-sentence.ts';

/** Another policy on the way of some of the endpoints. */
export interface Neighbour {
  readonly policy: string;
  readonly tier: string;
  readonly staged: boolean;
  /** How many of the policy's endpoints it governs too. */
  readonly endpoints: number;
}

export interface PolicyDirection {
  readonly direction: Direction;
  readonly rules: readonly ExplainedRule[];
  /** In order of evaluation; of different endpoints the order may interleave. */
  readonly before: readonly Neighbour[];
  readonly after: readonly Neighbour[];
}

export interface PolicyExplanation {
  readonly kind: 'policy';
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly staged: boolean;
  readonly tier: {
    readonly name: string;
    /** false = nothing defines it: evaluated last. */
    readonly exists: boolean;
    /** null = after every number. */
    readonly order: number | null;
    readonly defaultAction: 'deny' | 'pass';
  };
  /** null = after every number. */
  readonly order: number | null;
  readonly selector: string;
  /** The selector in words; empty = every endpoint. */
  readonly selects: string;
  /** Names of the workload and host endpoints that it selects. */
  readonly endpoints: readonly string[];
  /** Untracked and pre-DNAT policies govern no workload. */
  readonly isForWorkloads: boolean;
  /** At host endpoints also to packets that the host forwards. */
  readonly appliesOnForward: boolean;
  /** Directions that it governs. */
  readonly directions: readonly PolicyDirection[];
}

export function explainPolicy(policy: Policy, inventory: Inventory, desired: DesiredState): PolicyExplanation {
  const tier = evaluationTier(policy.tier, inventory.world.tiers.get(policy.tier));
  const selected = inventory.selected(policy.selector).filter(({ object }) => object.type !== 'networkSet');
  return {
    kind: 'policy',
    name: policyName(policy),
    file: policy.location.file,
    line: policy.location.line,
    staged: policy.staged,
    tier: { ...tier, order: Number.isFinite(tier.order) ? tier.order : null },
    order: policy.order ?? null,
    selector: formatSelector(policy.selector),
    selects: describeSelector(policy.selector),
    endpoints: selected.map(({ object }) => memberName(object)).sort(),
    isForWorkloads: !policy.doNotTrack && !policy.preDnat,
    appliesOnForward: policy.applyOnForward,
    directions: DIRECTIONS.filter((direction) => policy.governs[direction]).map((direction) => ({
      direction,
      rules: policy.rules[direction].map((rule, index) => explainRule(rule, index, direction, inventory, selected)),
      ...neighboursOf(policy, direction, inventory, desired),
    })),
  };
}

function neighboursOf(
  policy: Policy,
  direction: Direction,
  inventory: Inventory,
  desired: DesiredState,
): Pick<PolicyDirection, 'before' | 'after'> {
  const before = new Map<string, Neighbour>();
  const after = new Map<string, Neighbour>();
  for (const endpoint of inventory.selectedWorkloads(policy.selector)) {
    const list = desired.endpoints.get(itemKey(endpoint))?.[direction];
    let side = before;
    for (const other of list?.tiers.flatMap(({ policies }) => policies) ?? []) {
      if (other.policy.key === policy.key) {
        side = after;
        continue;
      }
      const { key, tier, staged } = other.policy;
      const endpoints = (side.get(key)?.endpoints ?? 0) + 1;
      side.set(key, { policy: policyName(other.policy), tier, staged, endpoints });
    }
  }
  return { before: [...before.values()], after: [...after.values()] };
}
