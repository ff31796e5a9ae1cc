// Tiers as written: with an order, and with policies.
import type { ResourceOf } from '../../../resources/resource.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';

/** The order that a tier without one gets, which is that of the tier `default`. */
const DEFAULT_TIER = 'default';

export function checkTiers({ resources, world }: LintContext): Finding[] {
  const used = new Set([...world.policies.values()].map(({ tier }) => tier));
  const tiers = resources.filter((resource) => resource.type === 'Tier' && world.tiers.has(resource.name));
  return (tiers as ResourceOf<'Tier'>[]).flatMap((resource) => {
    const found: Finding[] = [];
    const isBuiltIn = world.tiers.get(resource.name)?.location.file === '' || resource.name === DEFAULT_TIER;
    if (resource.spec.order === undefined && !isBuiltIn) {
      const order = world.tiers.get(DEFAULT_TIER)?.order;
      const message = `has no order, and gets that of tier ${DEFAULT_TIER}, ${order}: the two are then ordered by name`;
      found.push(findingAbout(resource, 'tier-without-order', message, { path: ['spec'] }));
    }
    if (!used.has(resource.name)) found.push(findingAbout(resource, 'tier-empty', 'has no policy'));
    return found;
  });
}
