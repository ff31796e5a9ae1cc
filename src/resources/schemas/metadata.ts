// Object metadata: what Tortie reads of it, and the usual fields that it accepts and ignores.
import { z } from 'zod';
import { labelMap } from './primitives.ts';

const usual = {
  name: z.string().min(1),
  namespace: z.string().optional(),
  labels: labelMap.optional(),
  annotations: labelMap.optional(),
  deletionTimestamp: z.string().optional(),
};

/** For core kinds, whose API grows faster than this list. */
export const looseMetadata = z.object(usual);

export const strictMetadata = z.strictObject({
  ...usual,
  creationTimestamp: z.unknown().optional(),
  deletionGracePeriodSeconds: z.unknown().optional(),
  finalizers: z.unknown().optional(),
  generateName: z.unknown().optional(),
  generation: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  ownerReferences: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  selfLink: z.unknown().optional(),
  uid: z.unknown().optional(),
});

/** Metadata as the rest of Tortie sees it. */
export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}
