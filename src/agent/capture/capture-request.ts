// What is asked of a capture: whose packets, which of them, how much, how long. Checked here, whoever asks.
import { z } from 'zod';
import type { Selector } from '../../model/selector/ast.ts';
import { describeProblem, tryParseSelector } from '../../model/selector/parser.ts';
import { invalidRequest } from '../api/failure.ts';

export const CAPTURE_LIMITS = {
  /** Captures at once. */
  captures: 8,
  seconds: 86_400,
  snapBytes: 1500,
  /** For each CPU. */
  packetsPerSecond: 100_000,
} as const;

export const CAPTURE_DEFAULTS = { seconds: 3600, snapBytes: 128, packetsPerSecond: 10_000 } as const;

export const CAPTURE_VERDICTS = ['all', 'allow', 'deny'] as const;

const NAME = z.string().min(1).max(253);

const body = z.strictObject({
  /** Of endpoints; with namespace those of it. */
  selector: z.string().max(10_000).optional(),
  namespace: NAME.optional(),
  /** namespace/name, as people call it. */
  endpoint: z
    .string()
    .regex(/^[^/\s]{1,253}\/[^/\s]{1,253}$/, 'expected namespace/name')
    .optional(),
  /** Every packet that is denied or dropped here, whoever's it is. */
  drops: z.boolean().optional(),
  verdict: z.enum(CAPTURE_VERDICTS).default('all'),
  seconds: z.number().int().min(1).max(CAPTURE_LIMITS.seconds).default(CAPTURE_DEFAULTS.seconds),
  snapBytes: z.number().int().min(16).max(CAPTURE_LIMITS.snapBytes).default(CAPTURE_DEFAULTS.snapBytes),
  packetsPerSecond: z
    .number()
    .int()
    .min(1)
    .max(CAPTURE_LIMITS.packetsPerSecond)
    .default(CAPTURE_DEFAULTS.packetsPerSecond),
});

export interface EndpointChoice {
  readonly selector?: Selector;
  readonly namespace?: string;
  readonly endpoint?: string;
}

export interface CaptureRequest {
  /** undefined = every packet that is denied or dropped. */
  readonly endpoints: EndpointChoice | undefined;
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly seconds: number;
  readonly snapBytes: number;
  readonly packetsPerSecond: number;
}

/** Throws INVALID_REQUEST. */
export function parseCaptureRequest(value: unknown): CaptureRequest {
  const parsed = body.safeParse(value);
  if (!parsed.success) throw invalidRequest('body', z.prettifyError(parsed.error));
  const { selector, namespace, endpoint, drops, verdict, ...bounds } = parsed.data;
  const isOfEndpoints = selector !== undefined || namespace !== undefined || endpoint !== undefined;
  if (isOfEndpoints === (drops === true)) {
    throw invalidRequest('body', 'does not say whose packets', {
      found: isOfEndpoints ? 'endpoints and drops' : 'neither endpoints nor drops',
      expected: 'selector, namespace or endpoint; or drops',
    });
  }
  if (!isOfEndpoints) return { ...bounds, endpoints: undefined, allowed: false, denied: true };
  return {
    ...bounds,
    endpoints: { selector: selectorOf(selector), namespace, endpoint },
    allowed: verdict !== 'deny',
    denied: verdict !== 'allow',
  };
}

function selectorOf(text: string | undefined): Selector | undefined {
  if (text === undefined) return undefined;
  const parsed = tryParseSelector(text);
  if ('selector' in parsed) return parsed.selector;
  throw invalidRequest('selector', describeProblem(parsed.problem), { found: text });
}
