import { describe, expect, it } from 'vitest';
import { ChangeClock } from '../../../../src/agent/metrics/change-clock.ts';

describe('ChangeClock', () => {
  it('measures each change from its own beginning to when it is in force', () => {
    let now = 1000;
    const clock = new ChangeClock(() => now);
    clock.note(1000);
    now = 1500;
    clock.note(1400);
    const taken = clock.take();
    now = 2000;
    expect(clock.pendingSeconds).toBe(1);
    expect(taken.inForce()).toEqual([1, 0.6]);
    expect(clock.pendingSeconds).toBe(0);
  });

  it('lets a change that comes meanwhile wait for the next time', () => {
    let now = 0;
    const clock = new ChangeClock(() => now);
    clock.note(0);
    const taken = clock.take();
    now = 100;
    clock.note(100);
    expect(taken.inForce()).toEqual([0.1]);
    now = 350;
    expect(clock.pendingSeconds).toBe(0.25);
    expect(clock.take().inForce()).toEqual([0.25]);
  });

  it('goes on waiting for what was taken and did not come into force', () => {
    let now = 0;
    const clock = new ChangeClock(() => now);
    clock.note(0);
    clock.take();
    now = 60_000;
    expect(clock.pendingSeconds).toBe(60);
  });

  it('remembers a bounded number', () => {
    const clock = new ChangeClock(() => 5000);
    for (let index = 0; index < 100_000; index += 1) clock.note(index / 100);
    expect(clock.take().inForce()).toHaveLength(4096);
    expect(clock.pendingSeconds).toBe(0);
  });
});
