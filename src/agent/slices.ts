// Runs long work a few milliseconds at a time, so that events, timers and requests get their turn. What the work is, is
// not known here.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Steps } from '../base/steps.ts';

const SLICE_MS = 10;

/** What the steps return; undefined = isWanted said no before their end. */
export async function finishInSlices<T>(steps: Steps<T>, isWanted: () => boolean): Promise<T | undefined> {
  while (isWanted()) {
    const endMs = performance.now() + SLICE_MS;
    while (performance.now() < endMs) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
    await setImmediate();
  }
  return undefined;
}
