// Long work in small steps: whoever has the time runs it to the end at once, an agent that must answer meanwhile runs it
// in slices (agent/slices.ts). No work of its own, no clock.

/** Work that may pause at every yield. Nothing else may touch what it works on before it has ended. */
export type Steps<T> = Generator<void, T, void>;

/** Runs all steps now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The items in parts of so many: a pause fits between them. */
export function* partsOf<T>(items: readonly T[], size: number): Generator<readonly T[], void, void> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
