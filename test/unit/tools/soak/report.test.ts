// What a soak may pass with: growth that nobody would notice in a day, or none that can be told, and not much that could hide in that.
import { describe, expect, it } from 'vitest';
import { findProblems, judgeSlope, renderSoak, type SoakOutcome } from '../../../../tools/soak/report.ts';
import type { Sample } from '../../../../tools/soak/sample.ts';

const MEMORY = { perDay: 64, hiddenPerHour: 30 };
const SAMPLES = 200;
const STEADY: Omit<Sample, 'hours'> = {
  rssMib: 340,
  anonMib: 120,
  storeMib: 100,
  descriptors: 120,
  rows: 15,
  regions: 50,
  traceIds: 19,
  pins: 26,
  flows: 1000,
  eventsLost: 0,
  events: 1_000_000,
  holes: 0,
};

/** Half an hour of samples; `change` says what is not as steady as the rest. */
function outcomeOf(change: (hours: number, at: number) => Partial<Sample>): SoakOutcome {
  const samples = Array.from({ length: SAMPLES }, (_, at) => {
    const hours = (0.5 * at) / SAMPLES;
    return { ...STEADY, hours, ...change(hours, at) };
  });
  return { minutes: 30, samples, flips: 1, kills: 1, judgements: [] };
}

/** Up and down by as much, slowly, so that no average evens it out. */
function noise(at: number, by: number): number {
  return by * Math.sin(at / 13);
}

describe('the verdict of a soak', () => {
  it.each([
    ['nothing', 0, 0, 'flat'],
    ['what would not be noticed in a day', 1, 0.5, 'flat'],
    ['what shrinks', -5, 2.5, 'flat'],
    ['what cannot be told from none', 10, 12, 'flat'],
    ['a slope that is sure', 10, 9, 'grows'],
    ['a slow one that is sure, and may matter in a day', 2, 1, 'grows'],
    ['what cannot be told from none, and may be much', 10, 21, 'unclear'],
    ['no slope at all with no end of error', 0, Infinity, 'unclear'],
    ['a negative slope with much noise', -5, 36, 'unclear'],
  ])('on %s: %d ± %d is %s', (_, perHour, error, expected) => {
    expect(judgeSlope({ perHour, error, mean: 100 }, MEMORY)).toBe(expected);
  });

  it('has nothing against what is steady, or goes up and down a little', () => {
    expect(findProblems(outcomeOf(() => ({})))).toEqual([]);
    expect(findProblems(outcomeOf((_, at) => ({ rssMib: 340 + noise(at, 0.5) })))).toEqual([]);
  });

  it('tells growth of the agent and of the process that keeps flows', () => {
    expect(findProblems(outcomeOf((hours) => ({ anonMib: 120 + 20 * hours })))).toEqual([
      'of it not maps and files, MiB: grows',
    ]);
    const store = outcomeOf((hours) => ({ storeMib: 100 + 20 * hours }));
    expect(findProblems(store)).toEqual(['the process that keeps flows, MiB: grows']);
    expect(renderSoak(store)).toMatch(
      /^\| the process that keeps flows, MiB \| .* \| 20\.00 ± 0\.00 \| \*\*grows\*\* \|$/m,
    );
  });

  it('does not pass what may grow by much, however little is sure of it', () => {
    const noisy = outcomeOf((_, at) => ({ rssMib: 340 + noise(at, 20) }));
    expect(findProblems(noisy)).toEqual(['resident memory, MiB: too noisy to tell, take longer']);
    expect(findProblems({ ...noisy, samples: noisy.samples.slice(0, 2) })).toHaveLength(8);
  });
});
