// Flow logs for exporters, without a kernel.
import type { FlowEnd, FlowLog } from '../../../src/observe/flows/flow-log.ts';

const END: FlowEnd = {
  type: 'wep',
  namespace: 'shop',
  name: 'web-1',
  aggregatedName: 'web-*',
  address: '10.0.0.1',
  port: 40000,
  labels: { app: 'web' },
};

export const FLOW_LOG: FlowLog = Object.freeze({
  startTime: Date.UTC(2026, 0, 2, 3, 4, 5),
  endTime: Date.UTC(2026, 0, 2, 3, 4, 20),
  phase: 'end',
  node: 'node-1',
  reporter: 'src',
  action: 'allow',
  source: END,
  destination: { ...END, name: 'db-0', aggregatedName: 'db-*', address: '10.0.0.2', port: 5432, labels: { app: 'db' } },
  protocol: 'TCP',
  enforced: ['0|default|np:shop/web|allow|2'],
  pending: [],
  state: 'established',
  tcpFlags: 0x1b,
  packetsIn: 3,
  packetsOut: 4,
  bytesIn: 300,
  bytesOut: 400,
  flowsStarted: 1,
  flowsCompleted: 1,
  flowsLive: 0,
} satisfies FlowLog);

/** The same on IPv6. */
export const FLOW_LOG_V6: FlowLog = Object.freeze({
  ...FLOW_LOG,
  source: { ...FLOW_LOG.source, address: '2001:db8::1' },
  destination: { ...FLOW_LOG.destination, address: '2001:db8::2' },
});

/** Numbered by source port, alternately allowed and denied, IPv4 and IPv6. */
export function flowLogs(count: number): FlowLog[] {
  return Array.from({ length: count }, (_, index) => {
    const base = index % 4 < 2 ? FLOW_LOG : FLOW_LOG_V6;
    const log: FlowLog = { ...base, source: { ...base.source, port: 1024 + (index % 60_000) } };
    return index % 2 === 0 ? log : { ...log, action: 'deny', reason: 'drop_ingress_policy', reporter: 'dst' };
  });
}
