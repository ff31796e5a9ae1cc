// Rules of policies that govern no workload of the manifests, or host endpoints as well: what can be said of them from their own text, for any
// endpoints there may ever be.
import { findingAbout, type LintContext, type RuleOwner, type RuleSubject } from '../context.ts';
import { contradiction, covers } from '../covers.ts';
import type { Finding } from '../finding.ts';
import type { Reach } from '../reach.ts';
import { groupByPlace, nameGroup, type RuleGroup } from './rule-groups.ts';

/** `duplicates`: policies that say the same as another; their rules are not looked at one by one. */
export function checkUnjudgedRules(
  context: LintContext,
  { fates }: Reach,
  duplicates: ReadonlyMap<RuleOwner, RuleOwner>,
): Finding[] {
  const unjudged = [...context.subjects.values()].filter(
    ({ key, owner }) => (!fates.has(key) || context.onHosts.has(owner.object)) && !duplicates.has(owner),
  );
  const byList = new Map<string, RuleSubject[]>();
  for (const subject of unjudged) {
    const list = `${subject.owner.resource.id} ${subject.direction}`;
    byList.set(list, [...(byList.get(list) ?? []), subject]);
  }
  return [...byList.values()].flatMap((list) => checkList(list, context));
}

function checkList(list: readonly RuleSubject[], context: LintContext): Finding[] {
  const impossible = list.filter(({ rule }) => contradiction(rule) !== undefined);
  const shadowed = new Map<RuleSubject, RuleSubject>();
  for (const [index, subject] of list.entries()) {
    if (impossible.includes(subject)) continue;
    const shadow = list.slice(0, index).find(({ rule }) => rule.action !== 'log' && covers(rule, subject.rule));
    if (shadow !== undefined) shadowed.set(subject, shadow);
  }
  return [
    ...groupByPlace(impossible).map((group) => impossibleFinding(group, context)),
    ...groupByPlace(shadowed.keys()).map((group) => shadowedFinding(group, shadowed, context)),
  ];
}

function impossibleFinding(group: RuleGroup, context: LintContext): Finding {
  const [{ owner, place, rule }] = group as readonly [RuleSubject, ...RuleSubject[]];
  const message = `${nameGroup(group, context)} matches nothing: ${contradiction(rule)}`;
  return findingAbout(owner.resource, 'rule-matches-nothing', message, { path: place });
}

function shadowedFinding(
  group: RuleGroup,
  shadowed: ReadonlyMap<RuleSubject, RuleSubject>,
  context: LintContext,
): Finding {
  const [{ owner, place, rule }] = group as readonly [RuleSubject, ...RuleSubject[]];
  const shadows = groupByPlace(new Set(group.map((subject) => shadowed.get(subject) as RuleSubject)));
  const names = shadows.map((item) => `${nameGroup(item, context)} (${item[0]?.rule.action})`);
  const isLog = rule.action === 'log';
  const message = `${nameGroup(group, context)} never ${isLog ? 'logs' : 'decides'} anything: ${names.join(' and ')} matches everything that it could`;
  return findingAbout(owner.resource, isLog ? 'log-never-fires' : 'unreachable-rule', message, {
    path: place,
    related: shadows.map((item, index) => ({
      message: names[index] as string,
      location: (item[0] as RuleSubject).rule.location,
    })),
  });
}
