// The blocklists of the XDP benchmark: random prefixes of public address space, and sources in them. The same on every
// run and machine.
import type { PrefixList, PrefixLists } from '../src/tables/prefix-table-list.ts';

export type Family = 4 | 6;

const BLOCKED = 1;
const SHORTEST: Readonly<Record<Family, number>> = { 4: 16, 6: 32 };
const LONGEST: Readonly<Record<Family, number>> = { 4: 32, 6: 64 };
/** Of so many IPv6 prefixes one is a single address. */
const HOSTS = 8;
const EMPTY: PrefixList = { words: new Uint32Array(0), lengths: new Uint8Array(0), classes: new Uint8Array(0) };

/** So many prefixes of one family: IPv4 of /16 to /32, IPv6 of /32 to /64 and /128, each length as likely as others. */
export function blocklist(family: Family, count: number): PrefixLists {
  const wordsEach = family === 4 ? 1 : 4;
  const words = new Uint32Array(wordsEach * count);
  const lengths = new Uint8Array(count);
  const next = numbers(count + family);
  for (let index = 0; index < count; index += 1) {
    const span = LONGEST[family] - SHORTEST[family] + 1;
    const isHost = family === 6 && next() % HOSTS === 0;
    const length = isHost ? 128 : SHORTEST[family] + (next() % span);
    lengths[index] = length;
    for (let word = 0; word < wordsEach; word += 1) {
      const random = word === 0 ? publicWord(family, next()) : next();
      words[index * wordsEach + word] = (random & maskOf(length - 32 * word)) >>> 0;
    }
  }
  const list = { words, lengths, classes: new Uint8Array(count).fill(BLOCKED) };
  return family === 4 ? { 4: list, 6: EMPTY } : { 4: EMPTY, 6: list };
}

/** So many blocked addresses, as words in host order, four each. */
export function blockedSources(lists: PrefixLists, family: Family, count: number): Uint32Array {
  const { words, lengths } = lists[family];
  const wordsEach = family === 4 ? 1 : 4;
  const next = numbers(count);
  const sources = new Uint32Array(4 * count);
  for (let index = 0; index < count; index += 1) {
    const chosen = next() % lengths.length;
    for (let word = 0; word < wordsEach; word += 1) {
      const rest = ~maskOf((lengths[chosen] as number) - 32 * word);
      sources[4 * index + word] = ((words[chosen * wordsEach + word] as number) | (next() & rest)) >>> 0;
    }
  }
  return sources;
}

function publicWord(family: Family, random: number): number {
  return family === 4 ? ((1 + (random >>> 24) * (223 / 256)) << 24) | (random & 0xffffff) : 0x20000000 | (random >>> 3);
}

function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : 0xffffffff << (32 - bits);
}

/** xorshift32 (Marsaglia 2003). */
function numbers(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b9) | 1) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}
