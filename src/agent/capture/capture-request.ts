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
  /** Packets that policy of the host endpoint of that name denies. */
  hostEndpoint: NAME.optional(),
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
  /** undefined = every packet that is denied or dropped, or those of hostEndpoint. */
  readonly endpoints: EndpointChoice | undefined;
  /** Those that its policy denies, and nothing else. */
  readonly hostEndpoint?: string;
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
  const { selector, namespace, endpoint, hostEndpoint, drops, verdict, ...bounds } = parsed.data;
  const isOfEndpoints = selector !== undefined || namespace !== undefined || endpoint !== undefined;
  requireOne({ endpoints: isOfEndpoints, hostEndpoint: hostEndpoint !== undefined, drops: drops === true });
  if (hostEndpoint !== undefined) {
    requireDenied(verdict);
    return { ...bounds, endpoints: undefined, hostEndpoint, allowed: false, denied: true };
  }
  if (!isOfEndpoints) return { ...bounds, endpoints: undefined, allowed: false, denied: true };
  return {
    ...bounds,
    endpoints: { selector: selectorOf(selector), namespace, endpoint },
    allowed: verdict !== 'deny',
    denied: verdict !== 'allow',
  };
}

function requireOne(said: Readonly<Record<string, boolean>>): void {
  const all = Object.keys(said);
  const found = all.filter((name) => said[name]);
  if (found.length === 1) return;
  throw invalidRequest('body', 'does not say whose packets', {
    found: found.length === 0 ? 'nothing of it' : found.join(' and '),
    expected: 'selector, namespace or endpoint; or hostEndpoint; or drops',
  });
}

/** The host's programs hand over no others. */
function requireDenied(verdict: string): void {
  if (verdict === 'deny') return;
  throw invalidRequest('verdict', 'packets that a host endpoint allows cannot be had', {
    found: verdict,
    expected: 'deny',
  });
}

function selectorOf(text: string | undefined): Selector | undefined {
  if (text === undefined) return undefined;
  const parsed = tryParseSelector(text);
  if ('selector' in parsed) return parsed.selector;
  throw invalidRequest('selector', describeProblem(parsed.problem), { found: text });
}
