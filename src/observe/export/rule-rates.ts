// How many lines each Log rule may have: a bucket of tokens for each, and a count of what it had none for.

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
};

/** `10/second`, as iptables has it; '' = no limit. undefined = neither. */
export function parseRate(text: string, burst: number): RateLimit | 'unlimited' | undefined {
  if (text === '') return 'unlimited';
  const [, digits, unit = ''] = /^([1-9]\d{0,5})\/([a-z]+)$/.exec(text) ?? [];
  const seconds = Object.hasOwn(UNIT_SECONDS, unit) ? UNIT_SECONDS[unit] : undefined;
  return seconds === undefined ? undefined : { perSecond: Number(digits) / seconds, burst };
}

interface Bucket<R> {
  tokens: number;
  filledAt: number;
  suppressed: number;
  rule: R;
}

/** More rules than these share a bucket. */
const MAX_RULES = 4096;
const OTHERS = '';

export class RuleRates<R> {
  readonly #buckets = new Map<string, Bucket<R>>();
  #limit: RateLimit | 'unlimited';

  constructor(limit: RateLimit | 'unlimited') {
    this.#limit = limit;
  }

  /** For what comes from now on. */
  setLimit(limit: RateLimit | 'unlimited'): void {
    this.#limit = limit;
  }

  /** Milliseconds of a clock that does not jump. Returns what was suppressed since the last time; undefined = no line now. */
  admit(key: string, rule: R, now: number): number | undefined {
    if (this.#limit === 'unlimited') return 0;
    const bucket = this.#bucketOf(key, rule, now, this.#limit);
    const { perSecond, burst } = this.#limit;
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    bucket.rule = rule;
    if (bucket.tokens < 1) {
      bucket.suppressed += 1;
      return undefined;
    }
    bucket.tokens -= 1;
    const { suppressed } = bucket;
    bucket.suppressed = 0;
    return suppressed;
  }

  /** Rules of which packets were suppressed and nothing was said since; forgets that, and rules that nothing is to be known of. */
  takeSuppressed(now: number): { readonly rule: R; readonly suppressed: number }[] {
    const told: { readonly rule: R; readonly suppressed: number }[] = [];
    for (const [key, bucket] of this.#buckets) {
      if (bucket.suppressed > 0) told.push({ rule: bucket.rule, suppressed: bucket.suppressed });
      else if (this.#limit === 'unlimited' || isFull(bucket, now, this.#limit)) this.#buckets.delete(key);
      bucket.suppressed = 0;
    }
    return told;
  }

  #bucketOf(key: string, rule: R, now: number, { burst }: RateLimit): Bucket<R> {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const kept = this.#buckets.size < MAX_RULES ? key : OTHERS;
    const bucket = this.#buckets.get(kept) ?? { tokens: burst, filledAt: now, suppressed: 0, rule };
    this.#buckets.set(kept, bucket);
    return bucket;
  }
}

function isFull({ tokens, filledAt }: Bucket<unknown>, now: number, { perSecond, burst }: RateLimit): boolean {
  return tokens + ((now - filledAt) / 1000) * perSecond >= burst;
}
