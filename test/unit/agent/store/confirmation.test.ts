import { describe, expect, it } from 'vitest';
import {
  asOfNow,
  confirmationWithin,
  monotonicMs,
  readBootId,
  timeLeft,
} from '../../../../src/agent/store/confirmation.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

describe('a confirmation', () => {
  it('counts in the machine-wide clock and this boot', () => {
    const before = monotonicMs();
    const confirmation = confirmationWithin(7, 60_000, NOW);
    expect(confirmation).toMatchObject({ revision: 7, expires: '2026-01-01T00:01:00.000Z', bootId: readBootId() });
    expect(confirmation.expiresMonotonicMs).toBeGreaterThanOrEqual(before + 60_000);
    expect(confirmation.expiresMonotonicMs).toBeLessThanOrEqual(monotonicMs() + 60_000);
  });

  it('has time left that the wall clock does not change', () => {
    const confirmation = { ...confirmationWithin(7, 60_000, NOW), expires: '1970-01-01T00:00:00Z' };
    expect(timeLeft(confirmation)).toBeGreaterThan(0);
    expect(timeLeft(confirmation)).toBeLessThanOrEqual(60_000);
  });

  it('says by a wall clock that was set when its time is up, and nothing else by one that was not', () => {
    const confirmation = confirmationWithin(7, 60_000, new Date());
    expect(asOfNow(confirmation)).toBe(confirmation);
    const tomorrow = new Date(Date.now() + 86_400_000);
    const { expires, ...rest } = asOfNow(confirmation, tomorrow);
    expect(confirmation).toMatchObject(rest);
    const leftMs = Date.parse(expires) - tomorrow.getTime();
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

  it('has none left when its time is up, and after another boot', () => {
    const confirmation = confirmationWithin(7, 60_000, NOW);
    expect(timeLeft({ ...confirmation, expiresMonotonicMs: monotonicMs() - 1 })).toBe(0);
    expect(timeLeft({ ...confirmation, bootId: '00000000-0000-0000-0000-000000000000' })).toBe(0);
  });

  it('names the boot as the kernel does', () => {
    expect(readBootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});
