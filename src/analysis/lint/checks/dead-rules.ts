// Rules that do nothing for any packet of any governed endpoint: never met, never reached, without effect. Not those that
// are in force on host endpoints too: whose packets come by there is not known.
import type { Family } from '../../../model/address.ts';
import type { WorkloadEndpoint } from '../../../model/endpoint.ts';
import type { FieldPath } from '../../../resources/field-path.ts';
import { findingAbout, type LintContext, type RuleOwner, type RuleSubject } from '../context.ts';
import { concernsFamily } from '../covers.ts';
import { findEmptyCondition } from '../empty-conditions.ts';
import type { Finding, RelatedPlace } from '../finding.ts';
import type { NearMisses } from '../near-misses.ts';
import type { Reach, RuleFate } from '../reach.ts';
import { findShadows, type Shadows } from '../shadows.ts';
import { listSome, nameDecision } from '../wording.ts';
import { hasCalicoRules } from '../written-fields.ts';
import { groupByPlace, nameGroup, type RuleGroup } from './rule-groups.ts';

const MAX_RELATED = 8;

/** `duplicates`: policies that say the same as another, with that one; their rules are not looked at one by one. */
export function checkDeadRules(
  context: LintContext,
  reach: Reach,
  nearMisses: NearMisses,
  duplicates: ReadonlyMap<RuleOwner, RuleOwner>,
): Finding[] {
  const judged = [...reach.fates]
    .map(([key, fate]) => ({ subject: context.subjects.get(key) as RuleSubject, fate }))
    .filter(({ subject: { owner } }) => !duplicates.has(owner) && !context.onHosts.has(owner.object));
  const withFate = (accepts: (fate: RuleFate, subject: RuleSubject) => boolean): RuleSubject[] =>
    judged.filter(({ fate, subject }) => accepts(fate, subject)).map(({ subject }) => subject);
  const unmet = withFate(({ isMet }) => !isMet);
  const unreached = withFate(({ isMet, isTaken }) => isMet && !isTaken);
  const shadows = findShadows(reach, new Set(unreached.map(({ key }) => key)));
  const isShadowing = new Set([...shadows.values()].flatMap((found) => [...found.keys()]));
  const duplicated = new Set(duplicates.values());
  const intoNothing = withFate(
    ({ isTaken, isPassIntoNothing }, { rule, owner }) =>
      isTaken && isPassIntoNothing && rule.action === 'pass' && owner.kind === 'policy',
  );
  const redundant = withFate(
    ({ isTaken, isRedundant }, subject) =>
      isTaken &&
      isRedundant &&
      subject.rule.action !== 'log' &&
      !intoNothing.includes(subject) &&
      // Either of the two could go; the one that never decides is the finding.
      !isShadowing.has(shadowKeyOf(subject)) &&
      !duplicated.has(subject.owner),
  );
  const governed = governedByOwner(context, reach);
  return [
    ...groupByPlace(unmet).map((group) => unmetFinding(group, context, governed, nearMisses)),
    ...groupByPlace(unreached).map((group) => unreachedFinding(group, context, shadows)),
    ...groupByPlace(intoNothing).map((group) => intoNothingFinding(group, context)),
    ...groupByPlace(redundant).map((group) => redundantFinding(group, context)),
  ];
}

/** The endpoints with an address that each owner's rules are in the lists of. */
export function governedByOwner(context: LintContext, { walks }: Reach): Map<string, WorkloadEndpoint[]> {
  const withAddress = new Set(walks.lists.flatMap(({ endpoints }) => endpoints.map(({ endpoint }) => endpoint)));
  const byProfile = new Map<string, WorkloadEndpoint[]>();
  for (const endpoint of withAddress) {
    for (const name of endpoint.profiles) {
      const listed = byProfile.get(name);
      if (listed === undefined) byProfile.set(name, [endpoint]);
      else listed.push(endpoint);
    }
  }
  return new Map(
    context.owners.map(({ name, kind, object }) => [
      name,
      kind === 'profile'
        ? (byProfile.get(object.name) ?? [])
        : context.inventory.selectedWorkloads(object.selector).filter((endpoint) => withAddress.has(endpoint)),
    ]),
  );
}

function unmetFinding(
  group: RuleGroup,
  context: LintContext,
  governed: ReadonlyMap<string, WorkloadEndpoint[]>,
  nearMisses: NearMisses,
): Finding {
  const [subject] = group as readonly [RuleSubject, ...RuleSubject[]];
  const { owner, place, rule } = subject;
  const endpoints = governed.get(owner.name) ?? [];
  const families = new Set(endpoints.flatMap(({ addresses }) => addresses.map(({ family }) => family)));
  const name = nameGroup(group, context);
  const missing = ([4, 6] as readonly Family[]).filter((family) => concernsFamily(rule, family));
  if (missing.length > 0 && !missing.some((family) => families.has(family))) {
    const message = `${name} concerns IPv${missing.join()} only, and no governed endpoint has such an address`;
    return findingAbout(owner.resource, 'rule-for-absent-family', message, { path: place });
  }
  const { reason, field = [], hint } = findEmptyCondition(subject, endpoints, context.inventory, nearMisses);
  const path: FieldPath = hasCalicoRules(owner.resource) ? [...place, ...field] : place;
  const rest = rule.action === 'log' ? 'never logs' : 'matches nothing';
  return findingAbout(owner.resource, 'rule-matches-nothing', `${name} ${rest}: ${reason}`, { path, hint });
}

function unreachedFinding(group: RuleGroup, context: LintContext, shadows: ReadonlyMap<string, Shadows>): Finding {
  const [{ owner, place, rule }] = group as readonly [RuleSubject, ...RuleSubject[]];
  const entries = [...new Map(group.flatMap(({ key }) => [...(shadows.get(key) ?? [])])).values()];
  const names = entries.map((entry) => nameDecision(entry, owner.name));
  const related = entries.slice(0, MAX_RELATED).flatMap((entry, index): RelatedPlace[] => {
    const { location } = entry;
    return location === undefined || location.file === '' ? [] : [{ message: names[index] as string, location }];
  });
  const isLog = rule.action === 'log';
  const message = `${nameGroup(group, context)} never ${isLog ? 'logs' : 'decides'} anything: all its packets are decided before, by ${listSome(names)}`;
  return findingAbout(owner.resource, isLog ? 'log-never-fires' : 'unreachable-rule', message, {
    path: place,
    related,
    hint: isLog ? 'put it before the rule that decides' : undefined,
  });
}

function intoNothingFinding(group: RuleGroup, context: LintContext): Finding {
  const [{ owner, place }] = group as readonly [RuleSubject, ...RuleSubject[]];
  const message = `${nameGroup(group, context)} passes to where nothing takes its packets: no later tier governs the endpoints and no profile rule matches, so they are denied`;
  return findingAbout(owner.resource, 'pass-into-nothing', message, { path: place });
}

function redundantFinding(group: RuleGroup, context: LintContext): Finding {
  const [{ owner, place, rule }] = group as readonly [RuleSubject, ...RuleSubject[]];
  const message = `${nameGroup(group, context)} (${rule.action}) changes nothing: without it all its packets would end the same`;
  return findingAbout(owner.resource, 'redundant-rule', message, { path: place });
}

function shadowKeyOf({ owner, key }: RuleSubject): string {
  return `${owner.kind === 'policy' ? owner.object.tier : '__PROFILE__'}|${key}`;
}
