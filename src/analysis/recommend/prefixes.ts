// Addresses that were seen -> prefixes of a rule. Few are listed as they are; many are summarised, never by a shorter prefix
// than the bound.
import {
  type Cidr,
  cidrOf,
  compareAddresses,
  compareCidrs,
  formatAddress,
  formatCidr,
  hostCidr,
  type IpAddress,
} from '../../model/address.ts';

export interface Summarising {
  /** Lengths of the shortest prefixes that may stand for what was seen. */
  readonly bound: { readonly 4: number; readonly 6: number };
  /** So many addresses, or fewer, are listed as they are. */
  readonly listed: number;
}

export const DEFAULT_SUMMARISING: Summarising = Object.freeze({ bound: { 4: 24, 6: 64 }, listed: 8 });
export const EXACT_ADDRESSES: Summarising = Object.freeze({ bound: { 4: 32, 6: 128 }, listed: 8 });

export interface SummarisedPrefix {
  readonly cidr: Cidr;
  /** Different addresses in it that were seen. */
  readonly seen: number;
}

/** Sorted, without overlap; every address is in one. All of one family. */
export function summarise(addresses: readonly IpAddress[], { bound, listed }: Summarising): SummarisedPrefix[] {
  const known = [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
  known.sort(compareAddresses);
  if (known.length <= listed) return joinHalves(known.map((address) => ({ cidr: hostCidr(address), seen: 1 })));
  const blocks = new Map<string, IpAddress[]>();
  for (const address of known) {
    const key = formatCidr(cidrOf(address, bound[address.family]));
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, [address]);
    else block.push(address);
  }
  return joinHalves([...blocks.values()].map((block) => ({ cidr: commonPrefix(block), seen: block.length })));
}

/** Addresses that the prefixes cover and nobody was seen at. */
export function unseenAddresses(prefixes: readonly SummarisedPrefix[]): number {
  return prefixes.reduce((sum, { cidr, seen }) => sum + 2 ** (cidr.words.length * 32 - cidr.length) - seen, 0);
}

/** Whole halves become what they are halves of: that covers nothing more. */
function joinHalves(prefixes: readonly SummarisedPrefix[]): SummarisedPrefix[] {
  const joined: SummarisedPrefix[] = [];
  for (const prefix of [...prefixes].sort((a, b) => compareCidrs(a.cidr, b.cidr))) {
    let next = prefix;
    for (let last = joined.at(-1); last !== undefined && areHalves(last.cidr, next.cidr); last = joined.at(-1)) {
      joined.pop();
      next = { cidr: cidrOf(last.cidr, last.cidr.length - 1), seen: last.seen + next.seen };
    }
    joined.push(next);
  }
  return joined;
}

function areHalves(a: Cidr, b: Cidr): boolean {
  if (a.length !== b.length || a.length === 0) return false;
  return compareCidrs(cidrOf(a, a.length - 1), cidrOf(b, b.length - 1)) === 0;
}

function commonPrefix(addresses: readonly IpAddress[]): Cidr {
  const [first] = addresses as readonly [IpAddress];
  const isCommon = (length: number): boolean => {
    const cidr = cidrOf(first, length);
    return addresses.every((address) => compareAddresses(cidrOf(address, length), cidr) === 0);
  };
  let length = first.words.length * 32;
  while (!isCommon(length)) length -= 1;
  return cidrOf(first, length);
}
