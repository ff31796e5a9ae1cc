// The regions of one policy list: a vector of rows indexed by the peer's address class, or, when the endpoint's own
// address matters too, a table of vectors indexed by the local class. Follows changes from image to image.
import type { SetId } from '../calc/resolved.ts';
import type { AddressChanges, AddressPartition } from './address-classes.ts';
import { forEachClassIn } from './class-projection.ts';
import type { Classification } from './classification.ts';
import { BASE_LOCAL } from './layout.ts';
import { type ListPrograms, referencedSetIds, widestProgram } from './list-program.ts';
import { PeerVector } from './peer-vector.ts';
import type { RegionStore } from './region-store.ts';
import { RowFactory } from './row-factory.ts';
import type { PartitionSteps } from './row-store.ts';
import type { SetIds } from './set-ids.ts';
import type { Stories } from './stories.ts';

export class ListCompiler {
  readonly #heap: RegionStore;
  readonly #rows: RowFactory;
  readonly #hasSourcePorts: boolean;
  readonly peerSets: SetIds;
  readonly localSets: SetIds;
  /** By the mentioned sets that the local address is in. */
  readonly #vectors = new Map<string, PeerVector>();
  readonly #offsets = new Map<string, number>();
  #localTable: number | undefined;
  #idLimit = 0;
  #base = 0;

  constructor(programs: ListPrograms, heap: RegionStore, stories: Stories) {
    const widest = widestProgram(programs);
    this.#heap = heap;
    this.#hasSourcePorts = widest.hasSourcePorts;
    this.#rows = new RowFactory(programs, heap, stories);
    this.peerSets = referencedSetIds(widest, 'peer');
    this.localSets = referencedSetIds(widest, 'local');
  }

  /** Policy base (enum tt_base_bits) of the image before, or of this one once it is compiled. */
  get base(): number {
    return this.#base;
  }

  /** Whether its tables have the size that class ids ask for. */
  fits({ idLimit }: AddressPartition): boolean {
    return this.#idLimit === idLimit;
  }

  /** Whether its rows hold as they are after the steps. */
  survives({ l4, sourcePorts }: PartitionSteps): boolean {
    return l4.isCompatible && (sourcePorts.isSame || !this.#hasSourcePorts);
  }

  /** Makes everything the list needs, taking rows that are there. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  compile(classification: Classification): void {
    this.#idLimit = classification.addresses.idLimit;
    this.#vector('', []);
    for (const [key, vector] of this.#vectors) this.#offsets.set(key, vector.compile(classification));
    this.#compileLocal(classification);
    this.#rows.rest();
  }

  /** Follows address classes that come and go, all of which the list's sets contain. */
  patch(changes: Pick<AddressChanges, 'added' | 'removed'>, classification: Classification): void {
    const isPeer = (sets: readonly SetId[]): boolean => sets.some((set) => this.peerSets.has(set));
    const added = changes.added.filter(({ sets }) => isPeer(sets));
    const removed = changes.removed.filter(({ sets }) => isPeer(sets));
    for (const [key, vector] of this.#vectors) {
      this.#offsets.set(key, vector.patch({ added, removed }, classification));
    }
    this.#compileLocal(classification);
    this.#rows.rest();
  }

  /** Takes all rows along the steps, and makes what leads to them. */
  carry(steps: PartitionSteps, classification: Classification): void {
    for (const vector of this.#vectors.values()) vector.carry(steps);
    this.compile(classification);
  }

  /** Gives up all regions. */
  release(): void {
    for (const vector of this.#vectors.values()) vector.release();
    this.#vectors.clear();
    if (this.#localTable !== undefined) this.#heap.release(this.#localTable);
    this.#localTable = undefined;
  }

  #compileLocal(classification: Classification): void {
    const plain = this.#offsets.get('') as number;
    this.#base = plain;
    if (this.localSets.size === 0) return;
    const { addresses } = classification;
    const table = new Uint32Array(addresses.idLimit).fill(plain);
    const inUse = new Set(['']);
    forEachClassIn(addresses, this.localSets, (local, sets) => {
      const key = sets.join();
      inUse.add(key);
      if (!this.#vectors.has(key)) this.#offsets.set(key, this.#vector(key, sets).compile(classification));
      table[local.id] = this.#offsets.get(key) as number;
    });
    for (const [key, vector] of this.#vectors) if (!inUse.has(key)) this.#drop(key, vector);
    const before = this.#localTable;
    const isNeeded = new Set(this.#offsets.values()).size > 1;
    this.#localTable = isNeeded ? this.#heap.intern(table) : undefined;
    if (before !== undefined) this.#heap.release(before);
    if (this.#localTable !== undefined) this.#base = (BASE_LOCAL | this.#localTable) >>> 0;
  }

  #vector(key: string, sets: readonly SetId[]): PeerVector {
    let vector = this.#vectors.get(key);
    if (vector === undefined) {
      vector = new PeerVector(this.#rows, sets, this.peerSets);
      this.#vectors.set(key, vector);
    }
    return vector;
  }

  #drop(key: string, vector: PeerVector): void {
    vector.release();
    this.#vectors.delete(key);
    this.#offsets.delete(key);
  }
}
