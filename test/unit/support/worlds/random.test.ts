import { describe, expect, it } from 'vitest';
import { manifestsOf } from '../../../support/worlds/manifests.ts';
import { questionOf } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

describe('Random', () => {
  it('gives the same choices for the same seed and index, and others for their neighbours', () => {
    const texts = [new Random(7, 1), new Random(7, 1), new Random(7, 2), new Random(8, 1)].map((random) =>
      JSON.stringify(manifestsOf(random)),
    );
    expect(texts[1]).toBe(texts[0]);
    expect(new Set(texts).size).toBe(3);
    expect(questionOf(7, 1, 20)).toEqual(questionOf(7, 1, 20));
  });

  it('reaches every number of a range about as often', () => {
    const random = new Random(1);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) {
      const number = random.between(0, 9);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600);
  });

  it('weighs its choices, and never takes one of weight 0', () => {
    const random = new Random(1);
    const drawn = Array.from({ length: 10_000 }, () => random.weighted([3, () => 'a'], [1, () => 'b'], [0, () => 'c']));
    const shareOfA = drawn.filter((choice) => choice === 'a').length / drawn.length;
    expect(shareOfA).toBeGreaterThan(0.72);
    expect(shareOfA).toBeLessThan(0.78);
    expect(drawn).not.toContain('c');
  });
});
