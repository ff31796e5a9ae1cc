// A policy list as the parts that a packet walks: each tier, then all profiles together. What no packet can reach is
// left out. No chains, no text.
import type { PolicyList, ResolvedPolicy, ResolvedProfile, ResolvedRule } from '../../calc/resolved.ts';
import type { Direction, RuleAction } from '../../model/policy.ts';
import { policyName } from '../object-names.ts';
import { isUnconditional, type RuleCase, type RulePlace, ruleCases } from './rule-case.ts';
import { ANY_SIDE } from './side-case.ts';

/** The rule that something is rendered from. */
export interface Origin {
  /** `np/shop/web`, `profile/kns.shop`. */
  readonly object: string;
  readonly direction: Direction;
  /** 0-based. */
  readonly index: number;
  readonly file?: string;
  readonly line?: number;
}

export interface PartRule {
  readonly action: RuleAction;
  /** At least one. */
  readonly cases: readonly RuleCase[];
  readonly origin: Origin;
}

export interface TierPart {
  /** `tier default`, `profiles`. */
  readonly title: string;
  readonly rules: readonly PartRule[];
  /** What happens at the end; undefined = no packet comes there. */
  readonly end: 'deny' | 'pass' | undefined;
}

/** The parts in order; staged policies have none. The last one does not pass. */
export function tierParts(list: PolicyList, place: RulePlace): TierPart[] {
  const parts: TierPart[] = [];
  for (const { tier, policies } of list.tiers) {
    const enforced = policies.filter(({ policy }) => !policy.staged);
    if (enforced.length === 0) continue;
    const rules = reachable(enforced.flatMap((policy) => policyRules(policy, place)));
    const part = partOf(`tier ${tier.name}`, rules, tier.defaultAction);
    if (part.rules.length > 0 || part.end !== 'pass') parts.push(part);
    if (!canPass(part)) return parts;
  }
  const rules = reachable(list.profiles.flatMap((profile) => profileRules(profile, place)));
  return [...parts, partOf('profiles', rules, 'deny')];
}

/** Whether a packet may come to the next part. */
export function canPass({ rules, end }: TierPart): boolean {
  return end === 'pass' || rules.some(({ action }) => action === 'pass');
}

/** Whether the parts allow every packet, without a word. */
export function allowsEverything(parts: readonly TierPart[]): boolean {
  const first = parts[0]?.rules[0];
  return first?.action === 'allow' && first.cases.some(isUnconditional);
}

function partOf(title: string, rules: readonly PartRule[], end: 'deny' | 'pass'): TierPart {
  const last = rules.at(-1);
  const isDecided = last !== undefined && last.action !== 'log' && last.cases.some(isUnconditional);
  return { title, rules, end: isDecided ? undefined : end };
}

/** Up to the first rule that decides for every packet. */
function reachable(rules: readonly PartRule[]): PartRule[] {
  const last = rules.findIndex(({ action, cases }) => action !== 'log' && cases.some(isUnconditional));
  return last === -1 ? [...rules] : rules.slice(0, last + 1);
}

function policyRules({ policy, rules }: ResolvedPolicy, place: RulePlace): PartRule[] {
  return rules[place.direction].flatMap((rule) => partRule(rule, rule.action, policyName(policy), place));
}

/** A profile that does not exist denies everything; Pass has no tier to go to and denies. */
function profileRules({ name, profile, rules }: ResolvedProfile, place: RulePlace): PartRule[] {
  const object = `profile/${name}`;
  if (profile === undefined) {
    const origin = { object, direction: place.direction, index: 0 };
    return [{ action: 'deny', cases: [ANY_PACKET], origin }];
  }
  return rules[place.direction].flatMap((rule) =>
    partRule(rule, rule.action === 'pass' ? 'deny' : rule.action, object, place),
  );
}

const ANY_PACKET: RuleCase = { protocol: { not: [] }, sides: { source: ANY_SIDE, destination: ANY_SIDE } };

function partRule(rule: ResolvedRule, action: RuleAction, object: string, place: RulePlace): PartRule[] {
  const cases = ruleCases(rule, place);
  if (cases.length === 0) return [];
  const { file, line } = rule.location;
  const where = file === '' ? {} : { file, line };
  return [{ action, cases, origin: { object, direction: place.direction, index: rule.index, ...where } }];
}
