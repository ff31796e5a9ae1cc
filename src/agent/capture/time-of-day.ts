// From the clock of the programs to the time of day.

const NS_PER_MS = 1_000_000n;
/** More than a millisecond takes: a clock that stands still is taken as it is. */
const MAX_LOOKS = 1_000_000;
/** By less than this the two clocks drift apart; a wall clock that was set is off by more. */
const LARGEST_DRIFT_NS = 100n * NS_PER_MS;

/** Nanoseconds to add to CLOCK_MONOTONIC, which process.hrtime is. Waits for the next whole millisecond: no clock here is finer. */
export function clockOffsetNs(): bigint {
  const begin = Date.now();
  let now = begin;
  for (let look = 0; now === begin && look < MAX_LOOKS; look += 1) now = Date.now();
  return BigInt(now) * NS_PER_MS - process.hrtime.bigint();
}

/** The offset that was measured, or the one that counts now that the wall clock was set. */
export function offsetAsOfNow(offsetNs: bigint): bigint {
  const off = BigInt(Date.now()) * NS_PER_MS - process.hrtime.bigint() - offsetNs;
  return off > LARGEST_DRIFT_NS || off < -LARGEST_DRIFT_NS ? clockOffsetNs() : offsetNs;
}
