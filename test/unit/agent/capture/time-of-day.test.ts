import { afterEach, describe, expect, it, vi } from 'vitest';
import { clockOffsetNs, offsetAsOfNow } from '../../../../src/agent/capture/time-of-day.ts';

const DAY_MS = 86_400_000;
const NS_PER_MS = 1_000_000n;

describe('the time of day of captured packets', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is what the programs count, and how far the wall clock is ahead of it', () => {
    const offsetNs = clockOffsetNs();
    const nowMs = Number((process.hrtime.bigint() + offsetNs) / NS_PER_MS);
    expect(Math.abs(nowMs - Date.now())).toBeLessThan(50);
    expect(offsetAsOfNow(offsetNs)).toBe(offsetNs);
  });

  it.each([DAY_MS, -DAY_MS - 3_600_000])('follows a wall clock that is set by %i ms', (byMs) => {
    const offsetNs = clockOffsetNs();
    const wall = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => wall() + byMs);
    const movedMs = Number((offsetAsOfNow(offsetNs) - offsetNs) / NS_PER_MS);
    expect(Math.abs(movedMs - byMs)).toBeLessThan(50);
  });
});
