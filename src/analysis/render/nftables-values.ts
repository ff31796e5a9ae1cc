// Single values as nftables spells them.
import type { PortRange } from '../../calc/resolved.ts';
import { type Cidr, formatAddress, formatCidr } from '../../model/address.ts';

/** A host address without its length. */
export function prefixText(cidr: Cidr): string {
  return cidr.length === cidr.words.length * 32 ? formatAddress(cidr) : formatCidr(cidr);
}

export function rangeText({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
