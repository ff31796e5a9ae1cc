// Tiers and profiles walked rule by rule: the part of the semantics that lists of workloads and of hosts share. Part of
// the reference evaluator; nothing is indexed or shared with calc and tables.
import type { HostEndpoint, WorkloadEndpoint } from '../endpoint.ts';
import type { Flow } from '../flow.ts';
import type { Direction, Policy, Rule } from '../policy.ts';
import { comparePolicies, compareTiers, type EvaluationTier, evaluationTier } from '../policy-order.ts';
import { DEFAULT_RULE_INDEX, PROFILE_TIER, policyTraceEntry, profileTraceEntry, type TraceEntry } from '../trace.ts';
import type { World } from '../world.ts';
import type { Membership } from './membership.ts';
import { ruleMatches } from './rule-match.ts';

export interface TierPolicies {
  readonly tier: EvaluationTier;
  /** In order; at least one. */
  readonly policies: readonly Policy[];
}

export interface Decision {
  readonly entry: TraceEntry;
  readonly isLogged: boolean;
}

/** The way through the tiers: it ended there unless the last entry passes. */
export interface TierWalk {
  readonly trace: readonly TraceEntry[];
  readonly isLogged: boolean;
}

type Endpoint = WorkloadEndpoint | HostEndpoint;

export class PolicyWalk {
  readonly #world: World;
  readonly #membership: Membership;

  constructor(world: World, membership: Membership) {
    this.#world = world;
    this.#membership = membership;
  }

  /** Every policy, staged ones included, that selects the endpoint and is in the list. */
  tiersOf(endpoint: Endpoint, direction: Direction, isListed: (policy: Policy) => boolean): TierPolicies[] {
    const byTier = new Map<string, Policy[]>();
    for (const policy of this.#world.policies.values()) {
      if (!policy.governs[direction] || !isListed(policy)) continue;
      if (!this.#membership.isHolderSelected(endpoint, policy.selector)) continue;
      byTier.set(policy.tier, [...(byTier.get(policy.tier) ?? []), policy]);
    }
    return [...byTier]
      .map(([name, policies]) => ({
        tier: evaluationTier(name, this.#world.tiers.get(name)),
        policies: policies.sort(comparePolicies),
      }))
      .sort((a, b) => compareTiers(a.tier, b.tier));
  }

  /** Tiers in order until one decides. */
  walkTiers(tiers: readonly TierPolicies[], direction: Direction, flow: Flow): TierWalk {
    const trace: TraceEntry[] = [];
    let isLogged = false;
    for (const { tier, policies } of tiers) {
      const decision = this.#walkTier(tier, policies, direction, flow);
      isLogged ||= decision.isLogged;
      trace.push(decision.entry);
      if (decision.entry.action !== 'pass') break;
    }
    return { trace, isLogged };
  }

  /** Profiles in order; without one that decides the packet is denied. */
  walkProfiles(endpoint: Endpoint, direction: Direction, flow: Flow): Decision {
    let isLogged = false;
    for (const name of endpoint.profiles) {
      const profile = this.#world.profiles.get(name);
      if (profile === undefined) return { entry: profileTraceEntry(name, 'deny', 0), isLogged };
      for (const [index, rule] of profile.rules[direction].entries()) {
        if (!ruleMatches(rule, flow, this.#membership)) continue;
        if (rule.action === 'log') isLogged = true;
        else return { entry: profileTraceEntry(name, profileAction(rule), index, rule.location), isLogged };
      }
    }
    return { entry: profileTraceEntry(PROFILE_TIER, 'deny', DEFAULT_RULE_INDEX), isLogged };
  }

  /** The first rule that matches and decides; if none does the tier's default, laid to its last policy. */
  #walkTier(tier: EvaluationTier, policies: readonly Policy[], direction: Direction, flow: Flow): Decision {
    let isLogged = false;
    for (const policy of policies) {
      for (const [index, rule] of policy.rules[direction].entries()) {
        if (!ruleMatches(rule, flow, this.#membership)) continue;
        if (rule.action === 'log') isLogged = true;
        else return { entry: policyTraceEntry(policy, rule.action, index, rule.location), isLogged };
      }
    }
    const last = policies.at(-1) as Policy;
    return { entry: policyTraceEntry(last, tier.defaultAction, DEFAULT_RULE_INDEX, last.location), isLogged };
  }
}

/** Without staged policies, and the tiers that have no others. */
export function enforcedTiers(tiers: readonly TierPolicies[]): TierPolicies[] {
  return tiers
    .map(({ tier, policies }) => ({ tier, policies: policies.filter((policy) => !policy.staged) }))
    .filter(({ policies }) => policies.length > 0);
}

export function hasStaged(tiers: readonly TierPolicies[]): boolean {
  return tiers.some(({ policies }) => policies.some((policy) => policy.staged));
}

/** There is no next tier after profiles: Pass denies. */
function profileAction(rule: Rule): 'allow' | 'deny' {
  return rule.action === 'allow' ? 'allow' : 'deny';
}
