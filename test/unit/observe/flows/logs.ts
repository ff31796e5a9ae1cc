// Flow logs for tests, field by field where it matters.
import type { FlowEnd, FlowLog } from '../../../../src/observe/flows/flow-log.ts';

export function end(name: string, more: Partial<FlowEnd> = {}): FlowEnd {
  return {
    type: 'wep',
    namespace: 'shop',
    name,
    aggregatedName: name,
    address: '10.0.0.1',
    port: 0,
    labels: { app: name },
    ...more,
  };
}

export function flowLog(more: Partial<FlowLog> = {}): FlowLog {
  return {
    startTime: 15_000,
    endTime: 16_000,
    phase: 'update',
    node: 'node1',
    reporter: 'dst',
    action: 'allow',
    source: end('web', { port: 40_000 }),
    destination: end('db', { port: 5432, address: '10.0.0.2' }),
    protocol: 'TCP',
    enforced: ['0|default|np:shop/db|allow|0'],
    pending: ['0|default|np:shop/db|allow|0'],
    packetsIn: 1,
    packetsOut: 2,
    bytesIn: 100,
    bytesOut: 200,
    flowsStarted: 0,
    flowsCompleted: 0,
    flowsLive: 1,
    ...more,
  };
}
