import { describe, expect, it } from 'vitest';
import type { Fields } from '../../../../src/analysis/flow-logs/recorded-flow.ts';
import { parseRecord } from '../../../../src/analysis/flow-logs/records.ts';
import { formatAddress, type IpAddress } from '../../../../src/model/address.ts';

/** Ends as `address|kind namespace/name`, and what the record says of the flow. */
function summary(record: Fields): unknown {
  const flow = parseRecord(record, undefined);
  if ('skipped' in flow) return flow.skipped;
  const end = ({ address, name }: { address?: IpAddress; name?: { kind: string; namespace?: string; name: string } }) =>
    `${address === undefined ? '' : formatAddress(address)}|${name === undefined ? '' : `${name.kind} ${name.namespace ?? ''}/${name.name}`}`;
  const { protocol, sourcePort, destinationPort, icmpType, verdict, reporter, count } = flow;
  return {
    ends: [end(flow.source), end(flow.destination)],
    l4: [protocol, sourcePort, destinationPort, icmpType],
    says: [verdict, reporter, count],
  };
}

const question = { src: '10.0.0.1', dst: '10.0.0.2', protocol: 'tcp', dstPort: 80 };
const monitor = {
  kind: 'new-flow',
  hook: 'to_workload',
  source: '10.0.0.1',
  sourceEndpoint: 'a/one',
  destination: '10.0.0.2',
  protocol: 'TCP',
  sourcePort: 1234,
  destinationPort: 80,
};
const whisker = {
  source_name: 'web-*',
  source_namespace: 'a',
  source_labels: 'app=web | tier=front',
  dest_name: 'PUBLIC NETWORK',
  dest_namespace: '-',
  protocol: 'tcp',
  dest_port: 443,
  reporter: 'Src',
  action: 'Allow',
};
const hubble = {
  verdict: 'FORWARDED',
  IP: { source: '10.0.0.1', destination: '10.0.0.2' },
  l4: { TCP: { source_port: 1234, destination_port: 80 } },
  source: { namespace: 'a', pod_name: 'one', labels: ['k8s:app=x', 'k8s:io.kubernetes.pod.namespace=a'] },
  destination: { labels: ['reserved:world'] },
  traffic_direction: 'EGRESS',
  Type: 'L3_L4',
};

const CASES: readonly { readonly name: string; readonly record: Fields; readonly expected: unknown }[] = [
  {
    name: 'a question of tortie verdict',
    record: question,
    expected: { ends: ['10.0.0.1|', '10.0.0.2|'], l4: [6, undefined, 80, 0], says: [undefined, 'both', 1] },
  },
  {
    name: 'a question with a verdict and a count',
    record: { ...question, verdict: 'deny', count: 7, srcPort: 5 },
    expected: { ends: ['10.0.0.1|', '10.0.0.2|'], l4: [6, 5, 80, 0], says: ['deny', 'both', 7] },
  },
  {
    name: 'a new flow that the destination allows',
    record: { ...monitor, ingress: { verdict: 'allow', trace: [] } },
    expected: {
      ends: ['10.0.0.1|workload a/one', '10.0.0.2|'],
      l4: [6, 1234, 80, 0],
      says: ['allow', 'destination', 1],
    },
  },
  {
    name: 'a new flow that only the source judged',
    record: { ...monitor, egress: { verdict: 'allow', trace: [] } },
    expected: { ends: ['10.0.0.1|workload a/one', '10.0.0.2|'], l4: [6, 1234, 80, 0], says: ['allow', 'source', 1] },
  },
  {
    name: 'a revoked ping as a denial',
    record: { ...monitor, kind: 'flow-revoked', protocol: 'ICMP', icmpType: 8, icmpCode: 0 },
    expected: {
      ends: ['10.0.0.1|workload a/one', '10.0.0.2|'],
      l4: [1, undefined, 0, 8],
      says: ['deny', 'destination', 1],
    },
  },
  { name: 'no drop that policy did not decide', record: { ...monitor, kind: 'dropped' }, expected: 'notPolicy' },
  { name: 'no log line, whose flow is reported besides', record: { ...monitor, kind: 'log' }, expected: 'notAFlow' },
  { name: 'no frame without addresses', record: { ...monitor, source: '' }, expected: 'notIp' },
  {
    name: "a flow of Calico's whisker",
    record: whisker,
    expected: {
      ends: ['|unknown a/web-*', '|network /public'],
      l4: [6, undefined, 443, 0],
      says: ['allow', 'source', 1],
    },
  },
  {
    name: 'a flow of Goldmane with numbers for enumerations',
    record: {
      Key: {
        source_name: 'pvt',
        source_type: 4,
        dest_name: 'db',
        dest_namespace: 'b',
        dest_type: 1,
        proto: 'udp',
        dest_port: 53,
        reporter: 2,
        action: 2,
      },
      num_connections_started: 3,
    },
    expected: {
      ends: ['|network /private', '|workload b/db'],
      l4: [17, undefined, 53, 0],
      says: ['deny', 'destination', 3],
    },
  },
  {
    name: 'a flow of Goldmane in camel case',
    record: {
      key: {
        sourceName: 'office',
        sourceType: 'NetworkSet',
        destName: 'node1',
        destType: 'HostEndpoint',
        proto: 'icmp6',
        reporter: 'Dst',
        action: 'Allow',
      },
      numConnectionsStarted: '0',
      numConnectionsLive: '2',
    },
    expected: {
      ends: ['|networkSet /office', '|host /node1'],
      l4: [58, undefined, 0, 128],
      says: ['allow', 'destination', 2],
    },
  },
  {
    name: 'a line of a flow-log file',
    record: {
      source_ip: '10.0.0.1',
      source_name: '-',
      source_name_aggr: 'web-*',
      source_namespace: 'a',
      source_type: 'wep',
      source_port: null,
      source_labels: { labels: ['app=web'] },
      dest_ip: null,
      dest_name: '-',
      dest_name_aggr: 'pub',
      dest_namespace: '-',
      dest_type: 'net',
      dest_port: 443,
      proto: 'tcp',
      action: 'allow',
      reporter: 'src',
      num_flows_started: 0,
      num_flows: 9,
    },
    expected: {
      ends: ['10.0.0.1|workload a/web-*', '|network /public'],
      l4: [6, undefined, 443, 0],
      says: ['allow', 'source', 9],
    },
  },
  {
    name: "a flow of Hubble's",
    record: hubble,
    expected: {
      ends: ['10.0.0.1|workload a/one', '10.0.0.2|'],
      l4: [6, 1234, 80, 0],
      says: ['allow', 'source', 1],
    },
  },
  {
    name: 'a drop by policy',
    record: { ...hubble, verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' },
    expected: {
      ends: ['10.0.0.1|workload a/one', '10.0.0.2|'],
      l4: [6, 1234, 80, 0],
      says: ['deny', 'destination', 1],
    },
  },
  {
    name: 'no drop for another reason',
    record: { ...hubble, verdict: 'DROPPED', drop_reason: 140 },
    expected: 'notPolicy',
  },
  { name: 'no reply', record: { ...hubble, is_reply: true }, expected: 'reply' },
  { name: 'no layer 7 record', record: { ...hubble, Type: 'L7' }, expected: 'notAFlow' },
  { name: 'no translation of an address', record: { ...hubble, verdict: 'TRANSLATED' }, expected: 'notAFlow' },
  { name: 'no lost events', record: { lost_events: { num_events_lost: 3 } }, expected: 'notAFlow' },
];

describe('parseRecord', () => {
  it.each(CASES)('takes $name', ({ record, expected }) => {
    expect(summary(record)).toEqual(expected);
  });

  it('keeps the labels that pods have themselves', () => {
    expect(parseRecord(whisker, 'calico')).toMatchObject({ source: { name: { labels: ['app=web', 'tier=front'] } } });
    expect(parseRecord(hubble, 'hubble')).toMatchObject({ source: { name: { labels: ['app=x'] } } });
  });

  const bad: readonly (readonly [Fields, RegExp])[] = [
    [{}, /is of no known format: found fields none/],
    [{ ...question, dst: '10.0.0' }, /dst: is not an IP address/],
    [{ ...question, verdict: 'perhaps' }, /verdict: invalid value: found "perhaps", expected allow or deny/],
    [{ ...monitor, kind: 'party' }, /kind: invalid value: found "party"/],
    [{ ...monitor, destinationPort: undefined }, /destinationPort: is missing/],
    [{ ...whisker, action: 'Maybe' }, /action: invalid value: found "Maybe"/],
    [
      { ...whisker, dest_port: 70000 },
      /dest_port: invalid value: found 70000, expected a whole number from 0 to 65535/,
    ],
    [{ ...whisker, protocol: 'carrier pigeon' }, /proto: invalid value: found "carrier pigeon"/],
    [{ ...whisker, dest_name: '-' }, /dest_name: is missing/],
    [{ ...whisker, action: '__proto__' }, /action: invalid value/],
    [{ ...hubble, IP: { source: '10.0.0.1' } }, /IP.destination: is missing/],
  ];
  it.each(bad)('refuses %j', (record, message) => {
    expect(() => parseRecord(record, undefined)).toThrow(message);
  });

  it('refuses a record of another format than the given one', () => {
    expect(() => parseRecord(question, 'hubble')).toThrow(/expected a record of hubble/);
  });
});
