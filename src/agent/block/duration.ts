// How long something is blocked, as people write it: 90s, 30m, 1h, 7d, 2w.
import { DataplaneError } from '../../base/errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const MAX_MS = 10 * 366 * 86_400_000;

/** Milliseconds. Throws INVALID_REQUEST. */
export function parseTtl(text: string): number {
  const [, number, unit = ''] = /^([1-9]\d{0,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms <= MAX_MS) return ms;
  throw new DataplaneError('INVALID_REQUEST', 'is no time to live', {
    operation: 'block',
    target: 'ttl',
    found: text,
    expected: 'a number and s, m, h, d or w, as 90s or 7d; ten years at most',
  });
}
