// From the clock of the programs to the time of day.

const NS_PER_MS = 1_000_000n;
/** More than a millisecond takes: a clock that stands still is taken as it is. */
const MAX_LOOKS = 1_000_000;

/** Nanoseconds to add to CLOCK_MONOTONIC, which process.hrtime is. Waits for the next whole millisecond: no clock here is finer. */
export function clockOffsetNs(): bigint {
  const begin = Date.now();
  let now = begin;
  for (let look = 0; now === begin && look < MAX_LOOKS; look += 1) now = Date.now();
  return BigInt(now) * NS_PER_MS - process.hrtime.bigint();
}
