import { describe, expect, it } from 'vitest';
import { FlowAggregator } from '../../../../src/observe/flows/aggregator.ts';
import { FlowKeys } from '../../../../src/observe/flows/flow-keys.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { end, flowLog } from './logs.ts';

function aggregate(...logs: readonly FlowLog[]): FlowLog[] {
  const aggregator = new FlowAggregator();
  aggregator.add(logs);
  return aggregator.takeAll();
}

describe('FlowAggregator', () => {
  it('puts flows of one key together, without addresses and source ports', () => {
    const all = aggregate(
      flowLog({ source: end('web-1', { aggregatedName: 'web-*', port: 1, address: '10.0.0.7' }) }),
      flowLog({ source: end('web-2', { aggregatedName: 'web-*', port: 2, address: '10.0.0.8' }) }),
    );
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({
      packetsIn: 2,
      packetsOut: 4,
      bytesIn: 200,
      bytesOut: 400,
      startTime: 15_000,
      endTime: 30_000,
    });
    expect(all[0]?.phase).toBeUndefined();
    expect(all[0]?.source).toMatchObject({ name: 'web-*', address: '', port: 0, labels: {} });
    expect(all[0]?.destination).toMatchObject({ name: 'db', address: '', port: 5432, labels: { app: 'db' } });
  });

  it.each<[string, Partial<FlowLog>]>([
    ['reporter', { reporter: 'src' }],
    ['action', { action: 'deny' }],
    ['protocol', { protocol: 'UDP' }],
    ['destination port', { destination: end('db', { port: 5433 }) }],
    ['destination type', { destination: end('db', { port: 5432, type: 'ns' }) }],
    ['destination namespace', { destination: end('db', { port: 5432, namespace: 'other' }) }],
    ['destination name', { destination: end('cache', { port: 5432 }) }],
    ['source name', { source: end('api') }],
    ['source namespace', { source: end('web', { namespace: 'other' }) }],
    ['source type', { source: end('web', { type: 'hep' }) }],
    ['service', { service: { namespace: 'shop', name: 'db', portName: 'sql', port: 5432 } }],
    ['enforced trace', { enforced: ['0|default|np:shop/db|allow|1'] }],
    ['pending trace', { pending: ['0|default|snp:shop/db|deny|0'] }],
  ])('keeps flows apart that differ in %s', (_, more) => {
    expect(aggregate(flowLog(), flowLog(more))).toHaveLength(2);
  });

  it('keeps what the other end tells of too apart where sums are made of it, and nowhere else', () => {
    const logs = [flowLog({ isPaired: true }), flowLog(), flowLog({ isPaired: true })];
    expect(aggregate(...logs)).toMatchObject([{ packetsIn: 3, isPaired: undefined }]);
    expect(aggregate(...logs.slice(2))[0]?.isPaired).toBe(true);
    const splitting = new FlowAggregator({ splitsPaired: true });
    splitting.add(logs);
    expect(splitting.takeAll().map(({ packetsIn, isPaired }) => [packetsIn, isPaired])).toEqual([
      [2, true],
      [1, undefined],
    ]);
  });

  it('goes on when the clock is set back', () => {
    const aggregator = new FlowAggregator();
    aggregator.add([flowLog({ startTime: 3_600_000, endTime: 3_601_000 })]);
    expect(aggregator.take(3_620_000)).toHaveLength(1);
    aggregator.add([flowLog({ startTime: 20_000, endTime: 21_000 })]);
    expect(aggregator.take(22_000).map(({ endTime }) => endTime)).toEqual([3_630_000]);
    aggregator.add([flowLog({ startTime: 30_000, endTime: 31_000 })]);
    expect(aggregator.take(46_000).map(({ endTime }) => endTime)).toEqual([45_000]);
  });

  it('keeps the labels that all of its flows have', () => {
    const web = (labels: Record<string, string>): FlowLog => flowLog({ source: end('web', { labels }) });
    const [log] = aggregate(
      web({ app: 'web', hash: 'a', tier: 'front' }),
      web({ app: 'web', hash: 'b', tier: 'front' }),
    );
    expect(log?.source.labels).toEqual({ app: 'web', tier: 'front' });
  });

  it('puts a record into the 15 seconds that it ends in, and hands out what is over', () => {
    const aggregator = new FlowAggregator();
    aggregator.add([flowLog({ endTime: 29_999 }), flowLog({ startTime: 29_000, endTime: 30_000 })]);
    expect(aggregator.take(29_999)).toEqual([]);
    expect(aggregator.take(30_000).map(({ startTime }) => startTime)).toEqual([15_000]);
    expect(aggregator.take(45_000).map(({ startTime, packetsIn }) => [startTime, packetsIn])).toEqual([[30_000, 1]]);
  });

  it('counts what comes late in the oldest bucket that is left', () => {
    const aggregator = new FlowAggregator();
    aggregator.add([flowLog({ endTime: 20_000 })]);
    aggregator.take(30_000);
    aggregator.add([flowLog({ endTime: 20_000 })]);
    expect(aggregator.takeAll()).toMatchObject([{ startTime: 30_000, packetsIn: 1 }]);
  });

  it('counts each live flow once, however often it is told of', () => {
    const start = { flowsStarted: 1, phase: 'start', startTime: 15_000, endTime: 20_000 } as const;
    const update = { startTime: 20_000, endTime: 25_000 } as const;
    const ended = { startTime: 25_000, endTime: 27_000, flowsCompleted: 1, flowsLive: 0, phase: 'end' } as const;
    const old = { startTime: 14_000, endTime: 19_000 } as const;
    expect(aggregate(flowLog(start), flowLog(update))[0]).toMatchObject({ flowsStarted: 1, flowsLive: 1 });
    expect(aggregate(flowLog(start), flowLog(update), flowLog(ended))[0]).toMatchObject({
      flowsCompleted: 1,
      flowsLive: 0,
    });
    expect(aggregate(flowLog(old), flowLog(update), flowLog(start))[0]).toMatchObject({ flowsLive: 2 });
  });

  it('has room for so many keys, and counts what it has none for', () => {
    const aggregator = new FlowAggregator({ maxKeys: 2 });
    for (let port = 1; port <= 4; port += 1) aggregator.add([flowLog({ destination: end('db', { port }) })]);
    aggregator.add([flowLog({ destination: end('db', { port: 1 }) })]);
    expect(aggregator.takeAll().map(({ packetsIn }) => packetsIn)).toEqual([2, 1]);
    expect(aggregator.overflow).toEqual({ records: 2, packets: 6, bytes: 600 });
  });

  it('remembers no more names and labels than it has room for, whatever comes', () => {
    const keys = new FlowKeys();
    const named = (at: number): FlowLog =>
      flowLog({ source: { ...end(`x${at}`), labels: { app: 'web' } }, enforced: [`0|default|np:a/p${at}|allow|0`] });
    for (let at = 0; at < 100; at += 1) [keys.pairOf(named(at)), keys.restOf(named(at))];
    const { size } = keys;
    keys.close();
    for (let at = 100; at < 1000; at += 1)
      expect([keys.pairOf(named(at)), keys.restOf(named(at))]).toEqual([Number.NaN, Number.NaN]);
    expect(keys.size).toBe(size);
    expect(keys.pairOf(named(7))).toBeGreaterThanOrEqual(0);
    const aggregator = new FlowAggregator({ maxKeys: 10 });
    for (let at = 0; at < 1000; at += 1) aggregator.add([named(at)]);
    // Of known names, with labels that nobody had before.
    for (let at = 0; at < 10_000; at += 1) {
      aggregator.add([{ ...named(3), source: { ...end('x3'), labels: { unique: String(at), app: 'web' } } }]);
    }
    const all = aggregator.takeAll();
    expect(all.length).toBe(10);
    expect(all[3]?.source.labels).toEqual({ app: 'web' });
    expect(all[3]?.packetsIn).toBe(all[2] === undefined ? 0 : 10_001 * all[2].packetsIn);
    expect(aggregator.overflow.records).toBe(990);
  });

  it('forgets a reason, an ICMP type and code that are not those of all its flows', () => {
    const ping = flowLog({ icmpType: 8, icmpCode: 0, reason: 'drop_ingress_policy', tcpFlags: 2 });
    expect(aggregate(ping, ping)[0]).toMatchObject({ icmpType: 8, reason: 'drop_ingress_policy' });
    const [mixed] = aggregate(ping, flowLog({ icmpType: 3, icmpCode: 1, reason: 'drop_revoked', tcpFlags: 16 }));
    expect(mixed).toMatchObject({ icmpType: undefined, icmpCode: undefined, reason: undefined, tcpFlags: 18 });
  });
});
