// One row for each class of peers, for one policy list and one kind of local address: the region that programs index by
// the peer's class. Follows changes of classes and partitions.
import type { SetId } from '../calc/resolved.ts';
import type { Family } from '../model/address.ts';
import type { AddressClass } from './address-class.ts';
import type { AddressChanges } from './address-classes.ts';
import { forEachClassIn, project } from './class-projection.ts';
import type { Classification } from './classification.ts';
import type { RowFactory } from './row-factory.ts';
import type { PartitionSteps, Row } from './row-store.ts';
import { FewSets, type HeldSets, type SetIds } from './set-ids.ts';

const FAMILIES = [4, 6] as const;

export class PeerVector {
  readonly #rows: RowFactory;
  readonly #localSets: HeldSets;
  readonly #peerSets: SetIds;
  /** Rows that differ from the background, by family and the mentioned sets that the peer is in. */
  readonly #byPeer = new Map<PeerKey, Row>();
  #background: Record<Family, Row> | undefined;
  #offset: number | undefined;

  /** For local addresses in these of the sets that the list mentions. */
  constructor(rows: RowFactory, localSets: readonly SetId[], peerSets: SetIds) {
    this.#rows = rows;
    this.#localSets = new FewSets(localSets);
    this.#peerSets = peerSets;
  }

  /** Makes all of it; rows that are there already are taken as they are. Returns its offset. Throws TABLE_FULL. */
  compile(classification: Classification): number {
    const { addresses } = classification;
    const background = this.#background ?? this.#buildBackground(classification);
    for (const row of this.#byPeer.values()) row.users = 0;
    const vector = new Uint32Array(addresses.idLimit);
    for (let id = 0; id < vector.length; id += 1) vector[id] = background[addresses.familyOf(id)].offset;
    forEachClassIn(addresses, this.#peerSets, (peer, held) => {
      vector[peer.id] = this.#take(peer, held, background[peer.family], classification).offset;
    });
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
    const left: PeerKey[] = [];
    for (const peer of removed) {
      const key = keyOf(peer, project(peer, this.#peerSets));
      const row = this.#byPeer.get(key);
      if (row === undefined) continue;
      row.users -= 1;
      left.push(key);
      words.set(peer.id, background[peer.family].offset);
    }
    for (const peer of added) {
      const held = project(peer, this.#peerSets);
      words.set(peer.id, this.#take(peer, held, background[peer.family], classification).offset);
    }
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

  /** The row of a peer in these sets, with one more user. */
  #take(peer: AddressClass, held: readonly SetId[], background: Row, classification: Classification): Row {
    const key = keyOf(peer, held);
    let row = this.#byPeer.get(key);
    if (row === undefined) {
      row = this.#rows.build(peer.family, this.#localSets, new FewSets(held), background, classification);
      if (row === undefined) return background;
      this.#byPeer.set(key, row);
    }
    row.users += 1;
    return row;
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

/** A family and sets: as a number where there is one set, which is quicker and smaller than text. */
type PeerKey = number | string;

function keyOf({ family }: AddressClass, sets: readonly SetId[]): PeerKey {
  return sets.length === 1 ? 2 * (sets[0] as SetId) + (family === 6 ? 1 : 0) : `${family}:${sets.join()}`;
}
