// Policy lists as endpoints share them: of equal lists there is one. Part of PolicyResolver.
import type { Direction, HostScope } from '../model/policy.ts';
import { type CalcLimits, LimitedCount } from './limits.ts';
import type { ListPair, PolicyList, ResolvedFailsafes, ResolvedProfile, ResolvedTier } from './resolved.ts';

/** What a list is made of, for both directions. */
export interface ListParts {
  readonly tiers: readonly ResolvedTier[];
  readonly profiles: readonly ResolvedProfile[];
  /** Of a host endpoint. */
  readonly scope?: HostScope;
  readonly failsafes?: ResolvedFailsafes;
}

export class PolicyLists {
  readonly #limits: CalcLimits;
  readonly #lists = new Map<string, PolicyList>();
  /** Of lists in use: counted once, for all lists are looked at after every change. */
  readonly #ruleCounts = new WeakMap<PolicyList, number>();

  constructor(limits: CalcLimits) {
    this.#limits = limits;
  }

  pair(parts: ListParts): ListPair {
    return { ingress: this.#list('ingress', parts), egress: this.#list('egress', parts) };
  }

  /** Keeps the lists within twice those that so many pairs can have, and counts the rules in use. Throws LIMIT_EXCEEDED. */
  settle(inUse: ReadonlySet<PolicyList>, pairs: number): void {
    if (this.#lists.size > 4 * pairs + 16) {
      for (const [key, list] of this.#lists) if (!inUse.has(list)) this.#lists.delete(key);
    }
    const listed = new LimitedCount('listedRules', this.#limits);
    for (const list of inUse) {
      let rules = this.#ruleCounts.get(list);
      if (rules === undefined) {
        rules = countRules(list);
        this.#ruleCounts.set(list, rules);
      }
      listed.add(rules);
    }
  }

  #list(direction: Direction, { tiers: all, profiles, scope, failsafes }: ListParts): PolicyList {
    const tiers = all
      .map(({ tier, policies }) => ({ tier, policies: policies.filter(({ policy }) => policy.governs[direction]) }))
      .filter(({ policies }) => policies.length > 0);
    const key = JSON.stringify([
      direction,
      tiers.map(({ tier, policies }) => [tier.name, tier.defaultAction, policies.map(({ rules }) => rules.version)]),
      profiles.map(({ name, rules }) => [name, rules.version]),
      ...(scope === undefined ? [] : [scope, failsafes?.rules.version]),
    ]);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list: PolicyList = { direction, tiers, profiles, ...(scope === undefined ? {} : { scope, failsafes }) };
    this.#lists.set(key, list);
    return list;
  }
}

function countRules({ direction, failsafes, tiers, profiles }: PolicyList): number {
  let count = failsafes?.rules[direction].length ?? 0;
  for (const { policies } of tiers) for (const { rules } of policies) count += rules[direction].length;
  for (const { rules } of profiles) count += rules[direction].length;
  return count;
}
