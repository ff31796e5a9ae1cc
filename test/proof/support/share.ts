// How much of the proof a run does: a share of a few minutes, or with TORTIE_PROOF=all the whole, which takes an hour. Which part
// the share is, a seed decides.

export const IS_WHOLE = process.env.TORTIE_PROOF === 'all';

/** Of a test that does the whole; undefined = as its tier has it. */
export const TIMEOUT_MS = IS_WHOLE ? 3 * 3_600_000 : undefined;

/** So many of the whole. */
export function shareOf(whole: number, share: number): number {
  return IS_WHOLE ? whole : share;
}
