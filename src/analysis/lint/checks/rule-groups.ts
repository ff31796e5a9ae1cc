// Rules that are written at one place are one thing to their author: findings about them become one.
import { protocolName } from '../../../model/flow.ts';
import { formatPath } from '../../../resources/field-path.ts';
import type { LintContext, RuleSubject } from '../context.ts';
import { nameRules } from '../wording.ts';

/** Subjects of one owner, direction and place; at least one. */
export type RuleGroup = readonly RuleSubject[];

/** The subjects by place, in their order. */
export function groupByPlace(subjects: Iterable<RuleSubject>): RuleGroup[] {
  const groups = new Map<string, RuleSubject[]>();
  for (const subject of subjects) {
    const key = placeKey(subject);
    groups.set(key, [...(groups.get(key) ?? []), subject]);
  }
  return [...groups.values()];
}

/** `ingress rule 0`, with the protocols when not all that is written at the place is in the group. */
export function nameGroup(group: RuleGroup, { subjects }: Pick<LintContext, 'subjects'>): string {
  const [first] = group as readonly [RuleSubject, ...RuleSubject[]];
  const { owner, direction } = first;
  const rules = owner.object.rules[direction];
  const isWhole = rules.every((_, index) => {
    const other = subjects.get(first.key.replace(/\d+$/, String(index)));
    return other === undefined || placeKey(other) !== placeKey(first) || group.includes(other);
  });
  if (isWhole) return nameRules(group);
  const protocols = group.map(({ rule }) => (rule.protocol === undefined ? 'any' : protocolName(rule.protocol)));
  return `${nameRules(group)} (${protocols.join(', ')})`;
}

function placeKey({ owner, direction, place }: RuleSubject): string {
  return `${owner.resource.id} ${direction} ${formatPath(place)}`;
}
