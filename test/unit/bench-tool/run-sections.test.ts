import { describe, expect, it } from 'vitest';
import { EMPTY_REPORT } from '../../../bench/report.ts';
import type { BenchSection } from '../../../bench/run.ts';
import { missingNeeds } from '../../../bench/run-needs.ts';
import { runSections } from '../../../bench/run-sections.ts';
import { row } from './support/rows.ts';

describe('sections', () => {
  it('hand over rows as they finish, undo what they set up, and do not stop at one that fails', async () => {
    const story: string[] = [];
    const sections: Record<string, BenchSection> = {
      one: async ({ onEnd }) => {
        onEnd(() => story.push('undone one'));
        return [row('a', {}, 1)];
      },
      broken: async ({ onEnd }) => {
        onEnd(() => story.push('undone broken'));
        throw new Error('the measured flow is not allowed');
      },
      two: async () => [row('b', {}, 2)],
    };
    const said: string[] = [];
    const failed = await runSections({
      sections,
      chosen: ['one', 'broken', 'two'],
      rounds: 5,
      isQuick: false,
      before: EMPTY_REPORT,
      say: (text) => said.push(text),
      onRows: (name, rows) => story.push(`${name} gave ${rows.map((result) => result.name)}`),
    });
    expect(failed).toEqual(['broken']);
    expect(story).toEqual(['undone one', 'one gave a', 'undone broken', 'two gave b']);
    expect(said).toContain('broken: the measured flow is not allowed');
  });

  it('say how long they took the last time', async () => {
    const said: string[] = [];
    const run = { date: '', seconds: 125, rounds: 21, load1m: 0, rows: [] };
    await runSections({
      sections: { one: async () => [] },
      chosen: ['one'],
      rounds: 5,
      isQuick: false,
      before: { ...EMPTY_REPORT, runs: { one: run } },
      say: (text) => said.push(text),
      onRows: () => undefined,
    });
    expect(said[0]).toBe('[1/1] one (took 2:05 with 21 rounds last time)');
  });
});

describe('needs of sections', () => {
  const path = process.env.PATH ?? '';

  it.each([
    { sections: ['verdict', 'diff'], uid: 1000, problem: 'verdict: only root may load programs into the kernel' },
    { sections: ['xdp', 'brand-new'], uid: 1000, problem: 'xdp, brand-new: only root' },
  ])('of $sections without root are one sentence', ({ sections, uid, problem }) => {
    expect(missingNeeds(sections, uid, path)).toEqual([expect.stringContaining(problem)]);
  });

  it('are none for what only computes', () => {
    expect(missingNeeds(['diff'], 1000, path)).toEqual([]);
  });
});
