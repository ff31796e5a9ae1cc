// Policies as wholes: what they select, what they govern, which tier they are in, and whether two say the same.
import { isEqual } from '../../../base/equal.ts';
import { DIRECTIONS, type Policy, type Rule } from '../../../model/policy.ts';
import { comparePolicies } from '../../../model/policy-order.ts';
import { formatSelector } from '../../../model/selector/canonical.ts';
import { nearestName } from '../../../resources/nearest.ts';
import { describeSelector } from '../../describe-selector.ts';
import { findingAbout, type LintContext, type RuleOwner } from '../context.ts';
import type { Finding } from '../finding.ts';
import { describeMiss, type NearMisses } from '../near-misses.ts';
import { count } from '../wording.ts';
import { selectionPath } from '../written-fields.ts';

type PolicyOwner = Extract<RuleOwner, { kind: 'policy' }>;

export function checkPolicies(context: LintContext, nearMisses: NearMisses): Finding[] {
  return policyOwners(context).flatMap((owner) => [
    ...checkSelection(owner, context, nearMisses),
    ...checkInertRules(owner),
    ...checkTier(owner, context),
  ]);
}

/** Each policy that says the same as one evaluated before it, with that one. */
export function findDuplicates(context: LintContext): Map<RuleOwner, RuleOwner> {
  const first = new Map<string, PolicyOwner>();
  const duplicates = new Map<RuleOwner, RuleOwner>();
  for (const owner of policyOwners(context).sort((a, b) => comparePolicies(a.object, b.object))) {
    const meaning = meaningOf(owner.object);
    const other = first.get(meaning);
    if (other === undefined) first.set(meaning, owner);
    else duplicates.set(owner, other);
  }
  return duplicates;
}

export function duplicateFindings(duplicates: ReadonlyMap<RuleOwner, RuleOwner>): Finding[] {
  return [...duplicates].map(([owner, first]) => {
    const orders = [first, owner].map(({ object }) => (object.type === 'policy' ? object.order : undefined));
    const order = isEqual(orders[0], orders[1]) ? '' : `, at order ${orders[0] ?? 'none'} and ${orders[1] ?? 'none'}`;
    const related = [{ message: first.name, location: first.object.location }];
    return findingAbout(owner.resource, 'duplicate-policy', `says the same as ${first.name}${order}`, { related });
  });
}

function policyOwners({ owners }: LintContext): PolicyOwner[] {
  return owners.filter((owner) => owner.kind === 'policy');
}

function checkSelection(
  { resource, object }: PolicyOwner,
  { inventory, hasEndpoints }: LintContext,
  nearMisses: NearMisses,
): Finding[] {
  if (!hasEndpoints) return [];
  const isForHosts = object.doNotTrack || object.preDnat;
  const selected = inventory
    .selected(object.selector)
    .filter(({ object: { type } }) => type === 'hostEndpoint' || (type === 'workloadEndpoint' && !isForHosts));
  if (selected.length > 0) return [];
  const misses = nearMisses.in(object.selector);
  const hint = misses.length === 0 ? undefined : misses.map(describeMiss).join('; ');
  const kind = isForHosts ? 'host endpoint' : 'endpoint';
  const message = `selects nothing: there is no ${kind} ${describeSelector(object.selector)}`.trimEnd();
  return [findingAbout(resource, 'policy-selects-nothing', message, { path: selectionPath(resource), hint })];
}

function checkInertRules({ resource, object }: PolicyOwner): Finding[] {
  return DIRECTIONS.filter((direction) => !object.governs[direction] && object.rules[direction].length > 0).map(
    (direction) => {
      const rules = count(object.rules[direction].length, 'rule');
      const type = direction === 'ingress' ? 'Ingress' : 'Egress';
      const message = `has ${rules} for ${direction}, but its types leave ${type} out: they are never looked at`;
      const rule = direction === 'ingress' ? 'ingress-rules-without-ingress-type' : 'egress-rules-without-egress-type';
      return findingAbout(resource, rule, message, { path: ['spec', direction], hint: `add ${type} to the types` });
    },
  );
}

function checkTier({ resource, object }: PolicyOwner, { world }: LintContext): Finding[] {
  if (world.tiers.has(object.tier)) return [];
  const nearest = nearestName(object.tier, world.tiers.keys());
  const message = `names tier ${object.tier}, which nothing defines: it is evaluated last, with default Deny`;
  const hint = nearest === undefined ? undefined : `did you mean ${nearest}?`;
  return [findingAbout(resource, 'tier-unknown', message, { path: ['spec', 'tier'], hint })];
}

/** Equal texts are equal meanings, names, order and places apart. */
function meaningOf(policy: Policy): string {
  const { tier, selector, governs, rules, staged, doNotTrack, preDnat, applyOnForward } = policy;
  const inForce = DIRECTIONS.map((direction) => (governs[direction] ? rules[direction].map(ruleMeaning) : []));
  return JSON.stringify([
    tier,
    formatSelector(selector),
    governs,
    inForce,
    staged,
    doNotTrack,
    preDnat,
    applyOnForward,
  ]);
}

function ruleMeaning({ location: _, ...rule }: Rule): unknown {
  return rule;
}
