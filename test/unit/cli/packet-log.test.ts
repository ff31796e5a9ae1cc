// Which packets `tortie drops` and `tortie capture` show.
import { describe, expect, it } from 'vitest';
import { captureFilter } from '../../../src/cli/commands/capture.ts';
import { packetFilter, packetLog } from '../../../src/cli/packet-log.ts';
import { predicateOf } from '../../../src/observe/flow-query/predicate.ts';
import type { FlowRecord } from '../../../src/observe/flow-record.ts';

const REQUEST: FlowRecord = {
  time: '2026-01-31T12:00:00.000Z',
  kind: 'denied',
  reason: 'drop_ingress_policy',
  interface: 'cali1',
  hook: 'to_workload',
  source: '10.0.0.1',
  sourceEndpoint: 'lab/red',
  destination: '10.0.0.2',
  destinationEndpoint: 'kube-system/node-local-dns',
  protocol: 'TCP',
  sourcePort: 40_000,
  destinationPort: 7000,
  generation: 1,
  length: 60,
};
const ANSWER: FlowRecord = {
  ...REQUEST,
  source: REQUEST.destination,
  sourceEndpoint: REQUEST.destinationEndpoint,
  destination: REQUEST.source,
  destinationEndpoint: REQUEST.sourceEndpoint,
  sourcePort: 7000,
  destinationPort: 40_000,
};

describe('filters of packets', () => {
  const shown = (name: string, value: string): boolean =>
    predicateOf(packetFilter((asked) => (asked === name ? [value] : []), 'drops'))(packetLog(REQUEST, 'deny'));

  it.each([
    ['to = kube-system/node-local-dns', true],
    ["to = 'kube-system/node-local-dns' and not from = label/service", true],
    ['policy = label', false],
    ['address = 10.0.0.2 and bytes > 10', true],
  ])('may name what the fields that are not known are called: %s', (text, holds) => {
    expect(shown('filter', text)).toBe(holds);
  });

  it.each([
    ['filter', 'node = n1', '--filter: .*found node'],
    ['filter', 'not (port = 1 or to.label = app)', '--filter: .*found label'],
    ['filter', 'service in {shop/db}', '--filter: .*found service'],
    ['filter', 'state = new', '--filter: .*found state'],
    ['from-label', 'app=web', '--from-label: .*found label'],
    ['service', 'shop/db', '--service: .*found service'],
  ])('may not ask for what the report of a packet does not say: --%s %s', (name, value, problem) => {
    expect(() => shown(name, value)).toThrow(new RegExp(problem));
    expect(() => shown(name, value)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('filters of captures', () => {
  const taken = (flags: Parameters<typeof captureFilter>[0]): boolean[] => {
    const holds = predicateOf(captureFilter(flags));
    return [REQUEST, ANSWER].map((record) => holds(packetLog(record, 'allow')));
  };

  it('take packets both ways by a port', () => {
    expect(taken({ port: ['7000'] })).toEqual([true, true]);
    expect(taken({ port: ['6990-7010', '53'] })).toEqual([true, true]);
    expect(taken({ port: ['7001'] })).toEqual([false, false]);
    expect(taken({ port: ['7000'], protocol: ['udp'] })).toEqual([false, false]);
  });

  it('take what an expression says', () => {
    expect(taken({})).toEqual([true, true]);
    expect(taken({ filter: ['port = 7000'] })).toEqual([true, false]);
    expect(taken({ port: ['7000'], filter: ['from = lab/'] })).toEqual([true, false]);
    expect(() => taken({ port: ['70000'] })).toThrow(/port: invalid value/);
  });
});
