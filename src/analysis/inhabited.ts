// Which classes of a joint classification have an address at all: a prefix that longer ones cover whole has none left
// for its own class, and what holds for such a class says nothing about any packet.
import { type Cidr, containsCidr } from '../model/address.ts';
import type { JointClass, JointClassification } from './joint-classes.ts';

interface Open {
  readonly cidr: Cidr;
  readonly class: JointClass;
  /** Addresses that no longer prefix has taken so far. */
  rest: bigint;
}

/** Ids of the classes with at least one address. */
export function inhabitedClasses({ prefixes, outside }: JointClassification): ReadonlySet<number> {
  const inhabited = new Set<number>();
  for (const family of [4, 6] as const) {
    const bits = family === 4 ? 32 : 128;
    const words = Array.from({ length: bits / 32 }, () => 0);
    const root: Open = { cidr: { family, words, length: 0 }, class: outside[family], rest: 1n << BigInt(bits) };
    const chain = [root];
    const close = (): void => {
      const closed = chain.pop() as Open;
      if (closed.rest > 0n) inhabited.add(closed.class.id);
    };
    for (const { cidr, class: own } of prefixes[family]) {
      while (chain.length > 1 && !containsCidr((chain.at(-1) as Open).cidr, cidr)) close();
      const size = 1n << BigInt(bits - cidr.length);
      (chain.at(-1) as Open).rest -= size;
      chain.push({ cidr, class: own, rest: size });
    }
    while (chain.length > 0) close();
  }
  return inhabited;
}
