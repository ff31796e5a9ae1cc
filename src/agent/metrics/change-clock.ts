// How long changes wait until they are in force. Many changes may come while one is being brought into the kernel; each is
// measured from its own beginning.

/** More that wait at once are measured as if they had come with the last of these. */
const MAX_WAITING = 4096;

/** Changes that were known when a state of policy was taken. */
export interface TakenChanges {
  /** Returns for each how long it waited, in seconds; to be called once. */
  inForce(): readonly number[];
}

export class ChangeClock {
  readonly #nowMs: () => number;
  /** When each began, the oldest first. */
  #waiting: number[] = [];

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Of the oldest that waits; 0 = none does. */
  get pendingSeconds(): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : Math.max(0, this.#nowMs() - oldest) / 1000;
  }

  /** `sinceMs` = when it was noticed first, by the same clock. */
  note(sinceMs: number): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(sinceMs);
  }

  /** What comes later is not part of it. */
  take(): TakenChanges {
    const count = this.#waiting.length;
    return {
      inForce: () => {
        const now = this.#nowMs();
        const done = this.#waiting.slice(0, count);
        this.#waiting = this.#waiting.slice(count);
        return done.map((sinceMs) => Math.max(0, now - sinceMs) / 1000);
      },
    };
  }
}
