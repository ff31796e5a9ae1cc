// The reference evaluator: policy semantics as one would explain them, slow and obvious. Tests hold the compiled
// tables and the kernel to its answers, `tortie verdict --engine model` asks it directly.
import { formatAddress, type IpAddress } from '../address.ts';
import type { WorkloadEndpoint } from '../endpoint.ts';
import type { Flow } from '../flow.ts';
import { isLinkScopeDiscovery } from '../link-scope.ts';
import type { Direction, Policy, Rule } from '../policy.ts';
import { comparePolicies, compareTiers, type EvaluationTier, evaluationTier } from '../policy-order.ts';
import { DEFAULT_RULE_INDEX, PROFILE_TIER, policyTraceEntry, profileTraceEntry, type TraceEntry } from '../trace.ts';
import type { FlowVerdict, SideVerdict } from '../verdict.ts';
import { combineSides, pendingVerdict, unjudgedSide } from '../verdict.ts';
import type { World } from '../world.ts';
import { Membership } from './membership.ts';
import { ruleMatches } from './rule-match.ts';

interface TierPolicies {
  readonly tier: EvaluationTier;
  /** In order; at least one. */
  readonly policies: readonly Policy[];
}

export class ReferenceEvaluator {
  readonly #world: World;
  readonly #membership: Membership;
  readonly #byAddress = new Map<string, WorkloadEndpoint>();

  /** Only the endpoints that isJudged accepts have sides in a verdict; all of them are members of sets. */
  constructor(world: World, isJudged: (endpoint: WorkloadEndpoint) => boolean = () => true) {
    this.#world = world;
    this.#membership = new Membership(world);
    for (const endpoint of world.workloadEndpoints.values()) {
      if (!isJudged(endpoint)) continue;
      for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), endpoint);
    }
  }

  /** The workload endpoint that owns the address. */
  endpointAt(address: IpAddress): WorkloadEndpoint | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  /** Egress policy of the source's endpoint and ingress policy of the destination's, each judged whatever the other says. */
  evaluate(flow: Flow): FlowVerdict {
    const sender = this.endpointAt(flow.source);
    const receiver = this.endpointAt(flow.destination);
    return combineSides(
      sender === undefined ? null : this.evaluateSide(sender, 'egress', flow),
      receiver === undefined ? null : this.evaluateSide(receiver, 'ingress', flow),
    );
  }

  /** One endpoint's policy in one direction, and what it would be if its staged policies were enforced. */
  evaluateSide(endpoint: WorkloadEndpoint, direction: Direction, flow: Flow): SideVerdict {
    if (isLinkScopeDiscovery(flow)) return unjudgedSide(endpoint.displayName);
    const all = this.#tiersOf(endpoint, direction);
    const enforced = all
      .map(({ tier, policies }) => ({ tier, policies: policies.filter((policy) => !policy.staged) }))
      .filter(({ policies }) => policies.length > 0);
    const side = { endpoint: endpoint.displayName, ...this.#walk(endpoint, enforced, direction, flow) };
    if (!all.some(({ policies }) => policies.some((policy) => policy.staged))) return side;
    return { ...side, pending: pendingVerdict(this.#walk(endpoint, all, direction, flow).trace) };
  }

  /** Tiers in order, then profiles. */
  #walk(endpoint: WorkloadEndpoint, tiers: readonly TierPolicies[], direction: Direction, flow: Flow): Walk {
    const trace: TraceEntry[] = [];
    let isLogged = false;
    for (const { tier, policies } of tiers) {
      const decision = this.#walkTier(tier, policies, direction, flow);
      isLogged ||= decision.isLogged;
      trace.push(decision.entry);
      if (decision.entry.action !== 'pass') return { verdict: decision.entry.action, trace, isLogged };
    }
    const { entry, isLogged: isProfileLogged } = this.#walkProfiles(endpoint, direction, flow);
    trace.push(entry);
    return { verdict: entry.action === 'allow' ? 'allow' : 'deny', trace, isLogged: isLogged || isProfileLogged };
  }

  #tiersOf(endpoint: WorkloadEndpoint, direction: Direction): TierPolicies[] {
    const byTier = new Map<string, Policy[]>();
    for (const policy of this.#world.policies.values()) {
      if (!policy.governs[direction] || policy.doNotTrack || policy.preDnat) continue;
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

  #walkProfiles(endpoint: WorkloadEndpoint, direction: Direction, flow: Flow): Decision {
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
}

type Walk = Pick<SideVerdict, 'verdict' | 'trace' | 'isLogged'>;

interface Decision {
  readonly entry: TraceEntry;
  readonly isLogged: boolean;
}

/** There is no next tier after profiles: Pass denies. */
function profileAction(rule: Rule): 'allow' | 'deny' {
  return rule.action === 'allow' ? 'allow' : 'deny';
}
