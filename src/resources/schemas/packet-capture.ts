// Calico's PacketCapture as written: packets of which workload endpoints, when.
import { z } from 'zod';
import { strictMetadata } from './metadata.ts';
import { portField, protocolField, selectorText } from './primitives.ts';

/** RFC 3339, as Kubernetes writes times. */
const time = z
  .string()
  .refine(
    (text) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
    {
      error: 'a time such as 2026-01-31T12:00:00Z',
    },
  );

const MAX_FILTERS = 100;
const MAX_PORTS = 1000;

const filter = z.strictObject({
  protocol: protocolField.optional(),
  ports: z.array(portField).max(MAX_PORTS).optional(),
});

export const packetCapture = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: strictMetadata,
  status: z.unknown().optional(),
  spec: z.strictObject({
    selector: selectorText.optional(),
    filters: z.array(filter).max(MAX_FILTERS).optional(),
    startTime: time.optional(),
    endTime: time.optional(),
  }),
});

export type PacketCaptureSpec = z.infer<typeof packetCapture>['spec'];
