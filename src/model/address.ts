// IP addresses and CIDRs as 32-bit words, so that tables can be indexed without big integers.
// Text in, canonical text out (RFC 5952 for IPv6). No resource shapes, no byte layouts.

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
