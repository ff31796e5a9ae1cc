import { describe, expect, it } from 'vitest';
import { encodeFlowReport, FlowFlags, FlowKind, FlowPhase, FlowReport as Layout } from '../../../src/abi/flow.gen.ts';
import { decodeFlowReports, forEachFlowReport } from '../../../src/events/flow-report.ts';

const RECORD: Layout = {
  key: {
    address: [{ word: [0, 0, 0xffff, 0x0a000001] }, { word: [0, 0, 0xffff, 0x0a000002] }],
    port: [443, 40_000],
    protocol: 6,
    kind: FlowKind.PORTS,
  },
  egress_word: 1,
  ingress_word: 2,
  host_word: 3,
  phase: FlowPhase.PHASE_START | FlowPhase.PHASE_END,
  state: 4,
  flags: FlowFlags.FROM_HIGH,
  tcp_flags: 0x13,
  created_jiffies: 5n,
  since_jiffies: 0x1_0000_0006n,
  until_jiffies: 0x1_0000_0009n,
  packets: [7n, 8n],
  bytes: [0x1_0000_0000n, 9n],
};

function decode(...records: readonly Layout[]): ReturnType<typeof decodeFlowReports> {
  const bytes = new Uint8Array(records.length * Layout.SIZE);
  for (const [index, record] of records.entries())
    encodeFlowReport(new DataView(bytes.buffer), index * Layout.SIZE, record);
  return decodeFlowReports(bytes);
}

describe('decodeFlowReports', () => {
  it('tells initiator and responder apart', () => {
    expect(decode(RECORD)[0]).toMatchObject({
      source: { family: 4, words: [0x0a000002] },
      destination: { family: 4, words: [0x0a000001] },
      sourcePort: 40_000,
      destinationPort: 443,
      isStart: true,
      isEnd: true,
      isLate: false,
      tcpFlags: 0x13,
      since: 0x1_0000_0006,
      packets: [7, 8],
      bytes: [0x1_0000_0000, 9],
    });
    expect(decode({ ...RECORD, flags: 0 })[0]).toMatchObject({ sourcePort: 443, destinationPort: 40_000 });
  });

  it('knows the type and code of ICMP, which has no ports', () => {
    const echo = { ...RECORD, flags: 0, key: { ...RECORD.key, protocol: 58, kind: FlowKind.ECHO } };
    const other = {
      ...RECORD,
      flags: 0,
      key: { ...RECORD.key, protocol: 1, kind: FlowKind.ICMP_OTHER, port: [3, 4] as const },
    };
    expect(decode(echo, other)).toMatchObject([
      { sourcePort: 0, destinationPort: 0, icmpType: 128, icmpCode: 0 },
      { sourcePort: 0, destinationPort: 0, icmpType: 3, icmpCode: 4 },
    ]);
    expect(decode(RECORD)[0]).not.toHaveProperty('icmpType');
  });

  it('tells one after the other what it decodes at once, families and kinds in any order', () => {
    const v6 = { word: [0x20010db8, 0, 0, 7] };
    const records: Layout[] = [
      RECORD,
      { ...RECORD, key: { ...RECORD.key, address: [v6, { word: [0xfd000000, 1, 2, 3] }] } },
      { ...RECORD, key: { ...RECORD.key, protocol: 1, kind: FlowKind.ECHO } },
      RECORD,
    ];
    const bytes = new Uint8Array(records.length * Layout.SIZE);
    for (const [index, record] of records.entries())
      encodeFlowReport(new DataView(bytes.buffer), index * Layout.SIZE, record);
    const seen: unknown[] = [];
    forEachFlowReport(bytes, (report) => seen.push(structuredClone(report)));
    expect(seen).toEqual(decodeFlowReports(bytes));
    expect(seen[0]).toEqual(seen[3]);
  });

  it('knows an IPv6 address by its words', () => {
    const six = { word: [0xfd000000, 0, 0, 1] };
    const [report] = decode({ ...RECORD, flags: 0, key: { ...RECORD.key, address: [six, six] } });
    expect(report?.source).toEqual({ family: 6, words: [0xfd000000, 0, 0, 1] });
  });
});
