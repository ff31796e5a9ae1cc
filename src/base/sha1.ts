// SHA-1 (FIPS 180-4) without node:crypto, for code that must run anywhere. For names that other programs derive the
// same way, never for security.

const BLOCK_BYTES = 64;
/** Scratch of mixBlock: one name is hashed for every pod there is. */
const schedule = new Int32Array(80);

/** Lower-case hexadecimal digest of the text's UTF-8 bytes: 40 digits. */
export function sha1Hex(text: string): string {
  const words = padMessage(encodeUtf8(text));
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  for (let offset = 0; offset < words.length; offset += 16) mixBlock(state, words, offset);
  let hex = '';
  for (const word of state) hex += (word >>> 0).toString(16).padStart(8, '0');
  return hex;
}

/** Big-endian words of the message, the bit 1, zeros and the length in bits. */
function padMessage(bytes: readonly number[]): Int32Array {
  const words = new Int32Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * 16);
  for (let at = 0; at < bytes.length; at++) setByte(words, at, bytes[at] as number);
  setByte(words, bytes.length, 0x80);
  words[words.length - 2] = Math.floor(bytes.length / 0x20000000);
  words[words.length - 1] = bytes.length << 3;
  return words;
}

function setByte(words: Int32Array, at: number, byte: number): void {
  words[at >> 2] = (words[at >> 2] as number) | (byte << (24 - (at & 3) * 8));
}

function mixBlock(state: Int32Array, words: Int32Array, offset: number): void {
  const w = schedule;
  for (let index = 0; index < 16; index++) w[index] = words[offset + index] as number;
  for (let index = 16; index < 80; index++) {
    const word =
      (w[index - 3] as number) ^ (w[index - 8] as number) ^ (w[index - 14] as number) ^ (w[index - 16] as number);
    w[index] = (word << 1) | (word >>> 31);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  for (let round = 0; round < 80; round++) {
    const next = (((a << 5) | (a >>> 27)) + choose(round, b, c, d) + e + (w[round] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
}

/** The round function plus its constant. */
function choose(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (((b & c) | (~b & d)) + 0x5a827999) | 0;
  if (round < 40) return ((b ^ c ^ d) + 0x6ed9eba1) | 0;
  if (round < 60) return (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
  return ((b ^ c ^ d) + 0xca62c1d6) | 0;
}

function encodeUtf8(text: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) as number;
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    if (code >= 0x10000) at++;
    const tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    bytes.push(((0xff80 >> tail) & 0xff) | (code >> (6 * tail)));
    for (let shift = 6 * (tail - 1); shift >= 0; shift -= 6) bytes.push(0x80 | ((code >> shift) & 0x3f));
  }
  return bytes;
}
