// The agent's Prometheus metrics as OTLP metrics: counters and histograms are cumulative sums since the agent began.
import { type OtlpResource, toAttributes, toNanoseconds, toResource } from './otlp.ts';

/** As prom-client's getMetricsAsJSON has it. */
export interface PlainMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly PlainSample[];
}

export interface PlainSample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Of histograms and summaries: the metric's name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

export interface MetricTimes {
  /** When the agent began to count. Milliseconds since 1970. */
  readonly start: number;
  readonly now: number;
}

/** AggregationTemporality. */
const CUMULATIVE = 2;

/** An ExportMetricsServiceRequest. */
export function toOtlpMetrics(metrics: readonly PlainMetric[], resource: OtlpResource, times: MetricTimes): object {
  return {
    resourceMetrics: [
      {
        resource: toResource(resource),
        scopeMetrics: [
          {
            scope: { name: 'tortie.agent', version: resource.version },
            metrics: metrics.filter(({ values }) => values.length > 0).map((metric) => toMetric(metric, times)),
          },
        ],
      },
    ],
  };
}

function toMetric(metric: PlainMetric, times: MetricTimes): object {
  const named = { name: metric.name, description: metric.help };
  if (metric.type === 'histogram') {
    return { ...named, histogram: { aggregationTemporality: CUMULATIVE, dataPoints: histogramPoints(metric, times) } };
  }
  if (metric.type === 'summary') return { ...named, summary: { dataPoints: summaryPoints(metric, times) } };
  const dataPoints = metric.values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, labels }) => ({ ...pointOf(labels, times), asDouble: value }));
  if (metric.type !== 'counter') return { ...named, gauge: { dataPoints } };
  return { ...named, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } };
}

function pointOf(labels: PlainSample['labels'], { start, now }: MetricTimes): object {
  const values = Object.entries(labels).map(([name, value]) => [name, value === undefined ? '' : String(value)]);
  const attributes = toAttributes(Object.fromEntries(values));
  return {
    ...(attributes.length > 0 && { attributes }),
    startTimeUnixNano: toNanoseconds(start),
    timeUnixNano: toNanoseconds(now),
  };
}

/** Prometheus counts what is at most a bound, OTLP what is between two. */
function histogramPoints(metric: PlainMetric, times: MetricTimes): object[] {
  return groupByLabels(metric, 'le').map(({ labels, samples }) => {
    const buckets = samples
      .filter(({ bound }) => bound !== undefined)
      .map(({ bound, value }) => ({ upTo: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), value }))
      .sort((a, b) => a.upTo - b.upTo);
    return {
      ...pointOf(labels, times),
      count: String(sampleOf(samples, '_count')),
      sum: sampleOf(samples, '_sum'),
      explicitBounds: buckets.map(({ upTo }) => upTo).filter(Number.isFinite),
      bucketCounts: buckets.map(({ value }, index) => String(value - (buckets[index - 1]?.value ?? 0))),
    };
  });
}

function summaryPoints(metric: PlainMetric, times: MetricTimes): object[] {
  return groupByLabels(metric, 'quantile').map(({ labels, samples }) => ({
    ...pointOf(labels, times),
    count: String(sampleOf(samples, '_count')),
    sum: sampleOf(samples, '_sum'),
    quantileValues: samples
      .filter(({ bound, value }) => bound !== undefined && Number.isFinite(value))
      .map(({ bound, value }) => ({ quantile: Number(bound), value })),
  }));
}

interface Sample {
  readonly bound: string | undefined;
  readonly name: string;
  readonly value: number;
}

interface Group {
  readonly labels: PlainSample['labels'];
  readonly samples: Sample[];
}

function groupByLabels(metric: PlainMetric, boundLabel: string): Group[] {
  const groups = new Map<string, Group>();
  for (const { value, labels, metricName = metric.name } of metric.values) {
    const { [boundLabel]: bound, ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    const group = groups.get(key) ?? { labels: others, samples: [] };
    groups.set(key, group);
    group.samples.push({ bound: bound === undefined ? undefined : String(bound), name: metricName, value });
  }
  return [...groups.values()];
}

function sampleOf(samples: readonly Sample[], ending: string): number {
  return samples.find(({ name, bound }) => bound === undefined && name.endsWith(ending))?.value ?? 0;
}
