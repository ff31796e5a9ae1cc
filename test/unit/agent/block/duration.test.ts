import { describe, expect, it } from 'vitest';
import { parseTtl } from '../../../../src/agent/block/duration.ts';

describe('time to live', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('%s is so many milliseconds', (text, ms) => {
    expect(parseTtl(text)).toBe(ms);
  });

  it.each(['', '0s', '-1h', '1', 'h', '1H', '1.5h', ' 1h', '1h30m', '99999w', '9999999999w', '1y'])(
    '%j is refused',
    (text) => {
      expect(() => parseTtl(text)).toThrowError(expect.objectContaining({ code: 'INVALID_REQUEST', found: text }));
    },
  );
});
