// What a probe measured, and what is said of many of them. Pure: who measures is cli/.

export type ProbeProtocol = 'TCP' | 'UDP';
/** refused = somebody answered that nobody listens, or that it is not allowed; failed = anything else that went wrong. */
export const PROBE_RESULTS = ['ok', 'timeout', 'refused', 'unreachable', 'failed'] as const;
export type ProbeResult = (typeof PROBE_RESULTS)[number];

export interface ProbeSample {
  readonly protocol: ProbeProtocol;
  readonly result: ProbeResult;
  /** There and back; undefined unless the result is ok. */
  readonly ms?: number;
}

export interface ProbeSummary {
  readonly protocol: ProbeProtocol;
  readonly sent: number;
  readonly answered: number;
  /** Of 1. */
  readonly loss: number;
  /** Milliseconds of those that were answered; null = none was. */
  readonly latency: ProbeLatency | null;
  readonly results: Readonly<Partial<Record<ProbeResult, number>>>;
}

export interface ProbeLatency {
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** One for each protocol that there are samples of. */
export function summarize(samples: readonly ProbeSample[]): ProbeSummary[] {
  const protocols = [...new Set(samples.map(({ protocol }) => protocol))];
  return protocols.map((protocol) =>
    summarizeOne(
      protocol,
      samples.filter((sample) => sample.protocol === protocol),
    ),
  );
}

function summarizeOne(protocol: ProbeProtocol, samples: readonly ProbeSample[]): ProbeSummary {
  const results: Partial<Record<ProbeResult, number>> = {};
  for (const { result } of samples) results[result] = (results[result] ?? 0) + 1;
  const times = samples.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b);
  const answered = results.ok ?? 0;
  return {
    protocol,
    sent: samples.length,
    answered,
    loss: (samples.length - answered) / samples.length,
    latency: times.length === 0 ? null : latencyOf(times),
    results,
  };
}

function latencyOf(sorted: readonly number[]): ProbeLatency {
  return {
    min: quantile(sorted, 0),
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** The smallest value that at least that share of all are not above. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
