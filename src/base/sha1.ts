// SHA-1 (FIPS 180-4) without node:crypto, for code that must run anywhere. For names that other programs derive the
// same way, never for security.

/** Lower-case hexadecimal digest of the text's UTF-8 bytes: 40 digits. */
export function sha1Hex(text: string): string {
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const view = padMessage(text);
  const schedule = new Uint32Array(80);
  for (let offset = 0; offset < view.byteLength; offset += 64) mixBlock(state, view, offset, schedule);
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

function padMessage(text: string): DataView {
  const bytes = encodeUtf8(text);
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
  return view;
}

function mixBlock(state: Uint32Array, view: DataView, offset: number, schedule: Uint32Array): void {
  for (let index = 0; index < 80; index++) {
    schedule[index] = index < 16 ? view.getUint32(offset + index * 4) : rotate(mixed(schedule, index), 1);
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let index = 0; index < 80; index++) {
    const next = (rotate(a, 5) + choose(index, b, c, d) + e + (schedule[index] as number)) >>> 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  for (const [index, value] of [a, b, c, d, e].entries()) state[index] = (state[index] as number) + value;
}

function mixed(schedule: Uint32Array, index: number): number {
  const at = (back: number): number => schedule[index - back] as number;
  return at(3) ^ at(8) ^ at(14) ^ at(16);
}

/** The round function plus its constant. */
function choose(round: number, b: number, c: number, d: number): number {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) bytes.push(code);
    else {
      const tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      bytes.push(((0xff80 >> tail) & 0xff) | (code >> (6 * tail)));
      for (let at = tail - 1; at >= 0; at--) bytes.push(0x80 | ((code >> (6 * at)) & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}
