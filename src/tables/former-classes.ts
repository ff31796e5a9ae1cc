// Address classes keep the ids that another process gave them: found again at addresses of theirs, before anybody else takes
// an id, because one id that goes to another class has every table with either of them made anew.
import type { SetId } from '../calc/resolved.ts';
import type { Cidr, Family, IpAddress } from '../model/address.ts';
import { mergeSets } from './address-class.ts';
import type { ClassPool } from './class-pool.ts';
import { requireWithin, type TableLimits } from './limits.ts';
import type { OrderedPrefixes } from './ordered-prefixes.ts';
import { ownAddress } from './own-address.ts';

/** How another process numbered classes. */
export interface FormerClasses {
  readonly families: readonly Family[];
  idOf(address: IpAddress): number;
}

interface Open {
  readonly cidr: Cidr;
  readonly sets: readonly SetId[];
}

/**
 * Takes the class of every prefix that has addresses of its own, with the id it had there if that is free. Returns the
 * classes taken, once for each time: the caller releases them when the prefixes have theirs. Throws LIMIT_EXCEEDED.
 */
export function takeFormerClasses(
  pool: ClassPool,
  ordered: OrderedPrefixes,
  former: FormerClasses,
  limits: TableLimits,
): number[] {
  const taken: number[] = [];
  const chain: Open[] = [];
  let pairs = 0;
  for (let position = 0; position < ordered.count; position += 1) {
    const { cidr, sets } = ordered.memberAt(position);
    while (chain.length > 0 && !ordered.isUnder(position, (chain.at(-1) as Open).cidr)) chain.pop();
    const merged = mergeSets(chain.at(-1)?.sets ?? [], sets.keys());
    pairs += merged.length;
    requireWithin('prefixSets', pairs, limits);
    chain.push({ cidr, sets: merged });
    const own = ownAddress(ordered, position);
    if (own !== undefined) taken.push(pool.take(cidr.family, merged, former.idOf(own)).id);
  }
  return taken;
}
