// Lists of prefixes as files have them: one on a line, comments behind # or ;, lines of any number and size. Reads bytes as they
// come; what a line does not say is told with its number, and the rest counts.
import { DataplaneError } from '../../base/errors.ts';
import { type Cidr, cidrOf, type Family, formatAddress, formatCidr, parseCidr } from '../../model/address.ts';
import { ADDRESS_WORDS, PrefixSet, type PrefixSets } from '../../tables/prefix-set.ts';

export interface BadLine {
  /** 1-based. */
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

export interface ReadPrefixes {
  readonly prefixes: PrefixSets;
  /** Lines with a prefix, good or bad. */
  readonly lines: number;
  /** The first of them. */
  readonly bad: readonly BadLine[];
  readonly badCount: number;
}

/** Why a prefix may not be taken, as its place in words has it; undefined = it may. */
export type Refusal = (family: Family, words: Uint32Array, at: number, length: number) => string | undefined;

export interface ReaderLimits {
  readonly prefixes: number;
  readonly bytes: number;
}

export const DEFAULT_READER_LIMITS: ReaderLimits = { prefixes: 10_000_000, bytes: 512 * 2 ** 20 };

/** Bad lines that are told of one by one. */
const BAD_TOLD = 100;
const MAX_LINE = 4096;
const TOLD_LENGTH = 80;

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const SPACE = 32;
const HASH = 35;
const SEMICOLON = 59;
const SLASH = 47;
const DOT = 46;
const ZERO = 48;

export class PrefixReader {
  readonly #limits: ReaderLimits;
  readonly #refusal: Refusal;
  readonly #lists: Readonly<Record<Family, PrefixPile>> = { 4: new PrefixPile(4), 6: new PrefixPile(6) };
  readonly #bad: BadLine[] = [];
  #badCount = 0;
  #lines = 0;
  #number = 0;
  #bytes = 0;
  #rest: Uint8Array = new Uint8Array(0);
  /** Of a line that is too long, up to its end. */
  #isSkipping = false;
  /** Of the IPv4 prefix that was read last. */
  #word = 0;
  #length = 0;

  constructor(refusal: Refusal = () => undefined, limits = DEFAULT_READER_LIMITS) {
    this.#refusal = refusal;
    this.#limits = limits;
  }

  /** Throws LIMIT_EXCEEDED as soon as there is more than the limits allow. */
  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.bytes) throw tooMuch('bytes', this.#limits.bytes);
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#endLine(bytes, start, end);
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    if (this.#rest.length <= MAX_LINE) return;
    if (!this.#isSkipping) this.#refuseLine(this.#number + 1, this.#rest, 'is longer than a line may be');
    this.#isSkipping = true;
    this.#rest = new Uint8Array(0);
  }

  /** Throws LIMIT_EXCEEDED. */
  finish(): ReadPrefixes {
    if (this.#rest.length > 0) this.#endLine(this.#rest, 0, this.#rest.length);
    const prefixes = { 4: this.#lists[4].set(), 6: this.#lists[6].set() };
    return { prefixes, lines: this.#lines, bad: this.#bad, badCount: this.#badCount };
  }

  #endLine(bytes: Uint8Array, start: number, end: number): void {
    this.#number += 1;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      return;
    }
    let from = start;
    while (from < end && isBlank(bytes[from] as number)) from += 1;
    let to = from;
    while (to < end && bytes[to] !== HASH && bytes[to] !== SEMICOLON) to += 1;
    while (to > from && isBlank(bytes[to - 1] as number)) to -= 1;
    if (from === to) return;
    this.#lines += 1;
    if (this.#lines > this.#limits.prefixes) throw tooMuch('prefixes', this.#limits.prefixes);
    const why = this.#takeV4(bytes, from, to) ?? this.#takeText(bytes, from, to);
    if (why !== '') this.#refuseLine(this.#number, bytes.subarray(from, to), why);
  }

  /** Why the line is refused, '' = it is taken, undefined = it is no masked IPv4 prefix. Without making a string. */
  #takeV4(bytes: Uint8Array, from: number, to: number): string | undefined {
    if (!this.#readV4(bytes, from, to)) return undefined;
    const list = this.#lists[4];
    list.push1(this.#word, this.#length);
    return this.#judge(list);
  }

  #readV4(bytes: Uint8Array, from: number, to: number): boolean {
    let word = 0;
    let at = from;
    for (let octet = 0; octet < 4; octet += 1) {
      const end = decimalEnd(bytes, at, to);
      const value = decimal(bytes, at, end);
      if (value < 0 || value > 255) return false;
      word = (word * 256 + value) >>> 0;
      if (octet === 3) at = end;
      else if (bytes[end] !== DOT || end >= to) return false;
      else at = end + 1;
    }
    this.#word = word;
    this.#length = 32;
    if (at === to) return true;
    if (bytes[at] !== SLASH || decimalEnd(bytes, at + 1, to) !== to) return false;
    const length = decimal(bytes, at + 1, to);
    this.#length = length;
    return length >= 0 && length <= 32 && (length === 32 || (word << length) >>> 0 === 0);
  }

  #takeText(bytes: Uint8Array, from: number, to: number): string {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
    const cidr = parseCidr(text, { strict: true });
    if (cidr === undefined || isMapped(cidr)) return whyNot(text);
    const list = this.#lists[cidr.family];
    list.push(cidr.words, cidr.length);
    return this.#judge(list);
  }

  /** Takes the last prefix back if it may not be there. */
  #judge(list: PrefixPile): string {
    const { family, words, lengths, count } = list;
    const last = count - 1;
    const why = this.#refusal(family, words, ADDRESS_WORDS[family] * last, lengths[last] as number);
    if (why === undefined) return '';
    list.pop();
    return why;
  }

  #refuseLine(line: number, bytes: Uint8Array, why: string): void {
    this.#badCount += 1;
    if (this.#bad.length === BAD_TOLD) return;
    const text = Buffer.from(bytes.subarray(0, TOLD_LENGTH)).toString('utf8');
    this.#bad.push({ line, text, why });
  }
}

/** Such addresses are in sockets of programs, not in packets. */
export function isMapped({ family, words, length }: Cidr): boolean {
  return family === 6 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff && length >= 96;
}

/** What is wrong with text that is no prefix whose bits past its length are zero. */
export function whyNot(text: string): string {
  const loose = parseCidr(text);
  if (loose === undefined) return 'is neither an address nor a prefix';
  if (isMapped(loose)) return 'is IPv4 written as IPv6, which no packet comes from: write it as IPv4';
  const address = parseCidr(text.slice(0, text.indexOf('/')));
  const host = address === undefined ? '' : ` or ${formatAddress(address)}`;
  return `has bits set past its length: is ${formatCidr(cidrOf(loose, loose.length))}${host} meant?`;
}

/** Prefixes in the order in which they come. */
class PrefixPile {
  readonly family: Family;
  words = new Uint32Array(1024);
  lengths = new Uint8Array(256);
  count = 0;
  readonly #stride: number;

  constructor(family: Family) {
    this.family = family;
    this.#stride = ADDRESS_WORDS[family];
  }

  push1(word: number, length: number): void {
    this.#reserve();
    this.words[this.count] = word;
    this.lengths[this.count] = length;
    this.count += 1;
  }

  push(words: readonly number[], length: number): void {
    this.#reserve();
    this.words.set(words, this.#stride * this.count);
    this.lengths[this.count] = length;
    this.count += 1;
  }

  pop(): void {
    this.count -= 1;
  }

  set(): PrefixSet {
    const words = this.words.subarray(0, this.#stride * this.count);
    return PrefixSet.from(this.family, { words, lengths: this.lengths.subarray(0, this.count) });
  }

  #reserve(): void {
    if (this.count < this.lengths.length) return;
    const words = new Uint32Array(2 * this.words.length);
    words.set(this.words);
    this.words = words;
    const lengths = new Uint8Array(2 * this.lengths.length);
    lengths.set(this.lengths);
    this.lengths = lengths;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN;
}

function decimalEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && (bytes[end] as number) >= ZERO && (bytes[end] as number) <= ZERO + 9) end += 1;
  return end;
}

/** -1 = no number of one to three digits, without leading zeros. */
function decimal(bytes: Uint8Array, from: number, end: number): number {
  const digits = end - from;
  if (digits < 1 || digits > 3 || (digits > 1 && bytes[from] === ZERO)) return -1;
  let value = 0;
  for (let at = from; at < end; at += 1) value = 10 * value + (bytes[at] as number) - ZERO;
  return value;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function tooMuch(what: string, limit: number): DataplaneError {
  return new DataplaneError('LIMIT_EXCEEDED', `has more ${what} than are taken`, {
    operation: 'read',
    target: 'list of prefixes',
    expected: `at most ${limit}`,
    hint: 'nothing was changed: block shorter prefixes that contain many of them',
  });
}
