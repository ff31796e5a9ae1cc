// Flows of one key and one interval put together, as Goldmane does: names by prefix, no addresses, no source ports. Pure.
import { FlowKeys } from './flow-keys.ts';
import type { FlowEnd, FlowLog } from './flow-log.ts';

export interface AggregatorOptions {
  /** Goldmane's: 15. */
  readonly bucketSeconds: number;
  /** Of one bucket; records of what would be one more are counted in `overflow`. */
  readonly maxKeys: number;
  /** Whether records that the other end's tell of too are put together apart from others. Goldmane's key knows no difference. */
  readonly splitsPaired: boolean;
}

export const DEFAULT_AGGREGATION: AggregatorOptions = Object.freeze({
  bucketSeconds: 15,
  maxKeys: 65_536,
  splitsPaired: false,
});

/** Records that no aggregate has, because their bucket had no room for one more key. */
export interface AggregationOverflow {
  readonly records: number;
  readonly packets: number;
  readonly bytes: number;
}

type Labels = Readonly<Record<string, string>>;

/** Of one end of one aggregate. */
const MAX_MET = 256;

interface Aggregate {
  readonly log: { -readonly [Field in keyof FlowLog]: FlowLog[Field] };
  /** Labels that each end has had. */
  readonly met: { readonly source: Set<Labels>; readonly destination: Set<Labels> };
}

interface Bucket {
  readonly start: number;
  readonly keys: FlowKeys;
  readonly byKey: Map<number, Map<number, Aggregate>>;
  size: number;
}

export class FlowAggregator {
  readonly #bucketMs: number;
  readonly #maxKeys: number;
  readonly #splitsPaired: boolean;
  /** Oldest first; seldom more than two. */
  #buckets: Bucket[] = [];
  /** End of the last bucket that was taken: what comes later belongs to the next one. */
  #takenUntil = Number.NEGATIVE_INFINITY;
  readonly #overflow = { records: 0, packets: 0, bytes: 0 };

  constructor(options: Partial<AggregatorOptions> = {}) {
    const { bucketSeconds, maxKeys, splitsPaired } = { ...DEFAULT_AGGREGATION, ...options };
    this.#bucketMs = bucketSeconds * 1000;
    this.#maxKeys = maxKeys;
    this.#splitsPaired = splitsPaired;
  }

  get overflow(): AggregationOverflow {
    return { ...this.#overflow };
  }

  /** Each record goes into the bucket that its interval ends in; one that comes too late into the oldest that is left. */
  add(logs: readonly FlowLog[]): void {
    for (const log of logs) this.#add(log);
  }

  /** Aggregates of the buckets that ended by then (ms since 1970), oldest first; they are forgotten here. */
  take(now: number): FlowLog[] {
    // The clock was set back: what bears a time to come is handed out, and nothing waits for that time.
    if (now < this.#takenUntil - this.#bucketMs) {
      const all = this.takeAll();
      this.#takenUntil = Number.NEGATIVE_INFINITY;
      return all;
    }
    const ended = this.#buckets.filter(({ start }) => start + this.#bucketMs <= now);
    this.#buckets = this.#buckets.filter(({ start }) => start + this.#bucketMs > now);
    return this.#hand(ended);
  }

  /** All that is left. */
  takeAll(): FlowLog[] {
    const all = this.#buckets;
    this.#buckets = [];
    return this.#hand(all);
  }

  #hand(buckets: readonly Bucket[]): FlowLog[] {
    const last = buckets.at(-1);
    if (last !== undefined) this.#takenUntil = last.start + this.#bucketMs;
    return buckets.flatMap(({ byKey }) =>
      [...byKey.values()].flatMap((aggregates) => [...aggregates.values()].map(({ log }) => log)),
    );
  }

  #add(log: FlowLog): void {
    const bucket = this.#bucketOf(log.endTime);
    const { byKey, keys, start } = bucket;
    const pair = keys.pairOf(log);
    let aggregates = byKey.get(pair);
    if (aggregates === undefined) {
      aggregates = new Map();
      byKey.set(pair, aggregates);
    }
    const rest = keys.restOf(log) * 2 + (this.#splitsPaired && log.isPaired ? 1 : 0);
    const aggregate = aggregates.get(rest);
    if (aggregate !== undefined) {
      merge(aggregate, log, start);
    } else if (bucket.size < this.#maxKeys) {
      aggregates.set(rest, begin(log, start, this.#bucketMs));
      bucket.size += 1;
      if (bucket.size === this.#maxKeys) keys.close();
    } else {
      if (aggregates.size === 0) byKey.delete(pair);
      this.#overflow.records += 1;
      this.#overflow.packets += log.packetsIn + log.packetsOut;
      this.#overflow.bytes += log.bytesIn + log.bytesOut;
    }
  }

  #bucketOf(time: number): Bucket {
    const wanted = Math.max(Math.floor(time / this.#bucketMs) * this.#bucketMs, this.#takenUntil);
    const last = this.#buckets.at(-1);
    if (last?.start === wanted) return last;
    const known = this.#buckets.find(({ start }) => start === wanted);
    if (known !== undefined) return known;
    const bucket: Bucket = { start: wanted, keys: new FlowKeys(), byKey: new Map(), size: 0 };
    this.#buckets.push(bucket);
    this.#buckets.sort((a, b) => a.start - b.start);
    return bucket;
  }
}

/** Field by field: an object that was made of another's rest is slow to add to. */
function begin(log: FlowLog, start: number, lengthMs: number): Aggregate {
  const { source, destination } = log;
  return {
    log: {
      startTime: start,
      endTime: start + lengthMs,
      node: log.node,
      reporter: log.reporter,
      isPaired: log.isPaired,
      action: log.action,
      source: { ...source, name: source.aggregatedName, address: '', port: 0 },
      destination: { ...destination, name: destination.aggregatedName, address: '' },
      protocol: log.protocol,
      icmpType: log.icmpType,
      icmpCode: log.icmpCode,
      service: log.service,
      enforced: log.enforced,
      pending: log.pending,
      reason: log.reason,
      tcpFlags: log.tcpFlags,
      packetsIn: log.packetsIn,
      packetsOut: log.packetsOut,
      bytesIn: log.bytesIn,
      bytesOut: log.bytesOut,
      flowsStarted: log.flowsStarted,
      flowsCompleted: log.flowsCompleted,
      flowsLive: livesAnew(log, start),
    },
    met: { source: new Set([source.labels]), destination: new Set([destination.labels]) },
  };
}

function merge({ log: aggregate, met }: Aggregate, log: FlowLog, start: number): void {
  aggregate.packetsIn += log.packetsIn;
  aggregate.packetsOut += log.packetsOut;
  aggregate.bytesIn += log.bytesIn;
  aggregate.bytesOut += log.bytesOut;
  aggregate.flowsStarted += log.flowsStarted;
  aggregate.flowsCompleted += log.flowsCompleted;
  aggregate.flowsLive = Math.max(0, aggregate.flowsLive + livesAnew(log, start));
  if (log.tcpFlags !== undefined) aggregate.tcpFlags = (aggregate.tcpFlags ?? 0) | log.tcpFlags;
  if (log.isPaired !== aggregate.isPaired) aggregate.isPaired = undefined;
  if (log.reason !== aggregate.reason) aggregate.reason = undefined;
  if (log.icmpType !== aggregate.icmpType || log.icmpCode !== aggregate.icmpCode) {
    aggregate.icmpType = undefined;
    aggregate.icmpCode = undefined;
  }
  aggregate.source = withLabels(aggregate.source, log.source.labels, met.source);
  aggregate.destination = withLabels(aggregate.destination, log.destination.labels, met.destination);
}

/**
 * What a record adds to the live flows of its bucket. A flow's first record in a bucket either begins it or covers time from
 * before; later ones tell of a flow that is counted already.
 */
function livesAnew(log: FlowLog, bucketStart: number): number {
  const isFirst = log.flowsStarted > 0 || log.startTime < bucketStart || log.phase === undefined;
  if (isFirst) return log.flowsLive;
  return log.flowsLive - 1;
}

/** Labels of one end that were met once take nothing away the next time. */
function withLabels(end: FlowEnd, labels: Labels, met: Set<Labels>): FlowEnd {
  if (end.labels === labels || met.has(labels)) return end;
  if (met.size < MAX_MET) met.add(labels);
  const common = intersection(end.labels, labels);
  return common === end.labels ? end : { ...end, labels: common };
}

/** The labels that both have; `a` itself if that is all of them. */
function intersection(a: Labels, b: Labels): Labels {
  const names = Object.keys(a);
  const common = names.filter((name) => Object.hasOwn(b, name) && b[name] === a[name]);
  if (common.length === names.length) return a;
  return Object.fromEntries(common.map((name) => [name, a[name] as string]));
}
