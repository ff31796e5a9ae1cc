import { describe, expect, it } from 'vitest';
import { encodeDataSets, ipfixMessage, splitSets, templateSet } from '../../../../src/observe/export/ipfix.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { FLOW_LOG, FLOW_LOG_V6, flowLogs } from '../../../support/export/flow-logs.ts';

/** By element, `~` before those of the way back: read by the template, as a collector does. */
function decode(template: Uint8Array, data: Uint8Array): Map<string, bigint>[] {
  const layouts = new Map<number, { name: string; bytes: number }[]>();
  const view = new DataView(template.buffer, template.byteOffset, template.byteLength);
  expect(view.getUint16(0)).toBe(2);
  expect(view.getUint16(2)).toBe(template.length);
  for (let at = 4; at < template.length; ) {
    const [id, count] = [view.getUint16(at), view.getUint16(at + 2)];
    at += 4;
    const fields = Array.from({ length: count }, () => {
      const [element, bytes] = [view.getUint16(at), view.getUint16(at + 2)];
      at += 4;
      if (element < 0x8000) return { name: String(element), bytes };
      expect(view.getUint32(at)).toBe(29305);
      at += 4;
      return { name: `~${element - 0x8000}`, bytes };
    });
    layouts.set(id, fields);
  }
  const records: Map<string, bigint>[] = [];
  const body = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let start = 0; start < data.length; ) {
    const fields = layouts.get(body.getUint16(start)) as { name: string; bytes: number }[];
    const end = start + body.getUint16(start + 2);
    for (let at = start + 4; at < end; ) {
      const record = new Map<string, bigint>();
      for (const { name, bytes } of fields) {
        const hex = Buffer.from(data.subarray(at, at + bytes)).toString('hex');
        record.set(name, BigInt(`0x${hex}`));
        at += bytes;
      }
      records.push(record);
    }
    start = end;
  }
  return records;
}

const one = (log: FlowLog) => decode(templateSet(), encodeDataSets([log]).bytes)[0] as Map<string, bigint>;

describe('IPFIX', () => {
  it('says addresses, ports, protocol, flags and times by the elements that its template lists', () => {
    const record = one(FLOW_LOG);
    expect(record.get('8')).toBe(0x0a000001n);
    expect(record.get('12')).toBe(0x0a000002n);
    expect([record.get('7'), record.get('11'), record.get('4'), record.get('6')]).toEqual([40000n, 5432n, 6n, 0x1bn]);
    expect([record.get('152'), record.get('153')]).toEqual([BigInt(FLOW_LOG.startTime), BigInt(FLOW_LOG.endTime)]);
    expect([record.get('89'), record.get('233'), record.get('136'), record.get('61')]).toEqual([64n, 2n, 3n, 1n]);
  });

  it('counts from the source to the destination first, whichever end reports', () => {
    const bySource = one(FLOW_LOG);
    expect(['1', '2', '~1', '~2'].map((name) => bySource.get(name))).toEqual([400n, 4n, 300n, 3n]);
    const byDestination = one({ ...FLOW_LOG, reporter: 'dst' });
    expect(['1', '2', '~1', '~2'].map((name) => byDestination.get(name))).toEqual([300n, 3n, 400n, 4n]);
  });

  it('says that a flow was denied', () => {
    const record = one({ ...FLOW_LOG, action: 'deny', phase: 'update' });
    expect([record.get('89'), record.get('233'), record.get('136')]).toEqual([129n, 3n, 2n]);
  });

  it('says IPv6 with elements of its own, and the type and code of ICMP', () => {
    const record = one({ ...FLOW_LOG_V6, protocol: 'ICMPv6', icmpType: 128, icmpCode: 1 });
    expect(record.get('27')).toBe(0x20010db8_00000000_00000000_00000001n);
    expect([record.get('4'), record.get('139')]).toEqual([58n, 0x8001n]);
  });

  it('says protocols without a name by their number', () => {
    expect(one({ ...FLOW_LOG, protocol: '47' }).get('4')).toBe(47n);
  });

  it('leaves out flows without addresses, and counts only those that are in', () => {
    const aggregate = { ...FLOW_LOG, source: { ...FLOW_LOG.source, address: '' } };
    const mixed = { ...FLOW_LOG, source: FLOW_LOG_V6.source };
    expect(encodeDataSets([aggregate, FLOW_LOG, mixed]).records).toBe(1);
  });

  it('keeps every message below the smallest MTU of IPv6, and every record once', () => {
    const { bytes, records } = encodeDataSets(flowLogs(1000));
    const sets = [...splitSets(bytes)];
    expect(records).toBe(1000);
    expect(sets.reduce((sum, set) => sum + set.records, 0)).toBe(1000);
    expect(sets.reduce((sum, { set }) => sum + set.length, 0)).toBe(bytes.length);
    const header = { time: 0, sequence: 0, domain: 0 };
    expect(Math.max(...sets.map(({ set }) => ipfixMessage(set, header).length))).toBeLessThanOrEqual(1280 - 48);
    expect(decode(templateSet(), bytes)).toHaveLength(1000);
  });

  it('begins each message with version, length, time, sequence number and domain', () => {
    const message = ipfixMessage(templateSet(), { time: 1_700_000_000_999, sequence: 2 ** 32 + 5, domain: 7 });
    const view = new DataView(message.buffer);
    expect([view.getUint16(0), view.getUint16(2), view.getUint32(4)]).toEqual([10, message.length, 1_700_000_000]);
    expect([view.getUint32(8), view.getUint32(12)]).toEqual([5, 7]);
  });

  it('does not read behind what it was given', () => {
    const { bytes } = encodeDataSets(flowLogs(3));
    expect([...splitSets(bytes.subarray(0, bytes.length - 1))].length).toBeLessThan([...splitSets(bytes)].length);
    expect([...splitSets(new Uint8Array([1, 0, 0, 0, 0]))]).toEqual([]);
  });
});
