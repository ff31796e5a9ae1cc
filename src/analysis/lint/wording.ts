// Phrases that several checks use.
import { DEFAULT_RULE_INDEX, PROFILE_TIER, type TraceEntry } from '../../model/trace.ts';
import { entryName } from '../object-names.ts';
import type { RuleSubject } from './context.ts';

/** `a, b and 3 more`. */
export function listSome(items: readonly string[], limit = 3): string {
  if (items.length <= limit) return joinAnd(items);
  return `${items.slice(0, limit).join(', ')} and ${items.length - limit} more`;
}

/** `a, b and c`. */
export function joinAnd(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** `1 endpoint`, `2 endpoints`. */
export function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ie` : noun}s`;
}

/** `ingress rule 0`, `egress rules 0 and 2`: subjects of one direction, counted as traces count them. */
export function nameRules(subjects: readonly RuleSubject[]): string {
  const indexes = subjects.map(({ index }) => String(index));
  return `${subjects[0]?.direction} ${indexes.length === 1 ? 'rule' : 'rules'} ${listSome(indexes)}`;
}

/**
 * A decision as seen from a policy or profile: `rule 0 (allow)`, `rule 1 of gnp/base (deny)`,
 * `the end of tier security (deny) after gnp/base`.
 */
export function nameDecision(entry: TraceEntry, ownName = ''): string {
  const { tier, action, ruleIndex } = entry;
  const name = entryName(entry);
  if (ruleIndex === DEFAULT_RULE_INDEX) {
    return tier === PROFILE_TIER
      ? 'the end of all profiles (deny)'
      : `the end of tier ${tier} (${action}) after ${name}`;
  }
  return name === ownName ? `rule ${ruleIndex} (${action})` : `rule ${ruleIndex} of ${name} (${action})`;
}
