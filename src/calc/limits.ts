// How much work and memory a set of inputs may cost calc. Whoever counts it throws LIMIT_EXCEEDED; CalcGraph then says
// so at flush until the inputs change.
import { limitExceeded } from '../base/limit-error.ts';

export interface CalcLimits {
  /** Rules of the policies and profiles that apply to some local endpoint, each policy counted once. */
  readonly rules: number;
  /** Rules of all different policy lists, a policy counted for each list that it is in. */
  readonly listedRules: number;
  /** Pairs of a policy and a local endpoint that it applies to. */
  readonly appliedPolicies: number;
  /** Pairs of a prefix and an address set that lists it. */
  readonly memberships: number;
  /** Conditions of every selector, once for each endpoint and set that it must be tried on. */
  readonly selectorConditions: number;
}

export const DEFAULT_CALC_LIMITS: CalcLimits = {
  rules: 250_000,
  listedRules: 1_000_000,
  appliedPolicies: 1_000_000,
  memberships: 2_000_000,
  selectorConditions: 100_000_000,
};

const LIMITS: Readonly<
  Record<keyof CalcLimits, { readonly setting: string; readonly what: string; readonly unit: string }>
> = {
  rules: { setting: 'rules', what: 'too many rules apply to local endpoints', unit: 'rules' },
  listedRules: {
    setting: 'listed-rules',
    what: 'endpoints have too many different long lists of rules',
    unit: 'rules',
  },
  appliedPolicies: {
    setting: 'applied-policies',
    what: 'too many policies apply to too many endpoints',
    unit: 'pairs',
  },
  memberships: { setting: 'memberships', what: 'too many prefixes are in too many sets', unit: 'memberships' },
  selectorConditions: {
    setting: 'selector-conditions',
    what: 'too many selectors must be tried on too many endpoints and sets',
    unit: 'conditions',
  },
};

/** A running count against one of the limits. */
export class LimitedCount {
  readonly #name: keyof CalcLimits;
  readonly #limit: number;
  #count = 0;

  constructor(name: keyof CalcLimits, limits: CalcLimits) {
    this.#name = name;
    this.#limit = limits[name];
  }

  /** Throws LIMIT_EXCEEDED. */
  add(amount: number): void {
    this.#count += amount;
    if (this.#count <= this.#limit) return;
    const { setting, what, unit } = LIMITS[this.#name];
    throw limitExceeded(what, {
      operation: 'resolve',
      target: 'policy',
      found: `${this.#count} ${unit}`,
      limit: this.#limit,
      setting,
    });
  }

  subtract(amount: number): void {
    this.#count -= amount;
  }
}
