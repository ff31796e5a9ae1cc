import { describe, expect, it } from 'vitest';
import {
  DEFAULT_PORT_MERGING,
  EXACT_PORTS,
  formatRange,
  mergePorts,
} from '../../../../src/analysis/recommend/port-ranges.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

const texts = (ports: readonly number[], merging = DEFAULT_PORT_MERGING) => mergePorts(ports, merging).map(formatRange);
const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

describe('mergePorts', () => {
  it('keeps ports apart, and joins those without a gap', () => {
    expect(texts([443, 80, 80, 8081, 8080, 8082])).toEqual([80, 443, '8080:8082']);
    expect(texts([])).toEqual([]);
  });

  it('covers others only where most of a range was seen, and says so', () => {
    const dense = upTo(9000, 9010).filter((port) => port !== 9005);
    expect(mergePorts(dense)).toEqual([{ first: 9000, last: 9010, widened: 'dense' }]);
    expect(texts(dense, EXACT_PORTS)).toEqual(['9000:9004', '9006:9010']);
    expect(texts([9000, 9002, 9004, 9006, 9008, 9010, 9012, 9014, 9016])).toHaveLength(9);
  });

  it('takes many ephemeral ports for all of them, few for themselves', () => {
    const many = [33_000, 35_001, 40_000, 41_111, 45_000, 50_000, 51_234, 60_000];
    expect(mergePorts([80, ...many]).map(({ widened }) => widened)).toEqual([undefined, 'ephemeral']);
    expect(texts([80, ...many])).toEqual([80, '32768:65535']);
    expect(texts(many.slice(1))).toEqual(many.slice(1));
    expect(texts(many, EXACT_PORTS)).toEqual(many);
  });

  it('always covers what was seen, in order and without overlap; exactly that when asked', () => {
    const seed = newSeed('ports');
    for (let index = 0; index < 300; index++) {
      const random = new Random(seed, index);
      const start = random.between(1, 65_000);
      const ports = random.list(1, 40, () =>
        Math.min(65_535, start + random.between(0, random.pick([20, 60, 30_000]))),
      );
      for (const merging of [DEFAULT_PORT_MERGING, EXACT_PORTS]) {
        const ranges = mergePorts(ports, merging);
        const place = `case ${index} of seed ${seed}`;
        expect(
          ports.every((port) => ranges.some(({ first, last }) => first <= port && port <= last)),
          place,
        ).toBe(true);
        for (const [at, { first }] of ranges.entries()) expect(first, place).toBeGreaterThan(ranges[at - 1]?.last ?? 0);
        const covered = ranges
          .filter(({ widened }) => widened === undefined)
          .reduce((sum, { first, last }) => sum + last - first + 1, 0);
        expect(covered, place).toBeLessThanOrEqual(new Set(ports).size);
        if (merging === EXACT_PORTS) expect(covered, place).toBe(new Set(ports).size);
      }
    }
  });
});
