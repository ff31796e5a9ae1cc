// Where each class of a joint classification lies in the address space.
import { type Cidr, containsCidr, type Family, formatAddress } from '../../model/address.ts';
import type { JointClass, JointClassification, JointPrefix } from '../joint-classes.ts';
import { type AddressRange, type AddressRanges, BITS, rangeOf, subtract, unite } from './address-ranges.ts';

export interface Region {
  /** Owned addresses that have a prefix of their own are not cut out. */
  readonly ranges: AddressRanges;
  /** Addresses of the class, those that isOwned accepts included. */
  readonly size: bigint;
}

interface Node {
  readonly cidr: Cidr;
  readonly class: JointClass;
  /** Longer prefixes directly below. */
  readonly children: Cidr[];
}

/** The region of every class of the family; isOwned says which host addresses (as text) are an endpoint's. */
export function classRegions(
  joint: JointClassification,
  family: Family,
  isOwned: (address: string) => boolean,
): Map<JointClass, Region> {
  const ranges = new Map<JointClass, AddressRange[]>();
  const sizes = new Map<JointClass, bigint>();
  for (const node of prefixTree(joint.prefixes[family], joint.outside[family], family)) {
    const whole = rangeOf(node.cidr);
    const below = node.children.map(rangeOf);
    const covered = below.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
    sizes.set(node.class, (sizes.get(node.class) ?? 0n) + whole.last - whole.first + 1n - covered);
    const holes = below.filter((_, index) => !isOwnedHost(node.children[index] as Cidr, isOwned));
    const pieces = isOwnedHost(node.cidr, isOwned) ? [] : subtract([whole], unite(holes));
    ranges.set(node.class, [...(ranges.get(node.class) ?? []), ...pieces]);
  }
  return new Map([...sizes].map(([found, size]) => [found, { ranges: unite(ranges.get(found) ?? []), size }]));
}

/** Every prefix with its direct children; the first node is the whole space, of the class outside all prefixes. */
function prefixTree(prefixes: readonly JointPrefix[], outside: JointClass, family: Family): Node[] {
  const root: Node = { cidr: wholeSpace(family), class: outside, children: [] };
  const nodes = [root];
  const chain = [root];
  for (const { cidr, class: found } of prefixes) {
    while (chain.length > 1 && !containsCidr((chain.at(-1) as Node).cidr, cidr)) chain.pop();
    (chain.at(-1) as Node).children.push(cidr);
    const node: Node = { cidr, class: found, children: [] };
    nodes.push(node);
    chain.push(node);
  }
  return nodes;
}

function wholeSpace(family: Family): Cidr {
  return { family, words: new Array<number>(BITS[family] / 32).fill(0), length: 0 };
}

function isOwnedHost(cidr: Cidr, isOwned: (address: string) => boolean): boolean {
  return cidr.length === BITS[cidr.family] && isOwned(formatAddress(cidr));
}
