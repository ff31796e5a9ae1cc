// The address classes there are: one for each combination of sets, found by its sets, counted by the prefixes that have
// it. Classes without users stay, and keep their ids, until the image that does without them is in force.
import type { SetId } from '../calc/resolved.ts';
import type { Family } from '../model/address.ts';
import type { AddressClass } from './address-class.ts';
import { AddressIds } from './address-ids.ts';
import { FewMap } from './few-map.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';

interface CountedClass extends AddressClass {
  readonly hash: number;
  users: number;
}

export class ClassPool {
  readonly #limits: TableLimits;
  readonly #ids = new AddressIds();
  readonly #byHash = new FewMap<number, CountedClass>();
  readonly #byId: (CountedClass | undefined)[] = [];
  readonly #bySet = new FewMap<SetId, CountedClass>();
  /** Since settle. */
  readonly #made = new Set<CountedClass>();
  readonly #unused = new Set<CountedClass>();
  #used = 0;

  constructor(limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#limits = limits;
  }

  /** Class ids are below this. */
  get idLimit(): number {
    return this.#ids.limit;
  }

  familyOf(id: number): Family {
    return this.#ids.familyOf(id);
  }

  /** Classes that have users. */
  get count(): number {
    return this.#used;
  }

  /** By id. */
  inUse(): AddressClass[] {
    return this.#byId.filter((each) => each !== undefined && each.users > 0) as AddressClass[];
  }

  get(id: number): AddressClass {
    return this.#byId[id] as CountedClass;
  }

  /** Classes with users that are in the set. */
  inSet(set: SetId): readonly AddressClass[] {
    const all = this.#bySet.get(set);
    return all.every(({ users }) => users > 0) ? all : all.filter(({ users }) => users > 0);
  }

  /** Ids go on from the blocks of another process. Only before the first image. */
  adopt(families: readonly Family[]): void {
    this.#ids.adopt(families);
  }

  /** The class of these sets, ascending, with one more user; a new one gets `wantedId` if that is free. Throws LIMIT_EXCEEDED. */
  take(family: Family, sets: readonly SetId[], wantedId?: number): AddressClass {
    const hash = hashOf(family, sets);
    const found = this.#byHash.get(hash).find((each) => each.family === family && isSame(each.sets, sets));
    const taken = found ?? this.#make(family, sets, hash, wantedId);
    this.#use(taken);
    return taken;
  }

  /** One more user of a class that has some. */
  retain(id: number): void {
    this.#use(this.#byId[id] as CountedClass);
  }

  release(id: number): void {
    const known = this.#byId[id] as CountedClass;
    known.users -= 1;
    if (known.users > 0) return;
    this.#used -= 1;
    this.#unused.add(known);
  }

  /** Takes all users away: the classes of the image in force stay, to be taken again. */
  releaseAll(): void {
    for (const known of this.#byId) {
      if (known === undefined) continue;
      known.users = 0;
      this.#unused.add(known);
    }
    this.#used = 0;
  }

  /** Classes that have users since settle, and had none at that time. */
  added(): AddressClass[] {
    return [...this.#made].filter(({ users }) => users > 0);
  }

  /** Classes that had users at settle and have none now. */
  removed(): AddressClass[] {
    return [...this.#unused].filter((known) => known.users === 0 && !this.#made.has(known));
  }

  /** The classes in use are those of the image in force: ids of others can be given away. */
  settle(): void {
    const gone = [...this.#unused].filter(({ users }) => users === 0);
    for (const known of gone) this.#forget(known);
    this.#ids.give(gone.map(({ id }) => id));
    this.#unused.clear();
    this.#made.clear();
  }

  /** Back to the classes at settle, without users. */
  rollBack(): void {
    for (const known of this.#made) this.#forget(known);
    this.#ids.give([...this.#made].map(({ id }) => id));
    for (const known of this.#made) this.#unused.delete(known);
    this.#made.clear();
    this.releaseAll();
  }

  #make(family: Family, sets: readonly SetId[], hash: number, wantedId: number | undefined): CountedClass {
    const made: CountedClass = { id: this.#ids.take(family, wantedId), family, sets, hash, users: 0 };
    this.#byHash.add(hash, made);
    this.#byId[made.id] = made;
    for (const set of made.sets) this.#bySet.add(set, made);
    this.#made.add(made);
    return made;
  }

  #use(known: CountedClass): void {
    if (known.users === 0) {
      this.#used += 1;
      this.#unused.delete(known);
      requireWithin('addressClasses', this.#used, this.#limits);
    }
    known.users += 1;
  }

  #forget(known: CountedClass): void {
    this.#byHash.remove(known.hash, known);
    this.#byId[known.id] = undefined;
    for (const set of known.sets) this.#bySet.remove(set, known);
  }
}

function hashOf(family: Family, sets: readonly SetId[]): number {
  let hash: number = family;
  for (const set of sets) {
    hash = Math.imul(hash ^ set, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isSame(a: readonly SetId[], b: readonly SetId[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
