// Flow logs to test with: one that can be changed field by field, and a generator of many that share what real ones share.
import fc from 'fast-check';
import type { FlowEnd, FlowLog } from '../../src/observe/flows/flow-log.ts';

export const START = Date.UTC(2026, 0, 1);

export function flowEnd(given: Partial<FlowEnd> = {}): FlowEnd {
  return {
    type: 'wep',
    namespace: 'shop',
    name: 'web-5d4f-x7k2p',
    aggregatedName: 'web-5d4f-*',
    address: '10.0.0.1',
    port: 0,
    labels: { app: 'web' },
    ...given,
  };
}

export function flowLog(given: Partial<FlowLog> = {}): FlowLog {
  return {
    startTime: START,
    endTime: START + 15_000,
    node: 'node-1',
    reporter: 'dst',
    action: 'allow',
    source: flowEnd(),
    destination: flowEnd({
      name: 'db-0',
      aggregatedName: 'db-*',
      address: '10.0.0.2',
      port: 5432,
      labels: { app: 'db' },
    }),
    protocol: 'TCP',
    enforced: ['0|default|np:shop/allow-web|allow|0'],
    pending: [],
    packetsIn: 10,
    packetsOut: 8,
    bytesIn: 1000,
    bytesOut: 800,
    flowsStarted: 1,
    flowsCompleted: 1,
    flowsLive: 0,
    ...given,
  };
}

/** Few of each, so that filters meet them; some that nobody would choose. */
const namespaces = ['', 'shop', 'shop-2', 'infra', "o'brien", 'größe'];
const names = ['web-1', 'web-2', 'db_0', 'pvt', 'a%b', 'back\\slash', 'x"y'];
const keys = ['app', 'tier', 'a=b', 'k8s.io/name', 'nl\nkey'];
const values = ['web', 'db', '', 'a=b', '=cmd()', 'tab\tvalue', '\u001f', '\u001e1', '\u202e'];
const addresses = ['', '10.0.0.1', '10.0.0.2', '10.1.2.3', '192.0.2.7', '2001:db8::1', 'fe80::1'];
const traces = [
  '0|default|np:shop/allow-web|allow|0',
  '0|security|gnp:deny-all|deny|3',
  '1|default|snp:shop/staged-web|deny|1',
  '0|default|np:infra/allow.dns|pass|-1',
  '2|__PROFILE__|pro:kns.shop|allow|0',
];

const end: fc.Arbitrary<FlowEnd> = fc.record({
  type: fc.constantFrom('wep', 'hep', 'ns', 'net'),
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom(...names, 'web-*'),
  aggregatedName: fc.constantFrom(...names, 'web-*'),
  address: fc.constantFrom(...addresses),
  port: fc.constantFrom(0, 53, 80, 443, 65_535),
  labels: fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values), { maxKeys: 3, noNullPrototype: true }),
});

const count = fc.constantFrom(0, 1, 10, 1500, 2 ** 40);

export const anyFlowLog: fc.Arbitrary<FlowLog> = fc
  .record(
    {
      startTime: fc.integer({ min: START, max: START + 600_000 }),
      endTime: fc.integer({ min: START + 600_000, max: START + 700_000 }),
      phase: fc.constantFrom('start', 'update', 'end'),
      node: fc.constantFrom('node-1', 'node-2'),
      reporter: fc.constantFrom('src', 'dst'),
      isPaired: fc.constant(true),
      action: fc.constantFrom('allow', 'deny'),
      source: end,
      destination: end,
      protocol: fc.constantFrom('TCP', 'UDP', 'ICMP', '89'),
      icmpType: fc.constantFrom(0, 8),
      icmpCode: fc.constant(0),
      service: fc.record({
        namespace: fc.constantFrom('shop', 'infra'),
        name: fc.constantFrom('db', 'dns'),
        portName: fc.constantFrom('', 'tcp'),
        port: fc.constantFrom(53, 5432),
      }),
      enforced: fc.array(fc.constantFrom(...traces), { maxLength: 3 }),
      pending: fc.array(fc.constantFrom(...traces), { maxLength: 3 }),
      reason: fc.constantFrom('drop_ingress_policy', 'drop_egress_policy', 'spoofed'),
      state: fc.constantFrom('new', 'established'),
      tcpFlags: fc.constantFrom(2, 18),
      packetsIn: count,
      packetsOut: count,
      bytesIn: count,
      bytesOut: count,
      flowsStarted: count,
      flowsCompleted: count,
      flowsLive: count,
    },
    {
      requiredKeys: [
        'startTime',
        'endTime',
        'node',
        'reporter',
        'action',
        'source',
        'destination',
        'protocol',
        'enforced',
        'pending',
        'packetsIn',
        'packetsOut',
        'bytesIn',
        'bytesOut',
        'flowsStarted',
        'flowsCompleted',
        'flowsLive',
      ],
      noNullPrototype: true,
    },
  )
  .map((log) => log as FlowLog);

/** What filters ask for: names that are there, parts of them, and ones that are not. */
export const filterNames = { namespaces, names, keys, values, addresses, traces };
