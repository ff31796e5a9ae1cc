import { describe, expect, it } from 'vitest';
import { encodeOtlpLogs } from '../../../../src/observe/export/otlp-logs.ts';
import { type PlainMetric, toOtlpMetrics } from '../../../../src/observe/export/otlp-metrics.ts';
import { FLOW_LOG } from '../../../support/export/flow-logs.ts';

const RESOURCE = { node: 'node-1', version: '1.2.3' };

// biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
const plain = (value: unknown): any => JSON.parse(JSON.stringify(value));

describe('OTLP logs', () => {
  const [{ resource, scopeLogs }] = JSON.parse(encodeOtlpLogs([FLOW_LOG], RESOURCE, 1000)).resourceLogs;
  const [record] = scopeLogs[0].logRecords;
  const attributes = Object.fromEntries(
    record.attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value]),
  );

  it('has times in nanoseconds as text, and severity as a number', () => {
    expect(record.timeUnixNano).toBe(`${FLOW_LOG.endTime}000000`);
    expect(record.observedTimeUnixNano).toBe('1000000000');
    expect([record.severityNumber, record.severityText]).toEqual([9, 'INFO']);
  });

  it('says who it is', () => {
    expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'tortie' } });
    expect(resource.attributes).toContainEqual({ key: 'host.name', value: { stringValue: 'node-1' } });
  });

  it('has numbers as text, lists and labels as values of their own', () => {
    expect(attributes['destination.port']).toEqual({ intValue: '5432' });
    expect(attributes['tortie.policy.enforced']).toEqual({
      arrayValue: { values: [{ stringValue: FLOW_LOG.enforced[0] }] },
    });
    expect(attributes['tortie.source.labels']).toEqual({
      kvlistValue: { values: [{ key: 'app', value: { stringValue: 'web' } }] },
    });
  });

  it('leaves out what is not known', () => {
    expect(attributes['tortie.flow.reason']).toBeUndefined();
    expect(attributes['tortie.policy.pending']).toBeUndefined();
  });

  it('is JSON whatever labels, names and traces say', () => {
    const hostile = 'a"b\\c\nd\u0000e\u2028f';
    const end = { ...FLOW_LOG.source, name: hostile, labels: { [hostile]: hostile }, port: 0 };
    const log = { ...FLOW_LOG, source: end, enforced: [hostile], reason: hostile };
    const [record] = JSON.parse(encodeOtlpLogs([log], RESOURCE, 0)).resourceLogs[0].scopeLogs[0].logRecords;
    const found = Object.fromEntries(
      record.attributes.map((one: { key: string; value: unknown }) => [one.key, one.value]),
    );
    expect(found['tortie.source.name']).toEqual({ stringValue: hostile });
    expect(found['tortie.source.labels'].kvlistValue.values).toEqual([
      { key: hostile, value: { stringValue: hostile } },
    ]);
    expect(found['tortie.policy.enforced'].arrayValue.values).toEqual([{ stringValue: hostile }]);
    expect(found['source.port']).toBeUndefined();
  });

  it('says in words what happened', () => {
    expect(record.body.stringValue).toBe('allowed TCP shop/web-1:40000 -> shop/db-0:5432');
  });
});

describe('OTLP metrics', () => {
  const metrics: PlainMetric[] = [
    { name: 'a_total', help: 'A', type: 'counter', values: [{ value: 7, labels: { reason: 'x' } }] },
    {
      name: 'b',
      help: 'B',
      type: 'gauge',
      values: [
        { value: 1.5, labels: {} },
        { value: Number.NaN, labels: {} },
      ],
    },
    {
      name: 'c',
      help: 'C',
      type: 'histogram',
      values: [
        { value: 1, labels: { le: 0.1 }, metricName: 'c_bucket' },
        { value: 4, labels: { le: 1 }, metricName: 'c_bucket' },
        { value: 9, labels: { le: '+Inf' }, metricName: 'c_bucket' },
        { value: 12.5, labels: {}, metricName: 'c_sum' },
        { value: 9, labels: {}, metricName: 'c_count' },
      ],
    },
    { name: 'empty', help: '', type: 'gauge', values: [] },
  ];
  const sent = plain(toOtlpMetrics(metrics, RESOURCE, { start: 1, now: 2 })).resourceMetrics[0].scopeMetrics[0].metrics;

  it('has counters as cumulative sums since the start', () => {
    expect(sent[0].sum).toMatchObject({ aggregationTemporality: 2, isMonotonic: true });
    expect(sent[0].sum.dataPoints).toEqual([
      {
        attributes: [{ key: 'reason', value: { stringValue: 'x' } }],
        startTimeUnixNano: '1000000',
        timeUnixNano: '2000000',
        asDouble: 7,
      },
    ]);
  });

  it('leaves out what is no number, and metrics without values', () => {
    expect(sent[1].gauge.dataPoints).toHaveLength(1);
    expect(sent).toHaveLength(3);
  });

  it('has what is between two bounds, where Prometheus has what is below one', () => {
    expect(sent[2].histogram.dataPoints[0]).toMatchObject({
      count: '9',
      sum: 12.5,
      explicitBounds: [0.1, 1],
      bucketCounts: ['1', '3', '5'],
    });
  });
});
