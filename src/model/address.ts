// IP addresses and CIDRs as 32-bit words, so that tables can be indexed without big integers.
// Text in, canonical text out (RFC 5952 for IPv6). No resource shapes, no byte layouts.
import { formatIpText, isMasked, maskWord, parseIpText, parsePrefixText } from '../base/ip-text.ts';

export type Family = 4 | 6;

/** An address. `words` are unsigned 32-bit, most significant first: one for IPv4, four for IPv6. */
export interface IpAddress {
  readonly family: Family;
  readonly words: readonly number[];
}

/** A prefix; bits past `length` are zero. */
export interface Cidr extends IpAddress {
  readonly length: number;
}

export interface CidrOptions {
  /** Refuse text with bits set past the length instead of clearing them. */
  readonly strict?: boolean;
}

/** undefined when the text is no address. IPv4-mapped IPv6 text stays IPv6; zones are refused. */
export function parseAddress(text: string): IpAddress | undefined {
  const words = parseIpText(text);
  return words === undefined ? undefined : { family: familyOf(words), words };
}

/** `address/length`, or a bare address as /32 or /128; undefined when the text is neither. */
export function parseCidr(text: string, options?: CidrOptions): Cidr | undefined {
  const prefix = parsePrefixText(text);
  if (prefix === undefined) return undefined;
  if (isMasked(prefix)) return { family: familyOf(prefix.words), ...prefix };
  if (options?.strict === true) return undefined;
  return cidrOf({ family: familyOf(prefix.words), words: prefix.words }, prefix.length);
}

/** The prefix of that length which contains the address. */
export function cidrOf(address: IpAddress, length: number): Cidr {
  const words = address.words.map((word, index) => (word & maskWord(length, index)) >>> 0);
  return { family: address.family, words, length };
}

/** The /32 or /128 of an address. */
export function hostCidr(address: IpAddress): Cidr {
  return { family: address.family, words: address.words, length: address.family === 4 ? 32 : 128 };
}

export function formatAddress(address: IpAddress): string {
  return formatIpText(address.words);
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIpText(cidr.words)}/${cidr.length}`;
}

/** False for addresses of the other family. */
export function containsAddress(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.family !== address.family) return false;
  for (let index = 0; index * 32 < cidr.length; index++) {
    const difference = (cidr.words[index] as number) ^ (address.words[index] as number);
    if ((difference & maskWord(cidr.length, index)) !== 0) return false;
  }
  return true;
}

/** Whether every address of `inner` is in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.length <= inner.length && containsAddress(outer, inner);
}

/** IPv4 before IPv6, then by value. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family - b.family;
  for (let index = 0; index < a.words.length; index++) {
    const difference = (a.words[index] as number) - (b.words[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** By address, then shorter prefixes first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  return compareAddresses(a, b) || a.length - b.length;
}

function familyOf(words: readonly number[]): Family {
  return words.length === 1 ? 4 : 6;
}
