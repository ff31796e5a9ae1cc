// IP addresses and prefixes as text <-> 32-bit words, without regular expressions or big integers: a large cluster
// reads hundreds of thousands. Only lexical form; the domain types are in model/address.ts.

/** A parsed prefix: one word for IPv4, four for IPv6, most significant first, as written (host bits kept). */
export interface PrefixText {
  readonly words: readonly number[];
  readonly length: number;
}

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const COLON = 58;

/** Words of an address: one for IPv4, four for IPv6; undefined when it is neither. No zones, no leading zeros in IPv4. */
export function parseIpText(text: string): number[] | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text, 0, text.length);
    return word === undefined ? undefined : [word];
  }
  return parseIpv6(text);
}

/** `address/length`, or a bare address as a full-length prefix. */
export function parsePrefixText(text: string): PrefixText | undefined {
  const slash = text.indexOf('/');
  const words = parseIpText(slash === -1 ? text : text.slice(0, slash));
  if (words === undefined) return undefined;
  const maximum = words.length * 32;
  if (slash === -1) return { words, length: maximum };
  const length = parseDecimal(text, slash + 1, text.length, maximum);
  return length === undefined ? undefined : { words, length };
}

/** The mask of a prefix's `index`-th word, as an unsigned number. */
export function maskWord(length: number, index: number): number {
  const bits = length - index * 32;
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** Whether no bit past the length is set. */
export function isMasked(prefix: PrefixText): boolean {
  return prefix.words.every((word, index) => (word & ~maskWord(prefix.length, index)) === 0);
}

/** Canonical text: dotted decimal, or RFC 5952. */
export function formatIpText(words: readonly number[]): string {
  return words.length === 1 ? formatIpv4(words[0] as number) : formatIpv6(words);
}

function parseDecimal(text: string, start: number, end: number, maximum: number): number | undefined {
  const digits = end - start;
  if (digits < 1 || digits > 3) return undefined;
  if (digits > 1 && text.charCodeAt(start) === ZERO) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return undefined;
    value = value * 10 + code - ZERO;
  }
  return value > maximum ? undefined : value;
}

function parseIpv4(text: string, start: number, end: number): number | undefined {
  let word = 0;
  let from = start;
  for (let octet = 0; octet < 4; octet++) {
    let to = from;
    while (to < end && text.charCodeAt(to) !== DOT) to++;
    if ((to === end) !== (octet === 3)) return undefined;
    const value = parseDecimal(text, from, to, 255);
    if (value === undefined) return undefined;
    word = word * 256 + value;
    from = to + 1;
  }
  return word;
}

function parseIpv6(text: string): number[] | undefined {
  const groups: number[] = [];
  let gapAt = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gapAt = 0;
    at = 2;
  }
  while (at < text.length) {
    if (groups.length === 8) return undefined;
    let end = at;
    while (end < text.length && text.charCodeAt(end) !== COLON) end++;
    if (end === text.length && text.indexOf('.', at) !== -1) {
      const word = parseIpv4(text, at, end);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
      break;
    }
    const group = parseHexGroup(text, at, end);
    if (group === undefined) return undefined;
    groups.push(group);
    if (end === text.length) break;
    at = end + 1;
    if (at === text.length) return undefined;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gapAt !== -1) return undefined;
    gapAt = groups.length;
    at++;
  }
  return joinGroups(groups, gapAt);
}

function parseHexGroup(text: string, start: number, end: number): number | undefined {
  if (end === start || end - start > 4) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    const lower = code | 32;
    if (code >= ZERO && code <= NINE) value = value * 16 + code - ZERO;
    else if (lower >= 97 && lower <= 102) value = value * 16 + lower - 87;
    else return undefined;
  }
  return value;
}

function joinGroups(groups: readonly number[], gapAt: number): number[] | undefined {
  const missing = 8 - groups.length;
  if (gapAt === -1 ? missing !== 0 : missing < 1) return undefined;
  const all =
    gapAt === -1 ? groups : [...groups.slice(0, gapAt), ...new Array<number>(missing).fill(0), ...groups.slice(gapAt)];
  const words: number[] = [];
  for (let index = 0; index < 8; index += 2) {
    words.push((((all[index] as number) << 16) | (all[index + 1] as number)) >>> 0);
  }
  return words;
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function formatIpv6(words: readonly number[]): string {
  const [first, second, third, fourth] = words as [number, number, number, number];
  if (first === 0 && second === 0 && third === 0xffff) return `::ffff:${formatIpv4(fourth)}`;
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const gap = longestZeroRun(groups);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (gap.length < 2) return hex(0, 8);
  return `${hex(0, gap.start)}::${hex(gap.start + gap.length, 8)}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (start + length < groups.length && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
    start += length;
  }
  return best;
}
