// One row for each class of peers, for one policy list and one kind of local address: the region that programs index by
// the peer's class. Follows changes of classes and partitions.
import type { SetId } from '../calc/resolved.ts';
import type { Family } from '../model/address.ts';
import type { AddressClass } from './address-class.ts';
import type { AddressChanges } from './address-classes.ts';
import { classesIn, project } from './class-projection.ts';
import type { Classification } from './list-compiler.ts';
import type { RowFactory } from './row-factory.ts';
import type { PartitionSteps, Row } from './row-store.ts';

const FAMILIES = [4, 6] as const;

export class PeerVector {
  readonly #rows: RowFactory;
  readonly #localSets: ReadonlySet<SetId>;
  readonly #peerSets: ReadonlySet<SetId>;
  /** Rows that differ from the background, by family and the mentioned sets that the peer is in. */
  readonly #byPeer = new Map<string, Row>();
  #background: Record<Family, Row> | undefined;
  #offset: number | undefined;

  /** For local addresses in these of the sets that the list mentions. */
  constructor(rows: RowFactory, localSets: ReadonlySet<SetId>, peerSets: ReadonlySet<SetId>) {
    this.#rows = rows;
    this.#localSets = localSets;
    this.#peerSets = peerSets;
  }

  /** Makes all of it; rows that are there already are taken as they are. Returns its offset. Throws TABLE_FULL. */
  compile(classification: Classification): number {
    const { addresses } = classification;
    const background = this.#background ?? this.#buildBackground(classification);
    for (const row of this.#byPeer.values()) row.users = 0;
    const vector = new Uint32Array(addresses.idLimit);
    for (let id = 0; id < vector.length; id += 1) vector[id] = background[addresses.familyOf(id)].offset;
    for (const peer of classesIn(addresses, this.#peerSets)) {
      vector[peer.id] = this.#take(peer, background[peer.family], classification).offset;
    }
    for (const [key, row] of this.#byPeer) {
      if (row.users > 0) continue;
      this.#byPeer.delete(key);
      this.#rows.release(row);
    }
    return this.#become(this.#rows.heap.intern(vector));
  }

  /** Follows classes that come and go. Only when rows and ids otherwise stay. */
  patch({ added, removed }: Pick<AddressChanges, 'added' | 'removed'>, classification: Classification): number {
    const offset = this.#offset as number;
    const background = this.#background as Record<Family, Row>;
    const words = new Map<number, number>();
    const left: string[] = [];
    for (const peer of removed) {
      const key = this.#keyOf(peer, project(peer, this.#peerSets));
      const row = this.#byPeer.get(key);
      if (row === undefined) continue;
      row.users -= 1;
      left.push(key);
      words.set(peer.id, background[peer.family].offset);
    }
    for (const peer of added) words.set(peer.id, this.#take(peer, background[peer.family], classification).offset);
    for (const key of left) {
      const row = this.#byPeer.get(key);
      if (row === undefined || row.users > 0) continue;
      this.#byPeer.delete(key);
      this.#rows.release(row);
    }
    const positions = [...words.keys()].filter((id) => this.#rows.heap.words[offset + id] !== words.get(id));
    if (positions.length === 0) return offset;
    const patch = { positions, words: positions.map((id) => words.get(id) as number) };
    return this.#become(this.#rows.heap.internPatched(offset, patch));
  }

  /** Takes all rows along the steps; compile must follow. */
  carry(steps: PartitionSteps): void {
    const background = this.#background as Record<Family, Row>;
    const carried = { 4: this.#rows.carry(background[4], steps), 6: this.#rows.carry(background[6], steps) };
    for (const [key, row] of this.#byPeer) {
      this.#byPeer.set(key, this.#rows.carry(row, steps));
      this.#rows.release(row);
    }
    for (const family of FAMILIES) this.#rows.release(background[family]);
    this.#background = carried;
  }

  release(): void {
    for (const row of this.#byPeer.values()) this.#rows.release(row);
    this.#byPeer.clear();
    if (this.#background !== undefined) for (const family of FAMILIES) this.#rows.release(this.#background[family]);
    this.#background = undefined;
    if (this.#offset !== undefined) this.#rows.heap.release(this.#offset);
    this.#offset = undefined;
  }

  /** The peer's row, with one more user. */
  #take(peer: AddressClass, background: Row, classification: Classification): Row {
    const sets = project(peer, this.#peerSets);
    const key = this.#keyOf(peer, sets);
    let row = this.#byPeer.get(key);
    if (row === undefined) {
      row = this.#rows.build(peer.family, this.#localSets, sets, background, classification);
      if (row === undefined) return background;
      this.#byPeer.set(key, row);
    }
    row.users += 1;
    return row;
  }

  #keyOf({ family }: AddressClass, sets: readonly SetId[]): string {
    return `${family}:${sets.join()}`;
  }

  #buildBackground(classification: Classification): Record<Family, Row> {
    const build = (family: Family): Row => this.#rows.buildBackground(family, this.#localSets, classification);
    const made = { 4: build(4), 6: build(6) };
    this.#background = made;
    return made;
  }

  #become(offset: number): number {
    if (this.#offset !== undefined) this.#rows.heap.release(this.#offset);
    this.#offset = offset;
    return offset;
  }
}
