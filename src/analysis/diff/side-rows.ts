// What one policy list allows towards every group of peers, evaluated once for each kind of peer that it can tell apart.
import type { SetId } from '../../calc/resolved.ts';
import { type ListProgram, referencedSets } from '../../tables/list-program.ts';
import type { Partition } from '../../tables/number-classes.ts';
import type { JointClass } from '../joint-classes.ts';
import { allowedClasses } from '../walk.ts';
import type { AddressGroup } from './address-groups.ts';
import { type ListCatalog, NO_POLICY } from './catalog.ts';
import type { PacketSetId, PacketSpace } from './packet-space.ts';

/** Packets allowed to or from each group: `usual` for all groups that are not in `others`. */
export interface SideRow {
  readonly usual: PacketSetId;
  readonly others: ReadonlyMap<number, PacketSetId>;
}

interface KnownList {
  readonly peerSets: readonly SetId[];
  readonly localSets: ReadonlySet<SetId>;
  readonly rows: Map<string, SideRow>;
}

export class SideRows {
  readonly #groups: readonly AddressGroup[];
  readonly #catalog: ListCatalog;
  readonly #l4: Partition;
  readonly #space: PacketSpace;
  readonly #lists = new Map<number, KnownList>();
  readonly #members: readonly ReadonlyMap<SetId, SetMembers>[];
  /** Kind of peer of each group while one row is computed, 0 in between. */
  readonly #kinds: Int32Array;
  readonly #anything: SideRow;

  /** Rows over these groups, all of one family. */
  constructor(groups: readonly AddressGroup[], catalog: ListCatalog, l4: Partition, space: PacketSpace) {
    this.#groups = groups;
    this.#catalog = catalog;
    this.#l4 = l4;
    this.#space = space;
    this.#members = [0, 1].map((state) => membersBySet(groups, state));
    this.#kinds = new Int32Array(groups.length);
    this.#anything = { usual: space.everything, others: new Map() };
  }

  /** The row of a list for an endpoint address of the class. */
  row(listId: number, local: JointClass): SideRow {
    if (listId === NO_POLICY) return this.#anything;
    const { program, state } = this.#catalog.listOf(listId);
    const list = this.#list(listId, program);
    const localSets = [...(local.sets[state] ?? [])].filter((set) => list.localSets.has(set)).sort((a, b) => a - b);
    const key = localSets.join();
    const known = list.rows.get(key);
    if (known !== undefined) return known;
    const row = this.#evaluate(program, state, new Set(localSets), list.peerSets);
    list.rows.set(key, row);
    return row;
  }

  #list(id: number, program: ListProgram): KnownList {
    const known = this.#lists.get(id);
    if (known !== undefined) return known;
    const list: KnownList = {
      peerSets: [...referencedSets(program, 'peer')].sort((a, b) => a - b),
      localSets: referencedSets(program, 'local'),
      rows: new Map(),
    };
    this.#lists.set(id, list);
    return list;
  }

  #evaluate(program: ListProgram, state: number, localSets: ReadonlySet<SetId>, peerSets: readonly SetId[]): SideRow {
    const { kinds, touched } = this.#divide(state, peerSets);
    const values = kinds.map(({ sets, size }) => (size === 0 ? -1 : this.#allowed(program, localSets, new Set(sets))));
    const usual = mostFrequent(values, kinds);
    const others = new Map<number, PacketSetId>();
    const isBackgroundUsual = kinds[0]?.size === 0 || values[0] === usual;
    for (const group of isBackgroundUsual ? touched : this.#groups.keys()) {
      const value = values[this.#kinds[group] as number] as PacketSetId;
      if (value !== usual) others.set(group, value);
    }
    for (const group of touched) this.#kinds[group] = 0;
    return { usual, others };
  }

  /** Fills #kinds: two groups are of one kind when they are in the same of these sets; 0 = in the large ones only. */
  #divide(state: number, peerSets: readonly SetId[]): { kinds: Kind[]; touched: readonly number[] } {
    const membersOf = (set: SetId): SetMembers => this.#members[state]?.get(set) ?? NO_MEMBERS;
    const kinds: Kind[] = [{ sets: peerSets.filter((set) => membersOf(set).isLarge), size: this.#groups.length }];
    const touched: number[] = [];
    for (const set of peerSets) {
      const moved = new Map<number, number>();
      for (const group of membersOf(set).exceptions) {
        const from = this.#kinds[group] as number;
        if (from === 0) touched.push(group);
        let to = moved.get(from);
        if (to === undefined) {
          to = kinds.length;
          kinds.push({ sets: toggled((kinds[from] as Kind).sets, set), size: 0 });
          moved.set(from, to);
        }
        (kinds[from] as Kind).size -= 1;
        (kinds[to] as Kind).size += 1;
        this.#kinds[group] = to;
      }
    }
    return { kinds, touched };
  }

  #allowed(program: ListProgram, local: ReadonlySet<SetId>, peer: ReadonlySet<SetId>): PacketSetId {
    const { family, wordsPerSlice, sourceExamples } = this.#space;
    const bits = new Uint32Array(wordsPerSlice * sourceExamples.length);
    const allowedFrom = (sourcePort: number | undefined): Uint32Array =>
      allowedClasses(program, { family, sets: { local, peer }, sourcePort }, this.#l4);
    const any = program.hasSourcePorts ? undefined : allowedFrom(undefined);
    for (const [slice, port] of sourceExamples.entries()) bits.set(any ?? allowedFrom(port), slice * wordsPerSlice);
    return this.#space.intern(bits);
  }
}

interface Kind {
  readonly sets: readonly SetId[];
  size: number;
}

/** A set of groups as those that are in it or, of a large one, that are not. */
interface SetMembers {
  readonly isLarge: boolean;
  readonly exceptions: readonly number[];
}

const NO_MEMBERS: SetMembers = { isLarge: false, exceptions: [] };

function membersBySet(groups: readonly AddressGroup[], state: number): Map<SetId, SetMembers> {
  const bySet = new Map<SetId, number[]>();
  for (const { index, class: found } of groups) {
    for (const set of found.sets[state] ?? []) {
      const inSet = bySet.get(set);
      if (inSet === undefined) bySet.set(set, [index]);
      else inSet.push(index);
    }
  }
  const members = ([set, inside]: [SetId, number[]]): [SetId, SetMembers] => {
    if (inside.length * 2 <= groups.length) return [set, { isLarge: false, exceptions: inside }];
    const present = new Set(inside);
    return [set, { isLarge: true, exceptions: [...groups.keys()].filter((group) => !present.has(group)) }];
  };
  return new Map([...bySet].map(members));
}

function toggled(sets: readonly SetId[], set: SetId): readonly SetId[] {
  return sets.includes(set) ? sets.filter((other) => other !== set) : [...sets, set];
}

function mostFrequent(values: readonly PacketSetId[], kinds: readonly Kind[]): PacketSetId {
  const counts = new Map<PacketSetId, number>();
  for (const [index, { size }] of kinds.entries()) {
    const value = values[index] as PacketSetId;
    if (size > 0) counts.set(value, (counts.get(value) ?? 0) + size);
  }
  let best: [PacketSetId, number] = [-1, -1];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best[0];
}
