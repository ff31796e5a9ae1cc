// Which policies and profiles apply to each local endpoint, in order. Endpoints that agree share one PolicyList.
//
//   SelectorIndex --onMatch / onMismatch-->  PolicyResolver  --endpoints-->  DesiredState
//   tiers, policies, profiles ----------->
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { Direction, Policy, Profile, Tier } from '../model/policy.ts';
import { comparePolicies, compareTiers, evaluationTier } from '../model/policy-order.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import type {
  LabelledItem,
  PolicyList,
  ResolvedEndpoint,
  ResolvedPolicy,
  ResolvedProfile,
  ResolvedRules,
  ResolvedTier,
} from './resolved.ts';
import type { RuleScanner } from './rule-scanner.ts';
import type { MatchListener, SelectorIndex } from './selector-index.ts';
import { SharedRules } from './shared-rules.ts';

const NO_RULES: ResolvedRules = { version: 0, ingress: [], egress: [] };

/** A policy that may govern local endpoints, and its ear in the selector index. */
class KnownPolicy implements MatchListener {
  policy: Policy;
  readonly #resolver: Matches;

  constructor(policy: Policy, resolver: Matches) {
    this.policy = policy;
    this.#resolver = resolver;
  }

  onMatch(item: LabelledItem): void {
    this.#resolver.match(item, this.policy.key);
  }

  onMismatch(item: LabelledItem): void {
    this.#resolver.unmatch(item.key, this.policy.key);
  }
}

interface Matches {
  match(item: LabelledItem, policyKey: string): void;
  unmatch(itemKey: string, policyKey: string): void;
}

interface LocalEndpoint {
  endpoint: WorkloadEndpoint;
  readonly policies: Set<string>;
}

export class PolicyResolver {
  readonly #selectors: SelectorIndex;
  readonly #limits: CalcLimits;
  readonly #applied: LimitedCount;
  readonly #policies = new Map<string, KnownPolicy>();
  readonly #policyRules: SharedRules;
  readonly #profileRules: SharedRules;
  readonly #tiers = new Map<string, Tier>();
  readonly #profiles = new Map<string, Profile>();
  readonly #local = new Map<string, LocalEndpoint>();
  readonly #resolved = new Map<string, ResolvedEndpoint>();
  readonly #dirty = new Set<string>();
  readonly #lists = new Map<string, PolicyList>();
  /** Of lists in use: counted once, for all lists are looked at after every change. */
  readonly #ruleCounts = new WeakMap<PolicyList, number>();
  readonly #matches: Matches = {
    match: (item, policyKey) => this.#match(item, policyKey),
    unmatch: (itemKey, policyKey) => this.#unmatch(itemKey, policyKey),
  };

  constructor(selectors: SelectorIndex, scanner: RuleScanner, limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#selectors = selectors;
    this.#limits = limits;
    this.#applied = new LimitedCount('appliedPolicies', limits);
    this.#policyRules = new SharedRules(scanner);
    this.#profileRules = new SharedRules(scanner);
  }

  get endpoints(): ReadonlyMap<string, ResolvedEndpoint> {
    return this.#resolved;
  }

  /** undefined = the tier is gone. */
  setTier(name: string, tier: Tier | undefined): void {
    if (tier === undefined) this.#tiers.delete(name);
    else this.#tiers.set(name, tier);
    for (const { policy } of this.#policies.values()) {
      if (policy.tier === name) this.#markUsers(this.#policyRules.users(policy.key));
    }
  }

  /** undefined = the policy is gone. Policies for untracked and pre-DNAT traffic never apply to workloads. */
  setPolicy(key: string, given: Policy | undefined): void {
    const policy = given === undefined || given.doNotTrack || given.preDnat ? undefined : given;
    const known = this.#policies.get(key);
    if (policy !== undefined && known !== undefined && isSameSelector(known.policy, policy)) {
      known.policy = policy;
      this.#policyRules.set(key, policy);
      this.#markUsers(this.#policyRules.users(key));
      return;
    }
    if (known !== undefined) this.#removePolicy(known);
    this.#policyRules.set(key, policy);
    if (policy !== undefined) this.#addPolicy(policy);
  }

  /** undefined = the profile is gone: endpoints that list it deny when they come to it. */
  setProfile(name: string, profile: Profile | undefined): void {
    if (profile === undefined) this.#profiles.delete(name);
    else this.#profiles.set(name, profile);
    this.#profileRules.set(name, profile);
    this.#markUsers(this.#profileRules.users(name));
  }

  /** Called before its labels reach the selector index. */
  setEndpoint(itemKey: string, endpoint: WorkloadEndpoint): void {
    const local = this.#local.get(itemKey);
    for (const profile of local?.endpoint.profiles ?? []) this.#profileRules.removeUser(profile, itemKey);
    for (const profile of endpoint.profiles) this.#profileRules.addUser(profile, itemKey);
    if (local === undefined) this.#local.set(itemKey, { endpoint, policies: new Set() });
    else local.endpoint = endpoint;
    this.#dirty.add(itemKey);
  }

  /** Called after its labels have left the selector index. */
  removeEndpoint(itemKey: string): void {
    for (const profile of this.#local.get(itemKey)?.endpoint.profiles ?? [])
      this.#profileRules.removeUser(profile, itemKey);
    this.#local.delete(itemKey);
    this.#dirty.add(itemKey);
  }

  /** Brings `endpoints` up to date: work in proportion to the endpoints that changes touched. Throws LIMIT_EXCEEDED. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const itemKey of this.#dirty) {
      const local = this.#local.get(itemKey);
      if (local === undefined) this.#resolved.delete(itemKey);
      else this.#resolved.set(itemKey, this.#resolve(local));
    }
    this.#dirty.clear();
    this.#forgetUnusedLists();
    this.#countListedRules();
  }

  #countListedRules(): void {
    const listed = new LimitedCount('listedRules', this.#limits);
    const lists = new Set<PolicyList>();
    for (const { ingress, egress } of this.#resolved.values()) lists.add(ingress).add(egress);
    for (const list of lists) {
      let rules = this.#ruleCounts.get(list);
      if (rules === undefined) {
        rules = countRules(list);
        this.#ruleCounts.set(list, rules);
      }
      listed.add(rules);
    }
  }

  #resolve({ endpoint, policies }: LocalEndpoint): ResolvedEndpoint {
    const byTier = new Map<string, Policy[]>();
    for (const key of policies) {
      const policy = this.#policies.get(key)?.policy;
      if (policy === undefined) continue;
      const inTier = byTier.get(policy.tier);
      if (inTier === undefined) byTier.set(policy.tier, [policy]);
      else inTier.push(policy);
    }
    const tiers = [...byTier]
      .map(([name, inTier]) => ({
        tier: evaluationTier(name, this.#tiers.get(name)),
        policies: inTier
          .sort(comparePolicies)
          .map((policy): ResolvedPolicy => ({ policy, rules: this.#policyRules.get(policy.key) ?? NO_RULES })),
      }))
      .sort((a, b) => compareTiers(a.tier, b.tier));
    const profiles = endpoint.profiles.map(
      (name): ResolvedProfile => ({
        name,
        profile: this.#profiles.get(name),
        rules: this.#profileRules.get(name) ?? NO_RULES,
      }),
    );
    return { endpoint, ingress: this.#list('ingress', tiers, profiles), egress: this.#list('egress', tiers, profiles) };
  }

  #list(direction: Direction, allTiers: readonly ResolvedTier[], profiles: readonly ResolvedProfile[]): PolicyList {
    const tiers = allTiers
      .map(({ tier, policies }) => ({ tier, policies: policies.filter(({ policy }) => policy.governs[direction]) }))
      .filter(({ policies }) => policies.length > 0);
    const key = JSON.stringify([
      direction,
      tiers.map(({ tier, policies }) => [tier.name, tier.defaultAction, policies.map(({ rules }) => rules.version)]),
      profiles.map(({ name, rules }) => [name, rules.version]),
    ]);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list: PolicyList = { direction, tiers, profiles };
    this.#lists.set(key, list);
    return list;
  }

  /** Keeps the interned lists within twice those in use. */
  #forgetUnusedLists(): void {
    if (this.#lists.size <= 4 * this.#resolved.size + 16) return;
    const inUse = new Set([...this.#resolved.values()].flatMap(({ ingress, egress }) => [ingress, egress]));
    for (const [key, list] of this.#lists) if (!inUse.has(list)) this.#lists.delete(key);
  }

  #addPolicy(policy: Policy): void {
    const known = new KnownPolicy(policy, this.#matches);
    this.#policies.set(policy.key, known);
    this.#selectors.register(policy.selector, known);
  }

  #removePolicy(known: KnownPolicy): void {
    const { key, selector } = known.policy;
    this.#selectors.unregister(selector, known);
    for (const user of [...this.#policyRules.users(key)]) this.#unmatch(user, key);
    this.#policies.delete(key);
  }

  #match(item: LabelledItem, policyKey: string): void {
    const policies = this.#local.get(item.key)?.policies;
    if (item.localEndpoint === undefined || policies === undefined) return;
    if (!policies.has(policyKey)) this.#applied.add(1);
    policies.add(policyKey);
    this.#policyRules.addUser(policyKey, item.key);
    this.#dirty.add(item.key);
  }

  #unmatch(itemKey: string, policyKey: string): void {
    if (this.#local.get(itemKey)?.policies.delete(policyKey)) this.#applied.subtract(1);
    this.#policyRules.removeUser(policyKey, itemKey);
    this.#dirty.add(itemKey);
  }

  #markUsers(users: Iterable<string>): void {
    for (const user of users) this.#dirty.add(user);
  }
}

function countRules({ direction, tiers, profiles }: PolicyList): number {
  let count = 0;
  for (const { policies } of tiers) for (const { rules } of policies) count += rules[direction].length;
  for (const { rules } of profiles) count += rules[direction].length;
  return count;
}

function isSameSelector(a: Policy, b: Policy): boolean {
  return a.selector === b.selector || formatSelector(a.selector) === formatSelector(b.selector);
}
