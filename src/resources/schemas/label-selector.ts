// The label selector of Kubernetes' own policy kinds, as written.
import { z } from 'zod';
import { exactChoice, labelMap } from './primitives.ts';

export const labelSelector = z.strictObject({
  matchLabels: labelMap.optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string().min(1),
        operator: exactChoice(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

export type LabelSelectorSpec = z.infer<typeof labelSelector>;
