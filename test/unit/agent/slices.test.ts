import { describe, expect, it } from 'vitest';
import { finishInSlices } from '../../../src/agent/slices.ts';
import type { Steps } from '../../../src/base/steps.ts';

/** Steps until `isEnough`; returns how many there were. */
function* stepsUntil(isEnough: () => boolean): Steps<number> {
  let steps = 0;
  while (!isEnough()) {
    steps += 1;
    yield;
  }
  return steps;
}

describe('finishInSlices', () => {
  it('lets others have their turn: the steps end only once a timer has fired', async () => {
    let hasFired = false;
    setTimeout(() => {
      hasFired = true;
    }, 1);
    const steps = stepsUntil(() => hasFired);
    expect(await finishInSlices(steps, () => true)).toBeGreaterThan(0);
  });

  it('returns what the steps return', async () => {
    let left = 3;
    const steps = stepsUntil(() => left-- === 0);
    expect(await finishInSlices(steps, () => true)).toBe(3);
  });

  it('stops between slices when nobody wants the end any more', async () => {
    let isWanted = true;
    setTimeout(() => {
      isWanted = false;
    }, 1);
    const steps = stepsUntil(() => false);
    expect(await finishInSlices(steps, () => isWanted)).toBeUndefined();
  });
});
