// What "this connection never noticed" means.
import { expect } from 'vitest';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import type { Stream } from '../../../tools/lab/stream.ts';

/** Long enough for a machine with too much to do, too short for a connection that is cut. */
const LONGEST_GAP_MS = 1000 * PATIENCE;
/** The last duplicate that a busy machine made is reported as such only with the next answer. */
const LAST_ANSWERS = 3;

/** Waits for a few more answers and ends the streams: each is alive, lost no packet in its whole life, and was never silent for long. */
export async function expectUndisturbed(streams: readonly Stream[]): Promise<void> {
  await Promise.all(streams.map((stream) => stream.progress(LAST_ANSWERS, 1000)));
  const ended = await Promise.all(streams.map((stream) => stream.stop()));
  expect(ended.map(({ state, lost }) => ({ state, lost }))).toEqual(streams.map(() => ({ state: 'stopped', lost: 0 })));
  for (const stream of streams) expect(stream.longestGapMs).toBeLessThan(LONGEST_GAP_MS);
}
