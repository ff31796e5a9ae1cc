import { describe, expect, it } from 'vitest';
import { flowCount, isFlowLog, readFlowLog, recordedFlowOf } from '../../../../src/analysis/flow-logs/flow-log.ts';
import type { Fields } from '../../../../src/analysis/flow-logs/recorded-flow.ts';
import { parseRecord } from '../../../../src/analysis/flow-logs/records.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const asRecord = (log: object): Fields => JSON.parse(JSON.stringify(log)) as Fields;

describe('readFlowLog', () => {
  it('reads what tortie flows writes, in the form that all formats come down to', () => {
    const record = asRecord(flowLog({ icmpType: undefined }));
    expect(isFlowLog(record)).toBe(true);
    expect(parseRecord(record, undefined)).toEqual(recordedFlowOf(readFlowLog(record)));
    expect(parseRecord(record, 'tortie')).toMatchObject({
      protocol: 6,
      destinationPort: 5432,
      verdict: 'allow',
      reporter: 'destination',
      count: 1,
      from: START,
      source: { name: { kind: 'workload', namespace: 'shop', name: 'web-5d4f-x7k2p', labels: ['app=web'] } },
    });
  });

  it('takes an aggregate by the name that its ends have in common', () => {
    const end = flowEnd({ name: '', address: '' });
    const net = flowEnd({ type: 'net', namespace: '', name: 'pub', aggregatedName: 'pub', address: '', labels: {} });
    const { source, destination } = recordedFlowOf(flowLog({ source: end, destination: net }));
    expect(source).toEqual({ name: expect.objectContaining({ name: 'web-5d4f-*' }) });
    expect(destination).toEqual({ name: { kind: 'network', name: 'public', labels: [] } });
  });

  it('keeps which service the destination was', () => {
    const service = { namespace: 'shop', name: 'db', portName: 'pg', port: 5432 };
    const flow = parseRecord(asRecord(flowLog({ service })), undefined);
    expect(flow).toMatchObject({ service: { namespace: 'shop', name: 'db' } });
    expect(parseRecord(asRecord(flowLog({ service: undefined })), undefined)).not.toHaveProperty('service');
  });

  it('counts flows that began, and of denied packets every try', () => {
    expect(flowCount(flowLog({ flowsStarted: 3 }))).toBe(3);
    expect(flowCount(flowLog({ flowsStarted: 0 }))).toBe(1);
    expect(flowCount(flowLog({ flowsStarted: 0, action: 'deny', packetsIn: 5, packetsOut: 0 }))).toBe(5);
  });

  it.each([
    ['source.address', { source: flowEnd({ address: 'nonsense' }) }],
    ['action', { action: 'maybe' }],
    ['protocol', { protocol: 'carrier-pigeon' }],
    ['enforced', { enforced: [1] }],
    ['packetsIn', { packetsIn: -1 }],
    ['service', { service: 'shop/db' }],
    ['name of the service', { service: { namespace: 'shop' } }],
    ['type', { source: { ...flowEnd(), type: 'x' } }],
  ])('refuses a record whose %s is wrong', (_, wrong) => {
    expect(() => parseRecord(asRecord({ ...flowLog(), ...wrong }), undefined)).toThrow(/INVALID_FLOW|read flow/);
  });
});
