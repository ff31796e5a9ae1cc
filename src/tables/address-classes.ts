// Divides addresses into classes: two addresses are in one class when every set in use contains both or neither.
// Families never share a class. Follows changes of prefixes: work in proportion to those that a change is about, and
// those under them.

import type { DesiredState, PrefixChanges, PrefixMembership, SetId } from '../calc/resolved.ts';
import { type Cidr, compareCidrs, type Family } from '../model/address.ts';
import { type AddressClass, mergeSets } from './address-class.ts';
import { ClassPool } from './class-pool.ts';
import { type FormerClasses, takeFormerClasses } from './former-classes.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';
import { NO_CLASS, OrderedPrefixes } from './ordered-prefixes.ts';

const FAMILIES = [4, 6] as const;

/** Addresses under the prefix belong to the class, unless a longer prefix says otherwise. */
export interface ClassifiedPrefix {
  readonly cidr: Cidr;
  readonly class: AddressClass;
}

/** Valid until the next update. */
export interface AddressPartition {
  /** Class of every address that no prefix covers. */
  readonly outside: Readonly<Record<Family, AddressClass>>;
  /** Each after all prefixes that contain it; within a family ordered by address, then length. */
  readonly prefixes: Readonly<Record<Family, readonly ClassifiedPrefix[]>>;
  /** By id. */
  readonly classes: readonly AddressClass[];
  readonly classCount: number;
  /** Class ids are below this. */
  readonly idLimit: number;
  /** Of a class id, whether it is in use or not. */
  familyOf(id: number): Family;
  /** Classes in the set. */
  inSet(set: SetId): readonly AddressClass[];
}

/** What an update changed. */
export interface AddressChanges {
  readonly added: readonly AddressClass[];
  readonly removed: readonly AddressClass[];
  /** Prefixes that are new, gone, or of another class, in order; undefined = look at all. */
  readonly prefixes: Readonly<Record<Family, readonly Cidr[] | undefined>>;
}

export class AddressClasses {
  readonly #limits: TableLimits;
  readonly #pool: ClassPool;
  #outside: Record<Family, AddressClass>;
  readonly #ordered: Record<Family, OrderedPrefixes> = { 4: new OrderedPrefixes(4), 6: new OrderedPrefixes(6) };
  /** Pairs of a prefix and a set that contains it. */
  #pairs = 0;
  /** What the prefixes are up to date with. */
  #source: PrefixChanges | undefined;
  #revision = 0;
  /** Until something is committed. */
  #adopted: FormerClasses | undefined;

  constructor(limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#limits = limits;
    this.#pool = new ClassPool(limits);
    this.#outside = { 4: this.#pool.take(4, []), 6: this.#pool.take(6, []) };
  }

  /** Prefixes in their order, with class ids. */
  get ordered(): Readonly<Record<Family, OrderedPrefixes>> {
    return this.#ordered;
  }

  /** Ids go on from those that another process gave. Only before the first update. */
  adopt(former: FormerClasses): void {
    this.#adopted = former;
    this.#pool.adopt(former.families);
  }

  /** The partition for these prefixes and no others. Throws LIMIT_EXCEEDED. */
  update(memberships: Iterable<PrefixMembership>): AddressPartition {
    try {
      this.#replaceAll(memberships);
    } catch (error) {
      this.rollBack();
      throw error;
    }
    this.#source = undefined;
    this.commit();
    return this.#partition();
  }

  /** Brings the partition to the desired state, by what changed if that is known. Throws LIMIT_EXCEEDED. */
  follow({ prefixes, prefixChanges }: DesiredState): { partition: AddressPartition; changes: AddressChanges } {
    const changed = prefixChanges === this.#source ? prefixChanges?.since(this.#revision) : undefined;
    this.#source = undefined;
    const dirty = changed === undefined ? this.#replaceAll(prefixes.values()) : this.#change(changed);
    this.#source = prefixChanges;
    this.#revision = prefixChanges?.revision ?? 0;
    const changes = { added: this.#pool.added(), removed: this.#pool.removed(), prefixes: dirty };
    return { partition: this.#partition(), changes };
  }

  /** The partition is in force. */
  commit(): void {
    this.#pool.settle();
    this.#adopted = undefined;
  }

  /** The image that the partition was for comes to nothing: starts anew, with the ids of the one in force. */
  rollBack(): void {
    this.#pool.rollBack();
    this.#outside = { 4: this.#pool.take(4, []), 6: this.#pool.take(6, []) };
    for (const family of FAMILIES) this.#ordered[family].replaceAll([]);
    this.#pairs = 0;
    this.#source = undefined;
  }

  #partition(): AddressPartition {
    const pool = this.#pool;
    const prefixesOf = (family: Family): ClassifiedPrefix[] => this.#classified(family);
    return {
      outside: this.#outside,
      get prefixes() {
        return { 4: prefixesOf(4), 6: prefixesOf(6) };
      },
      get classes() {
        return pool.inUse();
      },
      classCount: pool.count,
      idLimit: pool.idLimit,
      familyOf: (id) => pool.familyOf(id),
      inSet: (set) => pool.inSet(set),
    };
  }

  #classified(family: Family): ClassifiedPrefix[] {
    const ordered = this.#ordered[family];
    return Array.from({ length: ordered.count }, (_, position) => ({
      cidr: ordered.memberAt(position).cidr,
      class: this.#pool.get(ordered.classAt(position)),
    }));
  }

  #replaceAll(memberships: Iterable<PrefixMembership>): AddressChanges['prefixes'] {
    const byFamily: Record<Family, PrefixMembership[]> = { 4: [], 6: [] };
    for (const membership of memberships) byFamily[membership.cidr.family].push(membership);
    this.#pairs = 0;
    for (const family of FAMILIES) {
      const ordered = this.#ordered[family];
      for (let position = 0; position < ordered.count; position += 1) this.#pool.release(ordered.classAt(position));
      ordered.replaceAll(byFamily[family]);
      const former = this.#adopted && takeFormerClasses(this.#pool, ordered, this.#adopted, this.#limits);
      this.#classify(ordered, 0, ordered.count, undefined);
      for (const id of former ?? []) this.#pool.release(id);
    }
    return { 4: undefined, 6: undefined };
  }

  #change(changed: readonly PrefixMembership[]): AddressChanges['prefixes'] {
    const byFamily: Record<Family, PrefixMembership[]> = { 4: [], 6: [] };
    for (const membership of changed) byFamily[membership.cidr.family].push(membership);
    return { 4: this.#changeFamily(4, byFamily[4]), 6: this.#changeFamily(6, byFamily[6]) };
  }

  #changeFamily(family: Family, changed: readonly PrefixMembership[]): Cidr[] {
    const ordered = this.#ordered[family];
    const latest = latestOf(changed);
    const added = latest.filter(({ sets }) => sets.size > 0);
    const gone: Cidr[] = [];
    for (const { cidr, sets } of latest) {
      const position = sets.size > 0 ? undefined : ordered.find(cidr);
      if (position === undefined) continue;
      this.#giveUp(ordered.classAt(position));
      gone.push(cidr);
    }
    ordered.change(added, gone);
    const dirty = [...gone];
    let done = 0;
    for (const { cidr } of latest) {
      const first = ordered.lowerBound(cidr.words, cidr.length);
      let end = first;
      while (end < ordered.count && ordered.isUnder(end, cidr)) end += 1;
      // Ranges of prefixes lie within each other or apart: what was done with a wider one is done.
      if (end <= done) continue;
      this.#classify(ordered, first, end, ordered.around(cidr), dirty);
      done = end;
    }
    return gone.length > 0 ? dirty.sort(compareCidrs) : dirty;
  }

  #giveUp(id: number): void {
    this.#pairs -= this.#pool.get(id).sets.length;
    this.#pool.release(id);
  }

  /**
   * Classifies all prefixes under one, which lie from one position to another; `around` is the longest that contains it.
   * Those whose class changes are added to `dirty`.
   */
  #classify(ordered: OrderedPrefixes, first: number, end: number, around: number | undefined, dirty?: Cidr[]): void {
    const chain = around === undefined ? [] : [around];
    for (let position = first; position < end; position += 1) {
      const { cidr, sets } = ordered.memberAt(position);
      while (chain.length > 0 && !ordered.isUnder(position, ordered.memberAt(chain.at(-1) as number).cidr)) chain.pop();
      const outer = chain.length === 0 ? undefined : this.#pool.get(ordered.classAt(chain.at(-1) as number));
      const before = ordered.classAt(position);
      const taken = this.#pool.take(cidr.family, mergeSets(outer?.sets ?? [], sets.keys()));
      this.#pairs += taken.sets.length;
      if (before !== NO_CLASS) this.#giveUp(before);
      requireWithin('prefixSets', this.#pairs, this.#limits);
      ordered.setClass(position, taken.id);
      if (taken.id !== before) dirty?.push(cidr);
      chain.push(position);
    }
  }
}

/** Each prefix once, in order: as it is now. */
function latestOf(changed: readonly PrefixMembership[]): PrefixMembership[] {
  const latest: PrefixMembership[] = [];
  for (const membership of [...changed].sort((a, b) => compareCidrs(a.cidr, b.cidr))) {
    const last = latest.at(-1);
    if (last === undefined || compareCidrs(last.cidr, membership.cidr) !== 0) latest.push(membership);
    else if (membership.sets.size > 0) latest[latest.length - 1] = membership;
  }
  return latest;
}
