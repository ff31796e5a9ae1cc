import { describe, expect, it } from 'vitest';
import {
  ClockGuard,
  countExpired,
  limitsOnDisk,
  provenBy,
  segmentBytes,
} from '../../../../src/observe/flow-store/retention.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;
const MIB = 1024 * 1024;
const segments = (...ages: (number | undefined)[]) =>
  ages.map((age) => ({ bytes: 10, newest: age === undefined ? undefined : NOW - age * DAY }));

describe('files that must go', () => {
  it('are the oldest, as many as are too much, never the one that is written to', () => {
    expect(countExpired(segments(4, 3, 2, 1), { days: 7, bytes: 40 }, NOW)).toBe(0);
    expect(countExpired(segments(4, 3, 2, 1), { days: 7, bytes: 39 }, NOW)).toBe(1);
    expect(countExpired(segments(4, 3, 2, 1), { days: 7, bytes: 0 }, NOW)).toBe(3);
    expect(countExpired(segments(9), { days: 7, bytes: 0 }, NOW)).toBe(0);
  });

  it('are those that are too old, while the clock can be believed', () => {
    const limits = { days: 7, bytes: 1000 };
    expect(countExpired(segments(9, 8, 2, 1), limits, NOW)).toBe(2);
    expect(countExpired(segments(9, 8, 2, 1), limits, undefined)).toBe(0);
    expect(countExpired(segments(9, undefined, 8, 1), limits, NOW)).toBe(3);
    // An old one behind a younger one waits for it.
    expect(countExpired(segments(6, 8, 1), limits, NOW)).toBe(0);
  });

  it('are those of a time to come with the next that is too old, and not before', () => {
    const limits = { days: 7, bytes: 1000 };
    expect(countExpired(segments(9, -300, 2, 1), limits, NOW)).toBe(1);
    expect(countExpired(segments(9, -300, 8, 1), limits, NOW)).toBe(3);
  });
});

it('a full disk leaves less to keep, down to nothing', () => {
  const limits = { days: 7, bytes: 1000 * MIB };
  const total = 2000 * MIB;
  expect(limitsOnDisk(limits, 100 * MIB, { free: 1800 * MIB, total }).bytes).toBe(1000 * MIB);
  expect(limitsOnDisk(limits, 100 * MIB, { free: 200 * MIB, total }).bytes).toBe(200 * MIB);
  expect(limitsOnDisk(limits, 300 * MIB, { free: 0, total }).bytes).toBe(200 * MIB);
  expect(limitsOnDisk(limits, 10 * MIB, { free: 0, total }).bytes).toBe(0);
  expect(segmentBytes({ days: 7, bytes: 0 })).toBe(MIB);
});

it('a clock is proven by what ended an hour ago and no more than two', () => {
  const hour = 3_600_000;
  expect(provenBy(NOW)).toEqual({ from: NOW - 2 * hour, until: NOW - hour });
  const guard = new ClockGuard();
  guard.distrust(5000);
  expect(guard.isSteady(NOW, 6000)).toBe(false);
  expect(guard.isSteady(NOW + hour - 1001, 5000 + hour - 1)).toBe(false);
  expect(guard.isSteady(NOW + hour - 1000, 5000 + hour)).toBe(true);
});

it('a clock that jumps is believed again after an hour without a jump', () => {
  const guard = new ClockGuard();
  const hour = 3_600_000;
  expect(guard.isSteady(NOW, 0)).toBe(true);
  expect(guard.isSteady(NOW + 60_000, 60_000)).toBe(true);
  expect(guard.isSteady(NOW + 400 * DAY, 120_000)).toBe(false);
  expect(guard.isSteady(NOW + 60_000, 180_000)).toBe(false);
  expect(guard.isSteady(NOW + 60_000 + hour - 1, 180_000 + hour - 1)).toBe(false);
  expect(guard.isSteady(NOW + 60_000 + hour, 180_000 + hour)).toBe(true);
});
