// Which versions of a policy can have been in force at a time: one may be from when it is first written until a later one is known
// to be. Times are CLOCK_MONOTONIC in nanoseconds.

interface Span {
  readonly version: number;
  readonly fromNs: number;
  /** Infinity = nothing later is known to be in force. */
  toNs: number;
}

/** What is over for so long is forgotten. */
const MEMORY_NS = 60e9;

export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

export class Timeline {
  #spans: Span[] = [];

  /** To be called before anybody can have read the version. Versions count up. */
  write(version: number): void {
    const now = monotonicNs();
    this.#spans = this.#spans.filter(({ toNs }) => toNs > now - MEMORY_NS);
    this.#spans.push({ version, fromNs: now, toNs: Infinity });
  }

  /** To be called once the version is certainly in force: no earlier one is from here on. */
  know(version: number): void {
    const now = monotonicNs();
    for (const span of this.#spans) if (span.version < version) span.toNs = Math.min(span.toNs, now);
  }

  /** Whether a version that may have been in force at some moment of the span is such a one. */
  some(fromNs: number, toNs: number, accepts: (version: number) => boolean): boolean {
    for (let at = this.#spans.length - 1; at >= 0; at -= 1) {
      const span = this.#spans[at] as Span;
      if (span.fromNs <= toNs && span.toNs >= fromNs && accepts(span.version)) return true;
    }
    return false;
  }

  /** Versions that may be in force now. */
  get open(): readonly number[] {
    return this.#spans.filter(({ toNs }) => toNs === Infinity).map(({ version }) => version);
  }
}
