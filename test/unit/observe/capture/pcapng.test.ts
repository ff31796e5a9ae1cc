import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
} from '../../../../src/observe/capture/pcapng.ts';

interface Block {
  readonly type: number;
  readonly body: DataView;
  /** Texts and bytes by code, in order. */
  readonly options: readonly { readonly code: number; readonly value: Uint8Array }[];
}

/** Reads one block as the format says, and nothing of it from the writer. */
function readBlock(bytes: Uint8Array, fixed: (body: DataView) => number): Block {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(4, true);
  expect(length % 4).toBe(0);
  expect(bytes.byteLength).toBe(length);
  expect(view.getUint32(length - 4, true)).toBe(length);
  const body = new DataView(bytes.buffer, bytes.byteOffset + 8, length - 12);
  const options = [];
  for (let at = fixed(body); at < body.byteLength; ) {
    const [code, size] = [body.getUint16(at, true), body.getUint16(at + 2, true)];
    if (code === 0) {
      expect(size).toBe(0);
      expect(at + 4).toBe(body.byteLength);
      break;
    }
    options.push({ code, value: new Uint8Array(body.buffer, body.byteOffset + at + 4, size).slice() });
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return { type: view.getUint32(0, true), body, options };
}

const text = (value: Uint8Array | undefined) => new TextDecoder('utf-8', { fatal: true }).decode(value);
const option = ({ options }: Block, code: number) => options.find((one) => one.code === code)?.value;
const packetFixed = (body: DataView) => 20 + Math.ceil(body.getUint32(12, true) / 4) * 4;

describe('a section header', () => {
  it('says byte order, version, and what wrote it', () => {
    const block = readBlock(sectionHeader({ hardware: 'x64', os: 'Linux 6.18', application: 'tortie 1' }), () => 16);
    expect(block.type).toBe(0x0a0d0d0a);
    expect(block.body.getUint32(0, true)).toBe(0x1a2b3c4d);
    expect([block.body.getUint16(4, true), block.body.getUint16(6, true)]).toEqual([1, 0]);
    expect(block.body.getBigUint64(8, true)).toBe(2n ** 64n - 1n);
    expect([2, 3, 4].map((code) => text(option(block, code)))).toEqual(['x64', 'Linux 6.18', 'tortie 1']);
  });

  it('has no options where there is nothing to say', () => {
    expect(sectionHeader({})).toHaveLength(28);
  });
});

describe('an interface', () => {
  it.each([
    ['ethernet', 1],
    ['ip', 101],
  ] as const)('of %s has its name and nanoseconds', (link, linkType) => {
    const block = readBlock(interfaceDescription({ name: 'cali1', link, snapBytes: 96 }), () => 8);
    expect(block.type).toBe(1);
    expect(block.body.getUint16(0, true)).toBe(linkType);
    expect(block.body.getUint32(4, true)).toBe(96);
    expect(text(option(block, 2))).toBe('cali1');
    expect(option(block, 9)).toEqual(Uint8Array.of(9));
  });
});

describe('a packet', () => {
  it('keeps bytes, lengths, time, comment and direction, whatever they are', () => {
    const packets = fc.record({
      interfaceId: fc.nat({ max: 0xffff }),
      timeNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      bytes: fc.uint8Array({ maxLength: 1504 }),
      more: fc.nat({ max: 70_000 }),
      comment: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: undefined }),
      direction: fc.option(fc.constantFrom('inbound' as const, 'outbound' as const), { nil: undefined }),
    });
    fc.assert(
      fc.property(packets, ({ more, ...packet }) => {
        const length = packet.bytes.byteLength + more;
        const block = readBlock(enhancedPacket({ ...packet, length }), packetFixed);
        const { body } = block;
        expect(block.type).toBe(6);
        expect(body.getUint32(0, true)).toBe(packet.interfaceId);
        expect((BigInt(body.getUint32(4, true)) << 32n) | BigInt(body.getUint32(8, true))).toBe(packet.timeNs);
        expect(body.getUint32(16, true)).toBe(length);
        expect(new Uint8Array(body.buffer, body.byteOffset + 20, body.getUint32(12, true))).toEqual(packet.bytes);
        const comment = option(block, 1);
        expect(comment === undefined ? '' : text(comment)).toBe(packet.comment ?? '');
        const flags = option(block, 2);
        expect(flags?.[0]).toBe(packet.direction && { inbound: 1, outbound: 2 }[packet.direction]);
      }),
    );
  });

  it('has a comment of whole characters, however long it was to be', () => {
    const packet = { interfaceId: 0, timeNs: 1n, bytes: new Uint8Array(1), length: 1 };
    const block = readBlock(enhancedPacket({ ...packet, comment: '€'.repeat(30_000) }), packetFixed);
    const comment = option(block, 1) as Uint8Array;
    expect(comment).toHaveLength(65_535);
    expect(text(comment)).toBe('€'.repeat(21_845));
  });
});

describe('statistics', () => {
  it('say since when, until when, how many packets there were and how many are missing', () => {
    const statistics = { interfaceId: 0, timeNs: 9n, startNs: 5n << 32n, endNs: 9n, received: 12n, dropped: 3n };
    const block = readBlock(interfaceStatistics({ ...statistics, comment: 'all' }), () => 12);
    expect(block.type).toBe(5);
    expect(text(option(block, 1))).toBe('all');
    const number = (code: number) => new DataView((option(block, code) as Uint8Array).buffer).getBigUint64(0, true);
    expect(option(block, 2)).toEqual(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0));
    expect([number(4), number(5)]).toEqual([12n, 3n]);
  });
});
