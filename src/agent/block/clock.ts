// Time as the block list needs it: what it is, and to be woken. A test has its own.

export interface Clock {
  /** Since 1970. */
  nowMs(): number;
  /** Calls back once, at that time or soon after. The returned function calls it off. */
  wakeAt(ms: number, callback: () => void): () => void;
}

/** Timers wait no longer than that (2^31 ms is the end of what they can). */
const LONGEST_MS = 3_600_000;

/** The machine's. A wall clock that is set moves ends with it: the callback may come early, and asks again. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  wakeAt: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms - Date.now()), LONGEST_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
