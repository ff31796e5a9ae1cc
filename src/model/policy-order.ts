// The order in which tiers and policies are evaluated (Calico felix/calc/policy_sorter.go).
import type { Policy, Tier } from './policy.ts';

const LAST = Number.POSITIVE_INFINITY;

/** A tier as evaluation needs it; `exists` is false for one that policies name but no Tier defines. */
export interface EvaluationTier {
  readonly name: string;
  readonly exists: boolean;
  readonly order: number;
  readonly defaultAction: 'deny' | 'pass';
}

/** The tier of that name, or the stand-in for a missing one: last, default deny. */
export function evaluationTier(name: string, tier: Tier | undefined): EvaluationTier {
  if (tier === undefined) return { name, exists: false, order: LAST, defaultAction: 'deny' };
  return { name, exists: true, order: tier.order ?? LAST, defaultAction: tier.defaultAction };
}

/** Existing tiers first, then by order, then by name. */
export function compareTiers(a: EvaluationTier, b: EvaluationTier): number {
  if (a.exists !== b.exists) return a.exists ? -1 : 1;
  return compareNumbers(a.order, b.order) || compareText(a.name, b.name);
}

/** By order, then by the text `name/namespace/kind`: `a-b` comes before `a`, because `-` sorts before `/`. */
export function comparePolicies(a: Policy, b: Policy): number {
  return compareNumbers(a.order ?? LAST, b.order ?? LAST) || compareText(sortText(a), sortText(b));
}

function sortText(policy: Policy): string {
  return `${policy.name}/${policy.namespace ?? ''}/${policy.kind}`;
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
