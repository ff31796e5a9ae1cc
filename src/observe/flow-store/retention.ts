// Which files of the store must go. Pure: whoever asks says what time it is, and whether the clock can be believed.

export interface StoredSegment {
  readonly bytes: number;
  /** End of the latest flow in it, in milliseconds since 1970; undefined = it is empty. */
  readonly newest: number | undefined;
}

export interface RetentionLimits {
  readonly days: number;
  readonly bytes: number;
}

/** Of the file system that the files are in. */
export interface DiskSpace {
  readonly free: number;
  readonly total: number;
}

const DAY_MS = 86_400_000;
/** Left to others, of the disk and at most. */
const RESERVE = { share: 0.05, bytes: 1024 * 1024 * 1024 } as const;
/** A clock that is wrong is put right by less than this, or jumps. */
const JUMP_MS = 3_600_000;
/** How long a clock that jumped must have run on without another jump. */
const STEADY_MS = 3_600_000;

/** What the disk leaves of the limits, when files take so much of it: less of it free is less that is kept. */
export function limitsOnDisk(limits: RetentionLimits, used: number, { free, total }: DiskSpace): RetentionLimits {
  const reserve = Math.min(total * RESERVE.share, RESERVE.bytes);
  return { ...limits, bytes: Math.max(0, Math.min(limits.bytes, Math.floor(used + free - reserve))) };
}

/** Files are so large that retention takes them away in steps that nobody minds. */
export function segmentBytes(limits: RetentionLimits): number {
  return Math.min(Math.max(Math.floor(limits.bytes / 16), 1024 * 1024), 256 * 1024 * 1024);
}

export function segmentMs(limits: RetentionLimits): number {
  return Math.max(3_600_000, Math.floor((limits.days * DAY_MS) / 16));
}

/**
 * How many of the oldest must go, given them in the order in which they were written, the one that is written to last: it stays.
 * Age is that of a file and of all before it, so that flows of a time when the clock was wrong are judged by those around them.
 */
export function countExpired(
  segments: readonly StoredSegment[],
  limits: RetentionLimits,
  now: number | undefined,
): number {
  const old = segments.slice(0, -1);
  let total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  let bySize = 0;
  while (total > limits.bytes && bySize < old.length) {
    total -= (old[bySize] as StoredSegment).bytes;
    bySize += 1;
  }
  if (now === undefined) return bySize;
  const oldest = now - limits.days * DAY_MS;
  const isPast = ({ newest }: StoredSegment): boolean =>
    newest === undefined || newest < oldest || newest > now + DAY_MS;
  let byAge = 0;
  for (let index = 0; index < old.length && isPast(old[index] as StoredSegment); index += 1) {
    const { newest } = old[index] as StoredSegment;
    // One of the future goes with the next one of a time that can be: alone it says nothing of its age.
    if (newest === undefined || newest < oldest) byAge = index + 1;
  }
  return Math.max(bySize, byAge);
}

/**
 * When something that is stored must have ended for the clock to be the one that was there before. Not just now: a clock that was
 * wrong at boot may have written that.
 */
export function provenBy(now: number): { readonly from: number; readonly until: number } {
  return { from: now - STEADY_MS - JUMP_MS, until: now - STEADY_MS };
}

/** Whether ages can be told: not after the clock was set forward by much, until it has gone on steadily for an hour. */
export class ClockGuard {
  #last: { readonly wall: number; readonly steady: number } | undefined;
  #jumpedAt: number | undefined;

  /** Both clocks now, in milliseconds: the wall's, and one that is never set. */
  isSteady(wall: number, steady: number): boolean {
    const last = this.#last;
    this.#last = { wall, steady };
    if (last !== undefined && Math.abs(wall - last.wall - (steady - last.steady)) > JUMP_MS) this.#jumpedAt = steady;
    return this.#jumpedAt === undefined || steady - this.#jumpedAt >= STEADY_MS;
  }

  /** As if it had jumped just now. */
  distrust(steady: number): void {
    this.#jumpedAt = steady;
  }
}
