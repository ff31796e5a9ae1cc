import { describe, expect, it } from 'vitest';
import { Connections, FirstOfConnection } from '../../../../src/analysis/flow-logs/connections.ts';
import { type Packet, TCP_FLAG } from '../../../../src/analysis/flow-logs/packet.ts';
import type { RecordedFlow } from '../../../../src/analysis/flow-logs/recorded-flow.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../../../src/model/address.ts';

const address = (text: string): IpAddress => parseAddress(text) as IpAddress;

function packet(text: string, more: Partial<Packet> = {}): Packet {
  const [source = '', sourcePort = '', destination = '', destinationPort = ''] = text.split(/ > | /);
  return {
    source: address(source),
    destination: address(destination),
    protocol: 6,
    sourcePort: Number(sourcePort),
    destinationPort: Number(destinationPort),
    icmpType: 0,
    icmpCode: 0,
    tcpFlags: TCP_FLAG.ACK,
    ...more,
  };
}

const SYN = { tcpFlags: TCP_FLAG.SYN };
const SYN_ACK = { tcpFlags: TCP_FLAG.SYN | TCP_FLAG.ACK };
const UDP = { protocol: 17, tcpFlags: 0 };
const REQUEST = { protocol: 1, icmpType: 8, tcpFlags: 0 };
const REPLY = { protocol: 1, icmpType: 0, tcpFlags: 0 };

const summary = (flow: RecordedFlow | undefined): string | undefined =>
  flow &&
  `${formatAddress(flow.source.address as IpAddress)} > ${formatAddress(flow.destination.address as IpAddress)} ${flow.destinationPort}`;

const CASES: readonly {
  readonly name: string;
  readonly packets: readonly Packet[];
  readonly flows: readonly string[];
}[] = [
  {
    name: 'folds answers and further packets into the first',
    packets: [
      packet('10.0.0.1 40000 > 10.0.0.2 80', SYN),
      packet('10.0.0.2 80 > 10.0.0.1 40000', SYN_ACK),
      packet('10.0.0.1 40000 > 10.0.0.2 80'),
    ],
    flows: ['10.0.0.1 > 10.0.0.2 80'],
  },
  {
    name: 'counts another source port as another connection',
    packets: [packet('10.0.0.1 40000 > 10.0.0.2 80', SYN), packet('10.0.0.1 40001 > 10.0.0.2 80', SYN)],
    flows: ['10.0.0.1 > 10.0.0.2 80', '10.0.0.1 > 10.0.0.2 80'],
  },
  {
    name: 'turns a connection whose SYN was missed',
    packets: [packet('10.0.0.2 80 > 10.0.0.1 40000', SYN_ACK), packet('10.0.0.1 40000 > 10.0.0.2 80')],
    flows: ['10.0.0.1 > 10.0.0.2 80'],
  },
  {
    name: 'turns a connection that went on when the capture began',
    packets: [packet('10.0.0.2 443 > 10.0.0.1 50000'), packet('10.0.0.1 50000 > 10.0.0.2 443')],
    flows: ['10.0.0.1 > 10.0.0.2 443'],
  },
  {
    name: 'believes a SYN whatever the ports',
    packets: [packet('10.0.0.2 443 > 10.0.0.1 50000', SYN), packet('10.0.0.1 50000 > 10.0.0.2 443', SYN_ACK)],
    flows: ['10.0.0.2 > 10.0.0.1 50000'],
  },
  {
    name: 'folds a datagram back into its question',
    packets: [packet('10.0.0.1 40000 > 10.0.0.2 53', UDP), packet('10.0.0.2 53 > 10.0.0.1 40000', UDP)],
    flows: ['10.0.0.1 > 10.0.0.2 53'],
  },
  {
    name: 'folds the answer to a ping, and turns an answer without one',
    packets: [
      packet('10.0.0.1 7 > 10.0.0.2 7', REQUEST),
      packet('10.0.0.2 7 > 10.0.0.1 7', REPLY),
      packet('10.0.0.3 8 > 10.0.0.1 8', REPLY),
    ],
    flows: ['10.0.0.1 > 10.0.0.2 0', '10.0.0.1 > 10.0.0.3 0'],
  },
  {
    name: 'counts pings both ways as two',
    packets: [packet('10.0.0.1 7 > 10.0.0.2 7', REQUEST), packet('10.0.0.2 7 > 10.0.0.1 7', REQUEST)],
    flows: ['10.0.0.1 > 10.0.0.2 0', '10.0.0.2 > 10.0.0.1 0'],
  },
];

describe('Connections', () => {
  it.each(CASES)('$name', ({ packets, flows }) => {
    const connections = new Connections();
    expect(packets.map((one) => summary(connections.add(one))).filter((flow) => flow !== undefined)).toEqual(flows);
    expect(connections.folded).toBe(packets.length - flows.length);
  });

  it('forgets the oldest when there is no room, and says how many', () => {
    const connections = new Connections(10);
    const add = (port: number) => connections.add(packet(`10.0.0.1 ${port} > 10.0.0.2 80`, SYN));
    for (let port = 40000; port < 40020; port++) expect(add(port)).toBeDefined();
    expect(connections.forgotten).toBe(10);
    expect(add(40019)).toBeUndefined();
    expect(add(40000)).toBeDefined();
  });
});

describe('FirstOfConnection', () => {
  const flow: RecordedFlow = {
    source: { address: address('10.0.0.1') },
    destination: { address: address('10.0.0.2') },
    protocol: 6,
    sourcePort: 40000,
    destinationPort: 80,
    icmpType: 0,
    icmpCode: 0,
    verdict: 'allow',
    reporter: 'source',
    count: 1,
  };

  it('accepts a record once for each verdict and reporter', () => {
    const first = new FirstOfConnection();
    const records: readonly RecordedFlow[] = [
      flow,
      flow,
      { ...flow, reporter: 'destination' },
      { ...flow, verdict: 'deny' },
    ];
    expect(records.map((record) => first.accepts(record))).toEqual([true, false, true, true]);
  });

  it('accepts all records without a source port, for it cannot tell them apart', () => {
    const first = new FirstOfConnection();
    const record = { ...flow, sourcePort: undefined };
    expect([first.accepts(record), first.accepts(record)]).toEqual([true, true]);
  });
});
