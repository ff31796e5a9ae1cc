// The tiers of one policy list as its program has them: which rules in which order, and what each tier and the list end in.
// Part of list-program.ts.
import type { FailsafeOrigin, PolicyList, ResolvedPolicy, ResolvedTier } from '../calc/resolved.ts';
import type { Direction, HostScope } from '../model/policy.ts';
import {
  DEFAULT_RULE_INDEX,
  endTraceEntry,
  failsafeTraceEntry,
  PROFILE_TIER,
  policyTraceEntry,
  profileTraceEntry,
  type TraceEntry,
} from '../model/trace.ts';
import { denyAll, type Ending, type ProgramRule, prepareOnce, prepareRule } from './program-rules.ts';

/** A tier's rules, or all profiles' rules, and what happens at their end. Failsafe ports stand before the first tier's. */
export interface ProgramTier {
  readonly rules: readonly ProgramRule[];
  /** Position of rules[0] in the whole sequence. */
  readonly firstIndex: number;
  readonly end: TraceEntry;
  readonly ending: Ending;
}

/** The list's tiers with the policies that count, then profiles or the list's own end. */
export function programTiers(
  list: PolicyList,
  policiesOf: (tier: ResolvedTier) => readonly ResolvedPolicy[],
): readonly ProgramTier[] {
  const { direction, scope } = list;
  const parts: Omit<ProgramTier, 'firstIndex'>[] = [];
  for (const tier of list.tiers) {
    const policies = policiesOf(tier);
    if (policies.length > 0) parts.push(tierPart(tier, policies, direction, scope));
  }
  parts.push(lastPart(list));
  const open = failsafeRules(list);
  let firstIndex = 0;
  return parts.map((part, index) => {
    const rules = index === 0 && open.length > 0 ? [...open, ...part.rules] : part.rules;
    const tier = { ...part, rules, firstIndex };
    firstIndex += rules.length;
    return tier;
  });
}

/** Before connections and DNAT policy decides by its rules alone: what comes to a tier's end goes on. */
function tierPart(
  { tier }: ResolvedTier,
  policies: readonly ResolvedPolicy[],
  direction: Direction,
  scope: HostScope | undefined,
): Omit<ProgramTier, 'firstIndex'> {
  const last = (policies.at(-1) as ResolvedPolicy).policy;
  const rules = policies.flatMap(({ policy, rules: resolved }) =>
    prepareOnce(resolved, direction, (rule) => {
      const action = rule.action === 'log' ? 'pass' : rule.action;
      return prepareRule(rule, direction, rule.action, policyTraceEntry(policy, action, rule.index, rule.location));
    }),
  );
  const ending = isWithoutLastWord(scope) ? 'pass' : tier.defaultAction;
  return { rules, end: policyTraceEntry(last, ending, DEFAULT_RULE_INDEX, last.location), ending };
}

/** Profiles, or the end of a list that has none. */
function lastPart(list: PolicyList): Omit<ProgramTier, 'firstIndex'> {
  const { scope } = list;
  if (scope === undefined || scope === 'normal') {
    const end = profileTraceEntry(PROFILE_TIER, 'deny', DEFAULT_RULE_INDEX);
    return { rules: profileRules(list), end, ending: 'deny' };
  }
  return { rules: [], end: endTraceEntry(scope), ending: isWithoutLastWord(scope) ? 'next' : 'allow' };
}

/** A list after which others go on with what it did not decide. */
function isWithoutLastWord(scope: HostScope | undefined): boolean {
  return scope === 'preDnat' || scope === 'untracked';
}

/** Let through; by a list without the last word only as far as that list goes. */
function failsafeRules({ failsafes, direction, scope }: PolicyList): ProgramRule[] {
  if (failsafes === undefined) return [];
  const ending = isWithoutLastWord(scope) ? 'next' : 'allow';
  return failsafes.rules[direction].map((rule, at) => {
    const { ports, index } = failsafes.origins[direction][at] as FailsafeOrigin;
    const entry = failsafeTraceEntry(ports, ending === 'next' ? 'pass' : 'allow', index);
    return prepareRule(rule, direction, ending, entry);
  });
}

/** A profile that does not exist denies everything; Pass has no tier to go to and denies. */
function profileRules({ profiles, direction }: PolicyList): ProgramRule[] {
  return profiles.flatMap(({ name, profile, rules }) => {
    if (profile === undefined) return [denyAll(direction, profileTraceEntry(name, 'deny', 0))];
    return prepareOnce(rules, direction, (rule) => {
      const action = rule.action === 'pass' ? 'deny' : rule.action;
      const entry = profileTraceEntry(name, action === 'allow' ? 'allow' : 'deny', rule.index, rule.location);
      return prepareRule(rule, direction, action, entry);
    });
  });
}
