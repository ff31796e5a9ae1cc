// Which policies and profiles apply to each local endpoint, in order. Endpoints that agree share one PolicyList.
//
//   SelectorIndex --onMatch / onMismatch-->  PolicyResolver  --endpoints, hostEndpoints-->  DesiredState
//   tiers, policies, profiles, host settings -->
import type { HostEndpoint, WorkloadEndpoint } from '../model/endpoint.ts';
import { type HostSettings, settingsOfNode } from '../model/host-settings.ts';
import { HOST_SCOPES, type HostScope, type Policy, type Profile, type Tier } from '../model/policy.ts';
import { comparePolicies, compareTiers, evaluationTier } from '../model/policy-order.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import { FailsafeRules, isForHostsOnly, isInScope, type ScopeFailsafes } from './host-scopes.ts';
import { KnownPolicy, type Matches } from './known-policy.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import { PolicyLists } from './policy-lists.ts';
import type {
  LabelledItem,
  ListPair,
  PolicyList,
  ResolvedEndpoint,
  ResolvedHostEndpoint,
  ResolvedPolicy,
  ResolvedProfile,
  ResolvedRules,
  ResolvedTier,
} from './resolved.ts';
import type { RuleScanner } from './rule-scanner.ts';
import type { SelectorIndex } from './selector-index.ts';
import type { Acquired } from './set-registry.ts';
import { SharedRules } from './shared-rules.ts';

const NO_RULES: ResolvedRules = { version: 0, ingress: [], egress: [] };

interface LocalEndpoint {
  endpoint: WorkloadEndpoint | HostEndpoint;
  readonly policies: Set<string>;
  /** Of a host endpoint, once it is resolved. */
  failsafes?: Acquired<ScopeFailsafes>;
}

export class PolicyResolver {
  readonly #selectors: SelectorIndex;
  readonly #applied: LimitedCount;
  readonly #policies = new Map<string, KnownPolicy>();
  readonly #policyRules: SharedRules;
  readonly #profileRules: SharedRules;
  readonly #failsafeRules: FailsafeRules;
  readonly #tiers = new Map<string, Tier>();
  readonly #profiles = new Map<string, Profile>();
  readonly #hostSettings = new Map<string, HostSettings>();
  readonly #local = new Map<string, LocalEndpoint>();
  readonly #resolved = new Map<string, ResolvedEndpoint>();
  readonly #resolvedHosts = new Map<string, ResolvedHostEndpoint>();
  readonly #dirty = new Set<string>();
  readonly #lists: PolicyLists;
  readonly #matches: Matches = {
    match: (item, policyKey) => this.#match(item, policyKey),
    unmatch: (itemKey, policyKey) => this.#unmatch(itemKey, policyKey),
  };

  constructor(selectors: SelectorIndex, scanner: RuleScanner, limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#selectors = selectors;
    this.#applied = new LimitedCount('appliedPolicies', limits);
    this.#policyRules = new SharedRules(scanner);
    this.#profileRules = new SharedRules(scanner);
    this.#failsafeRules = new FailsafeRules(scanner);
    this.#lists = new PolicyLists(limits);
  }

  get endpoints(): ReadonlyMap<string, ResolvedEndpoint> {
    return this.#resolved;
  }

  get hostEndpoints(): ReadonlyMap<string, ResolvedHostEndpoint> {
    return this.#resolvedHosts;
  }

  get hostSettings(): ReadonlyMap<string, HostSettings> {
    return this.#hostSettings;
  }

  /** undefined = the tier is gone. */
  setTier(name: string, tier: Tier | undefined): void {
    if (tier === undefined) this.#tiers.delete(name);
    else this.#tiers.set(name, tier);
    for (const { policy } of this.#policies.values()) {
      if (policy.tier === name) this.#markUsers(this.#policyRules.users(policy.key));
    }
  }

  /** undefined = the policy is gone. */
  setPolicy(key: string, policy: Policy | undefined): void {
    const known = this.#policies.get(key);
    if (policy !== undefined && known !== undefined && hasSameUsers(known.policy, policy)) {
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

  /** undefined = the settings are gone. There are few host endpoints on a node: all are looked at again. */
  setHostSettings(key: string, settings: HostSettings | undefined): void {
    if (settings === undefined) this.#hostSettings.delete(key);
    else this.#hostSettings.set(key, settings);
    this.#markUsers(this.#resolvedHosts.keys());
  }

  /** Called before its labels reach the selector index. */
  setEndpoint(itemKey: string, endpoint: WorkloadEndpoint | HostEndpoint): void {
    const local = this.#local.get(itemKey);
    for (const profile of local?.endpoint.profiles ?? []) this.#profileRules.removeUser(profile, itemKey);
    for (const profile of endpoint.profiles) this.#profileRules.addUser(profile, itemKey);
    if (local === undefined) this.#local.set(itemKey, { endpoint, policies: new Set() });
    else local.endpoint = endpoint;
    this.#dirty.add(itemKey);
  }

  /** Called after its labels have left the selector index. */
  removeEndpoint(itemKey: string): void {
    const local = this.#local.get(itemKey);
    for (const profile of local?.endpoint.profiles ?? []) this.#profileRules.removeUser(profile, itemKey);
    local?.failsafes?.release();
    this.#local.delete(itemKey);
    this.#dirty.add(itemKey);
  }

  /** Brings the endpoints up to date: work in proportion to those that changes touched. Throws LIMIT_EXCEEDED. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const itemKey of this.#dirty) this.#update(itemKey, this.#local.get(itemKey));
    this.#dirty.clear();
    this.#settleLists();
  }

  #settleLists(): void {
    const inUse = new Set<PolicyList>();
    for (const { ingress, egress } of this.#resolved.values()) inUse.add(ingress).add(egress);
    let pairs = this.#resolved.size;
    for (const { scopes } of this.#resolvedHosts.values()) {
      for (const { ingress, egress } of Object.values(scopes)) {
        inUse.add(ingress).add(egress);
        pairs += 1;
      }
    }
    this.#lists.settle(inUse, pairs);
  }

  #update(itemKey: string, local: LocalEndpoint | undefined): void {
    if (local === undefined) {
      this.#resolved.delete(itemKey);
      this.#resolvedHosts.delete(itemKey);
    } else if (local.endpoint.type === 'workloadEndpoint') {
      this.#resolved.set(itemKey, this.#resolveWorkload(local.endpoint, local.policies));
    } else {
      this.#resolvedHosts.set(itemKey, this.#resolveHost(local.endpoint, local));
    }
  }

  #resolveWorkload(endpoint: WorkloadEndpoint, policies: Iterable<string>): ResolvedEndpoint {
    const parts = { tiers: this.#tiersOf(this.#policiesOf(policies)), profiles: this.#profilesOf(endpoint) };
    const { ingress, egress } = this.#lists.pair(parts);
    return { endpoint, ingress, egress };
  }

  #resolveHost(endpoint: HostEndpoint, local: LocalEndpoint): ResolvedHostEndpoint {
    const before = local.failsafes;
    local.failsafes = this.#failsafeRules.acquire(settingsOfNode(this.#hostSettings, endpoint.node));
    before?.release();
    const failsafes = local.failsafes.value;
    const policies = this.#policiesOf(local.policies);
    const pairOf = (scope: HostScope): ListPair | undefined => {
      const listed = policies.filter((policy) => isInScope(policy, scope));
      if (scope !== 'normal' && listed.length === 0) return undefined;
      const profiles = scope === 'normal' ? this.#profilesOf(endpoint) : [];
      return this.#lists.pair({ scope, failsafes: failsafes[scope], tiers: this.#tiersOf(listed), profiles });
    };
    const scopes = Object.fromEntries(
      HOST_SCOPES.map((scope) => [scope, pairOf(scope)] as const).filter(([, pair]) => pair !== undefined),
    );
    return { endpoint, scopes: scopes as ResolvedHostEndpoint['scopes'] };
  }

  #policiesOf(keys: Iterable<string>): Policy[] {
    const policies: Policy[] = [];
    for (const key of keys) {
      const policy = this.#policies.get(key)?.policy;
      if (policy !== undefined) policies.push(policy);
    }
    return policies;
  }

  #tiersOf(policies: Iterable<Policy>): ResolvedTier[] {
    const byTier = new Map<string, Policy[]>();
    for (const policy of policies) {
      const inTier = byTier.get(policy.tier);
      if (inTier === undefined) byTier.set(policy.tier, [policy]);
      else inTier.push(policy);
    }
    return [...byTier]
      .map(([name, inTier]) => ({
        tier: evaluationTier(name, this.#tiers.get(name)),
        policies: inTier
          .sort(comparePolicies)
          .map((policy): ResolvedPolicy => ({ policy, rules: this.#policyRules.get(policy.key) ?? NO_RULES })),
      }))
      .sort((a, b) => compareTiers(a.tier, b.tier));
  }

  #profilesOf({ profiles }: WorkloadEndpoint | HostEndpoint): ResolvedProfile[] {
    return profiles.map((name) => ({
      name,
      profile: this.#profiles.get(name),
      rules: this.#profileRules.get(name) ?? NO_RULES,
    }));
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
    const policy = this.#policies.get(policyKey)?.policy;
    if (item.localEndpoint === undefined || policies === undefined || policy === undefined) return;
    if (item.localEndpoint.type === 'workloadEndpoint' && isForHostsOnly(policy)) return;
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

/** Whether whoever one of them applies to the other applies to as well. */
function hasSameUsers(a: Policy, b: Policy): boolean {
  if (isForHostsOnly(a) !== isForHostsOnly(b)) return false;
  return a.selector === b.selector || formatSelector(a.selector) === formatSelector(b.selector);
}
