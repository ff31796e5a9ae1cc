import { describe, expect, it } from 'vitest';
import { CaptureError, CaptureReader, isCaptureFile } from '../../../../src/analysis/flow-logs/capture-file.ts';
import { concat } from '../../../support/packets/bytes.ts';
import { newSeed } from '../../../support/worlds/questions.ts';

const FRAMES = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.from({ length: 300 }, (_, index) => index)];

/** Numbers in the file's byte order: [bytes, value]. */
function numbers(isLittle: boolean, ...list: readonly (readonly [1 | 2 | 4, number])[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 4) view.setUint32(at, value, isLittle);
    else if (size === 2) view.setUint16(at, value, isLittle);
    else view.setUint8(at, value);
    at += size;
  }
  return bytes;
}

function pcap(isLittle: boolean, magic: number, linkType = 1): Uint8Array {
  const header = numbers(isLittle, [4, magic], [2, 2], [2, 4], [4, 0], [4, 0], [4, 65535], [4, linkType]);
  const records = FRAMES.map((frame) =>
    concat(numbers(isLittle, [4, 1], [4, 2], [4, frame.length], [4, frame.length + 9]), frame),
  );
  return concat(header, ...records);
}

function block(isLittle: boolean, type: number, body: Uint8Array): Uint8Array {
  const padding = new Uint8Array((4 - (body.length % 4)) % 4);
  const length = 12 + body.length + padding.length;
  return concat(numbers(isLittle, [4, type], [4, length]), body, padding, numbers(isLittle, [4, length]));
}

const section = (isLittle: boolean): Uint8Array =>
  block(isLittle, 0x0a0d0d0a, concat(numbers(isLittle, [4, 0x1a2b3c4d], [2, 1], [2, 0]), new Uint8Array(8).fill(255)));
const captureInterface = (isLittle: boolean, linkType: number, snapLength = 0): Uint8Array =>
  block(isLittle, 1, numbers(isLittle, [2, linkType], [2, 0], [4, snapLength]));
const enhanced = (isLittle: boolean, index: number, frame: Uint8Array): Uint8Array =>
  block(
    isLittle,
    6,
    concat(
      numbers(isLittle, [4, index], [4, 0], [4, 0], [4, frame.length], [4, frame.length]),
      frame,
      new Uint8Array(8),
    ),
  );
const old = (isLittle: boolean, index: number, frame: Uint8Array): Uint8Array =>
  block(
    isLittle,
    2,
    concat(numbers(isLittle, [2, index], [2, 0], [4, 0], [4, 0], [4, frame.length], [4, frame.length]), frame),
  );
const simple = (isLittle: boolean, original: number, frame: Uint8Array): Uint8Array =>
  block(isLittle, 3, concat(numbers(isLittle, [4, original]), frame));

function read(file: Uint8Array, pieceLength: number): string[] {
  const reader = new CaptureReader();
  const frames: string[] = [];
  for (let at = 0; at < file.length; at += pieceLength) {
    for (const { linkType, bytes } of reader.push(file.subarray(at, at + pieceLength))) {
      frames.push(`${linkType}:${bytes.join(',')}`);
    }
  }
  reader.end();
  return frames;
}

const expected = (linkType: number, frames: readonly Uint8Array[] = FRAMES): string[] =>
  frames.map((frame) => `${linkType}:${frame.join(',')}`);

const FILES: readonly { readonly name: string; readonly file: Uint8Array; readonly frames: readonly string[] }[] = [
  ...[true, false].flatMap((isLittle) => [
    { name: `pcap, little endian ${isLittle}`, file: pcap(isLittle, 0xa1b2c3d4), frames: expected(1) },
    {
      name: `pcap in nanoseconds, little endian ${isLittle}`,
      file: pcap(isLittle, 0xa1b23c4d, 276),
      frames: expected(276),
    },
    {
      name: `pcapng, little endian ${isLittle}`,
      file: concat(
        section(isLittle),
        captureInterface(isLittle, 1),
        captureInterface(isLittle, 101),
        block(isLittle, 5, new Uint8Array(64)),
        enhanced(isLittle, 1, FRAMES[0] as Uint8Array),
        old(isLittle, 0, FRAMES[2] as Uint8Array),
        simple(isLittle, 3, FRAMES[0] as Uint8Array),
      ),
      frames: [
        ...expected(101, FRAMES.slice(0, 1)),
        ...expected(1, [FRAMES[2] as Uint8Array, FRAMES[0] as Uint8Array]),
      ],
    },
  ]),
  {
    name: 'pcapng with sections of both byte orders',
    file: concat(
      section(true),
      captureInterface(true, 1),
      enhanced(true, 0, FRAMES[0] as Uint8Array),
      section(false),
      captureInterface(false, 113),
      enhanced(false, 0, FRAMES[2] as Uint8Array),
    ),
    frames: [...expected(1, FRAMES.slice(0, 1)), ...expected(113, FRAMES.slice(2))],
  },
  {
    name: 'a simple packet cut at the snap length',
    file: concat(section(true), captureInterface(true, 1, 2), simple(true, 900, Uint8Array.of(1, 2))),
    frames: ['1:1,2'],
  },
  { name: 'pcap with the length of the check sequence', file: pcap(true, 0xa1b2c3d4, 0x54000001), frames: expected(1) },
];

describe('CaptureReader', () => {
  it.each(FILES)('reads $name, in whatever pieces it comes', ({ file, frames }) => {
    expect(isCaptureFile(file)).toBe(true);
    for (const length of [1, 5, 64, file.length]) expect(read(file, length)).toEqual(frames);
  });

  const whole = concat(section(true), captureInterface(true, 1));
  const damaged: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an empty file', new Uint8Array(0), /too short/],
    ['text', new TextEncoder().encode('{"src":"10.0.0.1","dst":"10.0.0.2"}'), /no pcap or pcapng/],
    [
      'another version of pcap',
      numbers(true, [4, 0xa1b2c3d4], [2, 3], [2, 0], [4, 0], [4, 0], [4, 0], [4, 0]),
      /version 3/,
    ],
    ['a packet that ends too early', pcap(true, 0xa1b2c3d4).subarray(0, -1), /in the middle of a packet/],
    [
      'a packet longer than any',
      concat(pcap(true, 0xa1b2c3d4), numbers(true, [4, 0], [4, 0], [4, 1 << 30], [4, 0])),
      /damaged/,
    ],
    ['a block shorter than its frame', concat(whole, numbers(true, [4, 6], [4, 8], [4, 0])), /a block of 8 bytes/],
    ['a block of odd length', concat(whole, numbers(true, [4, 6], [4, 33], [4, 0])), /a block of 33 bytes/],
    ['a packet of an unknown interface', concat(whole, enhanced(true, 7, Uint8Array.of(1))), /interface 7/],
    [
      'a packet longer than its block',
      concat(whole, block(true, 6, numbers(true, [4, 0], [4, 0], [4, 0], [4, 999], [4, 999]))),
      /999 bytes in a block/,
    ],
    ['a huge block of packets', concat(whole, numbers(true, [4, 6], [4, 0x10000000], [4, 0])), /a block of 268435456/],
    ['a section without byte order', concat(whole, numbers(true, [4, 0x0a0d0d0a], [4, 28], [4, 1])), /byte order/],
  ];
  it.each(damaged)('says what is wrong with %s', (_name, file, message) => {
    expect(() => read(file, 16)).toThrow(message);
    expect(() => read(file, 16)).toThrow(CaptureError);
  });

  it('ends a file of random damage with frames or with CaptureError, never otherwise', () => {
    const seed = newSeed('damaged captures');
    let state = seed >>> 0 || 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 2000; round++) {
      const { file } = FILES[random(FILES.length)] as (typeof FILES)[number];
      const copy = file.slice(0, 1 + random(file.length));
      for (let count = random(6); count > 0; count--) copy[random(copy.length)] = random(256);
      try {
        read(copy, 1 + random(100));
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError);
      }
    }
  });
});
