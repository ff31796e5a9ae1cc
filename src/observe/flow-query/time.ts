// Times as users give them for flows of the past: a moment, or so long before now.
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** Of JavaScript's dates. */
const MAX_TIME = 8_640_000_000_000_000;

export const TIME_EXPECTED =
  'so long ago (90s, 15m, 2h, 7d), a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970';

/** Milliseconds since 1970; undefined = the text is no time. */
export function parseTime(text: string, now: number): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return now - Number(count) * (UNIT_MS[unit] as number);
  if (/^\d{10,16}$/.test(text)) return Number(text) <= MAX_TIME ? Number(text) : undefined;
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
