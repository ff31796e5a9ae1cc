// Tier resources -> Tier, and the tiers that exist without being written down.
import type { ResourceOf } from '../../resources/resource.ts';
import type { Tier } from '../policy.ts';
import { ParseContext, type ParseResult } from './result.ts';

const DEFAULT_ORDER = 1_000_000;

const BUILT_IN_TIERS: readonly Tier[] = [
  builtIn('kube-admin', 1000, 'pass'),
  builtIn('default', DEFAULT_ORDER, 'deny'),
  builtIn('kube-baseline', 10_000_000, 'pass'),
];

/** In the world whether a manifest names them or not. */
export function builtInTiers(): readonly Tier[] {
  return BUILT_IN_TIERS;
}

/** A built-in tier may be written down, but not differently. */
export function parseTier(resource: ResourceOf<'Tier'>): ParseResult {
  const context = new ParseContext(resource);
  const { spec, name, location } = resource;
  const fixed = BUILT_IN_TIERS.find((tier) => tier.name === name);
  const tier: Tier = {
    type: 'tier',
    name,
    key: name,
    order: spec.order ?? fixed?.order ?? DEFAULT_ORDER,
    defaultAction: spec.defaultAction === undefined ? (fixed?.defaultAction ?? 'deny') : actionOf(spec.defaultAction),
    location,
  };
  if (fixed !== undefined) checkBuiltIn(tier, fixed, context);
  return context.result(tier);
}

function checkBuiltIn(tier: Tier, fixed: Tier, context: ParseContext): void {
  const hint = `tier ${tier.name} is built in`;
  if (tier.order !== fixed.order) {
    const details = { found: String(tier.order), expected: String(fixed.order), hint };
    context.refuse('INVALID_FIELD', ['spec', 'order'], 'cannot be changed', details);
  }
  if (tier.defaultAction !== fixed.defaultAction) {
    const details = { found: tier.defaultAction, expected: fixed.defaultAction, hint };
    context.refuse('INVALID_FIELD', ['spec', 'defaultAction'], 'cannot be changed', details);
  }
}

function actionOf(text: string): Tier['defaultAction'] {
  return text === 'Pass' ? 'pass' : 'deny';
}

function builtIn(name: string, order: number, defaultAction: Tier['defaultAction']): Tier {
  return Object.freeze({ type: 'tier', name, key: name, order, defaultAction, location: { file: '', line: 0 } });
}
