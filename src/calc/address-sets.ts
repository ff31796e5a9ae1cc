// Sets of addresses that rules speak of, each known by a number, and the prefixes that belong to them.
// A set lives as long as a rule uses it; a prefix belongs to a set once per reason (item, CIDR) that puts it there.
//
//   RuleScanner --acquire / release-->  AddressSets  --prefixes-->  DesiredState
//   SelectorIndex --onMatch / onMismatch-->
import { type Cidr, formatCidr } from '../model/address.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import { PrefixJournal } from './prefix-journal.ts';
import type { PrefixChanges, PrefixMembership, SetId } from './resolved.ts';

interface MutablePrefix extends PrefixMembership {
  readonly sets: Map<SetId, number>;
}

/** Identity of a prefix as a map key; a number for IPv4, because there are many. */
export function prefixKey(cidr: Cidr): string | number {
  return cidr.family === 4 ? (cidr.words[0] as number) * 64 + cidr.length : formatCidr(cidr);
}

/** Which prefixes belong to which sets. */
export class AddressSets {
  readonly #prefixes = new Map<string | number, MutablePrefix>();
  readonly #journal = new PrefixJournal(this.#prefixes);
  readonly #memberships: LimitedCount;
  #nextId = 1;

  constructor(limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#memberships = new LimitedCount('memberships', limits);
  }

  get prefixes(): ReadonlyMap<string | number, PrefixMembership> {
    return this.#prefixes;
  }

  get changes(): PrefixChanges {
    return this.#journal;
  }

  newSet(): SetId {
    return this.#nextId++;
  }

  /** Throws LIMIT_EXCEEDED. */
  add(set: SetId, cidr: Cidr): void {
    const key = prefixKey(cidr);
    let prefix = this.#prefixes.get(key);
    if (prefix === undefined) {
      prefix = { cidr, sets: new Map() };
      this.#prefixes.set(key, prefix);
    }
    const count = prefix.sets.get(set) ?? 0;
    prefix.sets.set(set, count + 1);
    if (count > 0) return;
    this.#journal.add(prefix);
    this.#memberships.add(1);
  }

  addAll(set: SetId, cidrs: Iterable<Cidr>): void {
    for (const cidr of cidrs) this.add(set, cidr);
  }

  removeAll(set: SetId, cidrs: Iterable<Cidr>): void {
    for (const cidr of cidrs) this.remove(set, cidr);
  }

  /** The exact mirror of add. */
  remove(set: SetId, cidr: Cidr): void {
    const key = prefixKey(cidr);
    const prefix = this.#prefixes.get(key);
    const count = prefix?.sets.get(set) ?? 0;
    if (prefix === undefined || count === 0) return;
    if (count > 1) {
      prefix.sets.set(set, count - 1);
      return;
    }
    prefix.sets.delete(set);
    this.#journal.add(prefix);
    this.#memberships.subtract(1);
    if (prefix.sets.size === 0) this.#prefixes.delete(key);
  }
}
