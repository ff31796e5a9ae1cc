// When to try again: twice as long each time, by chance shorter, so that many agents do not come back at one moment.
const FIRST_MS = 250;
const LONGEST_MS = 60_000;

export class BackOff {
  readonly #random: () => number;
  readonly #firstMs: number;
  readonly #longestMs: number;
  #failures = 0;

  /** random = 0 to 1. */
  constructor(random: () => number = Math.random, firstMs = FIRST_MS, longestMs = LONGEST_MS) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Milliseconds to wait: half of what is due at least, so that it does grow. */
  failed(): number {
    const due = Math.min(this.#longestMs, this.#firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    return due / 2 + (due / 2) * this.#random();
  }
}
