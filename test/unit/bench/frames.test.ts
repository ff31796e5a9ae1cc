// Frames that measurements send: what a path must find in them, byte by byte.
import { describe, expect, it } from 'vitest';
import { flowFrame, MAX_TAG, parseMac } from '../../../src/bench/frames.ts';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';

const MACS = { sourceMac: '02:74:74:00:00:01', destinationMac: 'ee:ee:ee:ee:ee:ee' };
const ENDS = { 4: ['10.65.0.2', '10.65.0.3'], 6: ['fd00:65::2', 'fd00:65::3'] } as const;

function flowOf(family: 4 | 6, protocol: number, icmpType = 0): Flow {
  const [source, destination] = ENDS[family].map((text) => parseAddress(text) as IpAddress) as [IpAddress, IpAddress];
  const isIcmp = protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6;
  const ports = isIcmp ? { sourcePort: 0, destinationPort: 0 } : { sourcePort: 40_000, destinationPort: 53 };
  return { source, destination, protocol, ...ports, icmpType, icmpCode: 0 };
}

/** The one's complement sum of 16-bit words that a valid checksum makes 0xffff. */
function sum(bytes: Uint8Array, start = 0): number {
  let total = start;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

const PROTOCOLS = [
  { name: 'UDP', family: 4, protocol: PROTOCOL.UDP },
  { name: 'TCP', family: 4, protocol: PROTOCOL.TCP },
  { name: 'ICMP', family: 4, protocol: PROTOCOL.ICMP },
  { name: 'UDP', family: 6, protocol: PROTOCOL.UDP },
  { name: 'TCP', family: 6, protocol: PROTOCOL.TCP },
  { name: 'ICMPv6', family: 6, protocol: PROTOCOL.ICMPV6 },
] as const;

describe('flowFrame', () => {
  it('puts the destination MAC before the source MAC', () => {
    const frame = flowFrame(flowOf(4, PROTOCOL.UDP), { tag: 1, ...MACS });
    expect([...frame.subarray(0, 12)]).toEqual([...parseMac(MACS.destinationMac), ...parseMac(MACS.sourceMac)]);
  });

  it.each(PROTOCOLS)('has valid checksums: $name over IPv$family', ({ family, protocol }) => {
    const frame = flowFrame(flowOf(family, protocol, 8), { tag: MAX_TAG, ...MACS });
    const transport = frame.subarray(14 + (family === 4 ? 20 : 40));
    if (family === 4) expect(sum(frame.subarray(14, 34))).toBe(0xffff);
    const addresses = frame.subarray(family === 4 ? 26 : 22, family === 4 ? 34 : 54);
    const pseudo = protocol === PROTOCOL.ICMP ? 0 : sum(addresses) + protocol + transport.length;
    expect(sum(transport, pseudo)).toBe(0xffff);
  });

  it.each(PROTOCOLS)('says how long it is: $name over IPv$family', ({ family, protocol }) => {
    const frame = flowFrame(flowOf(family, protocol), { tag: 1, bytes: 80, ...MACS });
    const view = new DataView(frame.buffer);
    expect(frame).toHaveLength(80);
    expect(family === 4 ? view.getUint16(16) + 14 : view.getUint16(18) + 54).toBe(80);
    if (protocol === PROTOCOL.UDP)
      expect(view.getUint16(14 + (family === 4 ? 20 : 40) + 4)).toBe(family === 4 ? 46 : 26);
  });

  it('carries its number where no router touches it', () => {
    const tag = 0xabcd;
    expect(new DataView(flowFrame(flowOf(4, PROTOCOL.UDP), { tag, ...MACS }).buffer).getUint16(18)).toBe(tag);
    expect(new DataView(flowFrame(flowOf(6, PROTOCOL.UDP), { tag, ...MACS }).buffer).getUint16(16)).toBe(tag);
  });

  it('shortens UDP to the length asked for, and TCP to its header at most', () => {
    expect(flowFrame(flowOf(6, PROTOCOL.UDP), { tag: 1, bytes: 64, ...MACS })).toHaveLength(64);
    expect(flowFrame(flowOf(6, PROTOCOL.TCP), { tag: 1, bytes: 64, ...MACS })).toHaveLength(74);
  });

  it('leaves neighbour discovery the hop limit that it must have', () => {
    const hopLimit = (type: number): number | undefined =>
      flowFrame(flowOf(6, PROTOCOL.ICMPV6, type), { tag: 1, ...MACS })[21];
    expect([hopLimit(135), hopLimit(128)]).toEqual([255, 64]);
  });
});
