// How much of the proof a run does, where it does not do all of it each time: a share of a few minutes, or with TORTIE_PROOF=all the
// whole, which takes half an hour. Which part the share is, a seed decides. TORTIE_PROOF_PART=2/4 = the second quarter of the longest
// list of the whole, the calls of a start.

export const IS_WHOLE = process.env.TORTIE_PROOF === 'all';

/** Of a test that does the whole; undefined = as its tier has it. */
export const TIMEOUT_MS = IS_WHOLE ? 3 * 3_600_000 : undefined;

/** So many of the whole. */
export function shareOf(whole: number, share: number): number {
  return IS_WHOLE ? whole : share;
}

/** What of the whole this run is to do. */
export function partOf<T>(whole: readonly T[]): T[] {
  const [part = 1, parts = 1] = (process.env.TORTIE_PROOF_PART ?? '1/1').split('/').map(Number);
  return whole.filter((_, index) => index % parts === part - 1);
}
