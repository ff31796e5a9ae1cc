// A policy with its ear in the selector index. Part of PolicyResolver.
import type { Policy } from '../model/policy.ts';
import type { LabelledItem } from './resolved.ts';
import type { MatchListener } from './selector-index.ts';

/** A policy that may govern local endpoints, and its ear in the selector index. */
export class KnownPolicy implements MatchListener {
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

export interface Matches {
  match(item: LabelledItem, policyKey: string): void;
  unmatch(itemKey: string, policyKey: string): void;
}
