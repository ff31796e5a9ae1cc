// Calico's policy kinds, tiers and profiles, as written.
import { z } from 'zod';
import { LABEL_NAME } from '../names.ts';
import { strictMetadata } from './metadata.ts';
import { distinct, exactChoice, labelMap, selectorText } from './primitives.ts';
import { ruleList } from './rule.ts';

const namespaced = {
  tier: z
    .string()
    .refine((name) => name === '' || LABEL_NAME.accepts(name), { error: LABEL_NAME.expected })
    .optional(),
  order: z.number().optional(),
  selector: selectorText.optional(),
  serviceAccountSelector: selectorText.optional(),
  ingress: ruleList.optional(),
  egress: ruleList.optional(),
  types: z.array(exactChoice(['Ingress', 'Egress'])).optional(),
  performanceHints: z
    .array(exactChoice(['AssumeNeededOnEveryNode']))
    .superRefine(distinct)
    .optional(),
};

const clusterWide = {
  ...namespaced,
  namespaceSelector: selectorText.optional(),
  doNotTrack: z.boolean().optional(),
  preDNAT: z.boolean().optional(),
  applyOnForward: z.boolean().optional(),
};

export const stagedAction = exactChoice(['Set', 'Delete', 'Learn', 'Ignore']);

const envelope = {
  apiVersion: z.string(),
  kind: z.string(),
  metadata: strictMetadata,
  status: z.unknown().optional(),
};

export const networkPolicy = z.strictObject({ ...envelope, spec: z.strictObject(namespaced).default({}) });
export const globalNetworkPolicy = z.strictObject({ ...envelope, spec: z.strictObject(clusterWide).default({}) });
export const stagedNetworkPolicy = z.strictObject({
  ...envelope,
  spec: z.strictObject({ ...namespaced, stagedAction: stagedAction.optional() }).default({}),
});
export const stagedGlobalNetworkPolicy = z.strictObject({
  ...envelope,
  spec: z.strictObject({ ...clusterWide, stagedAction: stagedAction.optional() }).default({}),
});

export const tier = z.strictObject({
  ...envelope,
  spec: z
    .strictObject({ order: z.number().optional(), defaultAction: exactChoice(['Deny', 'Pass']).optional() })
    .default({}),
});

export const profile = z.strictObject({
  ...envelope,
  spec: z
    .strictObject({ ingress: ruleList.optional(), egress: ruleList.optional(), labelsToApply: labelMap.optional() })
    .default({}),
});

/** Any of the four policy kinds: what only some of them have is absent on the others. */
export type PolicySpec = z.infer<typeof stagedGlobalNetworkPolicy>['spec'];
export type TierSpec = z.infer<typeof tier>['spec'];
export type ProfileSpec = z.infer<typeof profile>['spec'];
