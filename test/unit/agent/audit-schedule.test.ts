import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditSchedule } from '../../../src/agent/audit-schedule.ts';

const SECONDS = 1000;

describe('an audit schedule', () => {
  let schedule: AuditSchedule;
  let due: number;

  beforeEach(() => {
    vi.useFakeTimers();
    due = 0;
    schedule = new AuditSchedule(() => {
      due += 1;
    });
    schedule.begin(5);
  });

  afterEach(() => {
    schedule.close();
    vi.useRealTimers();
  });

  it('wants everything at first, then nothing until it is asked', () => {
    expect(schedule.take()).toEqual({ isAudit: true, isListing: true });
    expect(schedule.take()).toEqual({ isAudit: false, isListing: false });
    schedule.want({ isListing: true });
    schedule.want({ isListing: false });
    expect(schedule.take()).toEqual({ isAudit: true, isListing: true });
    expect(schedule.take()).toEqual({ isAudit: false, isListing: false });
  });

  it('wants an audit every 5 seconds and a listing every 30, until it is closed', () => {
    schedule.take();
    const wanted = Array.from({ length: 12 }, () => {
      vi.advanceTimersByTime(5 * SECONDS);
      return schedule.take();
    });
    expect(due).toBe(12);
    expect(wanted.map(({ isAudit }) => isAudit)).toEqual(wanted.map(() => true));
    expect(wanted.flatMap(({ isListing }, index) => (isListing ? [index] : []))).toEqual([5, 11]);
    schedule.close();
    vi.advanceTimersByTime(60 * SECONDS);
    expect(due).toBe(12);
  });

  it('goes on at another pace when it is told to', () => {
    vi.advanceTimersByTime(4 * SECONDS);
    schedule.begin(2);
    vi.advanceTimersByTime(6 * SECONDS);
    expect(due).toBe(3);
  });
});
