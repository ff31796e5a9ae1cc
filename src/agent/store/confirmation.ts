// A change that comes undone unless somebody confirms it: until when, told in a way that neither a wrong clock nor a
// restart can mislead.
import { readFileSync } from 'node:fs';

/** Stored with the change itself. */
export interface Confirmation {
  /** That is to be confirmed. */
  readonly revision: number;
  /** Wall clock, ISO 8601: for people. */
  readonly expires: string;
  /** The same in milliseconds of CLOCK_MONOTONIC: what counts, for as long as the machine is up. */
  readonly expiresMonotonicMs: number;
  readonly bootId: string;
}

export const MAX_CONFIRM_MS = 24 * 60 * 60 * 1000;
/** By more than this, the wall clock that people were told of is another one now. */
const LARGEST_STEP_MS = 1000;

/** Node's clock is CLOCK_MONOTONIC: every process of one boot reads the same. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Another one after each boot. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export function confirmationWithin(revision: number, waitMs: number, now: Date): Confirmation {
  return {
    revision,
    expires: new Date(now.getTime() + waitMs).toISOString(),
    expiresMonotonicMs: monotonicMs() + waitMs,
    bootId: readBootId(),
  };
}

/** Milliseconds that are left; 0 when time is up, or the machine has been started again: whoever was to confirm is gone. */
export function timeLeft({ expiresMonotonicMs, bootId }: Confirmation): number {
  return bootId === readBootId() ? Math.max(0, expiresMonotonicMs - monotonicMs()) : 0;
}

/** With the time of day at which its time is up, which is another one once the wall clock was set. */
export function asOfNow(confirmation: Confirmation, now = new Date()): Confirmation {
  const leftMs = timeLeft(confirmation);
  const expiresMs = now.getTime() + leftMs;
  if (leftMs === 0 || Math.abs(expiresMs - Date.parse(confirmation.expires)) <= LARGEST_STEP_MS) return confirmation;
  return { ...confirmation, expires: new Date(expiresMs).toISOString() };
}
