// The regions of one policy list: a vector of rows indexed by the peer's address class, or, when the endpoint's own
// address matters too, a table of vectors indexed by the local class. Rows are kept from image to image.
import type { SetId } from '../calc/resolved.ts';
import type { AddressClass, AddressPartition } from './address-classes.ts';
import { BASE_LOCAL, PAGE_WORDS, WORD } from './layout.ts';
import { type ListPrograms, referencedSets, widestProgram } from './list-program.ts';
import type { Partition } from './number-classes.ts';
import type { PartitionStep } from './partition-step.ts';
import type { RegionStore } from './region-store.ts';
import { buildRow } from './row-builder.ts';
import type { RowKey } from './rule-hits.ts';
import type { Stories } from './stories.ts';

/** The parts of an image that lists are compiled against. */
export interface Classification {
  readonly addresses: AddressPartition;
  readonly l4: Partition;
  readonly sourcePorts: Partition;
}

/** Changes of the number partitions that a list's own rules do not see. */
export interface PartitionSteps {
  readonly l4: PartitionStep;
  readonly sourcePorts: PartitionStep;
}

/** A row in the heap: its page table, and what must be kept alive with it. */
interface Row {
  readonly offset: number;
  readonly pages: number;
  readonly regions: readonly number[];
  readonly storyIds: readonly number[];
  image: number;
}

export class ListCompiler {
  readonly #programs: ListPrograms;
  readonly #hasSourcePorts: boolean;
  readonly #heap: RegionStore;
  readonly #stories: Stories;
  readonly #peerSets: ReadonlySet<SetId>;
  readonly #localSets: ReadonlySet<SetId>;
  /** By local projection, family, peer projection. */
  readonly #rows = new Map<string, Row>();
  #image = 0;
  #steps: PartitionSteps | undefined;

  constructor(programs: ListPrograms, heap: RegionStore, stories: Stories) {
    const widest = widestProgram(programs);
    this.#programs = programs;
    this.#hasSourcePorts = widest.hasSourcePorts;
    this.#heap = heap;
    this.#stories = stories;
    this.#peerSets = referencedSets(widest, 'peer');
    this.#localSets = referencedSets(widest, 'local');
  }

  /**
   * Interns everything the list needs and returns its policy base (enum tt_base_bits). Rows of the image before are
   * kept: as they are, or along the steps from its partitions to these. Port sets must be those of the image before.
   */
  compile(classification: Classification, steps?: PartitionSteps): number {
    this.#image += 1;
    this.#steps = steps;
    const { addresses } = classification;
    const vectors = new Map<string, number>();
    const localTable = new Uint32Array(addresses.idLimit);
    const plain = this.#vector(new Set(), '', classification);
    vectors.set('', plain);
    localTable.fill(plain);
    for (const local of classesIn(addresses, this.#localSets)) {
      const sets = project(local, this.#localSets);
      const key = sets.join();
      let vector = vectors.get(key);
      if (vector === undefined) {
        vector = this.#vector(new Set(sets), key, classification);
        vectors.set(key, vector);
      }
      localTable[local.id] = vector;
    }
    for (const [key, row] of this.#rows) if (row.image !== this.#image) this.#rows.delete(key);
    if (new Set(vectors.values()).size === 1) return plain;
    return (BASE_LOCAL | this.#heap.intern(localTable)) >>> 0;
  }

  #vector(localSets: ReadonlySet<SetId>, localKey: string, classification: Classification): number {
    const { addresses } = classification;
    const vector = new Uint32Array(addresses.idLimit);
    const background = {
      4: this.#row({ family: 4, localSets, localKey, peerSets: [] }, classification),
      6: this.#row({ family: 6, localSets, localKey, peerSets: [] }, classification),
    };
    for (const peer of addresses.classes) vector[peer.id] = background[peer.family];
    for (const peer of classesIn(addresses, this.#peerSets)) {
      const peerSets = project(peer, this.#peerSets);
      vector[peer.id] = this.#row({ family: peer.family, localSets, localKey, peerSets }, classification);
    }
    return this.#heap.intern(vector);
  }

  #row(parts: RowParts, classification: Classification): number {
    const key = `${parts.localKey}|${parts.family}|${parts.peerSets.join()}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#buildRow(parts, classification);
      this.#rows.set(key, row);
    } else if (row.image !== this.#image) {
      for (const id of row.storyIds) this.#stories.keep(id);
      row.image = this.#image;
      if (this.#steps === undefined) for (const region of row.regions) this.#heap.touch(region);
      else {
        row = this.#carryRow(row, this.#steps);
        this.#rows.set(key, row);
      }
    }
    return row.offset;
  }

  #carryRow({ offset, pages, storyIds }: Row, { l4, sourcePorts }: PartitionSteps): Row {
    const regions: number[] = [];
    const words = l4.carry(this.#unpack(offset, pages));
    for (const id of l4.after.ids) {
      const word = words[id] as number;
      if (word & WORD.SOURCE_PORT) words[id] = this.#carryTable(word, sourcePorts, regions);
    }
    return { ...this.#pack(words, regions), storyIds, image: this.#image };
  }

  /** The word that leads to the same words by source-port class, in the later partition. */
  #carryTable(word: number, sourcePorts: PartitionStep, regions: number[]): number {
    const table = this.#heap.words.subarray(word >>> WORD.ID_SHIFT);
    const offset = this.#heap.intern(sourcePorts.carry(table));
    regions.push(offset);
    return (WORD.SOURCE_PORT | (offset << WORD.ID_SHIFT)) >>> 0;
  }

  /** Words by layer-4 class, as pages hold them. */
  #unpack(offset: number, pages: number): Uint32Array {
    const words = new Uint32Array(pages * PAGE_WORDS);
    for (let page = 0; page < pages; page += 1) {
      const at = this.#heap.words[offset + page] as number;
      words.set(this.#heap.words.subarray(at, at + PAGE_WORDS), page * PAGE_WORDS);
    }
    return words;
  }

  #pack(row: Uint32Array, regions: number[]): Pick<Row, 'offset' | 'pages' | 'regions'> {
    const pageTable = new Uint32Array(Math.max(1, Math.ceil(row.length / PAGE_WORDS)));
    for (let page = 0; page < pageTable.length; page += 1) {
      const content = new Uint32Array(PAGE_WORDS);
      content.set(row.subarray(page * PAGE_WORDS, (page + 1) * PAGE_WORDS));
      pageTable[page] = this.#heap.intern(content);
      regions.push(pageTable[page] as number);
    }
    const offset = this.#heap.intern(pageTable);
    return { offset, pages: pageTable.length, regions: [...regions, offset] };
  }

  #buildRow({ family, localSets, peerSets }: RowParts, { l4, sourcePorts }: Classification): Row {
    const key = { family, sets: { local: localSets, peer: new Set(peerSets) } };
    const regions: number[] = [];
    const words = new Set<number>();
    const build = (sourcePort: number | undefined): Uint32Array => {
      const row = this.#words({ ...key, sourcePort }, l4);
      for (const word of row) words.add(word);
      return row;
    };
    const row = this.#hasSourcePorts ? this.#joinSourcePorts(build, sourcePorts, regions) : build(undefined);
    const storyIds = [...words].map((word) => word >>> WORD.ID_SHIFT);
    return { ...this.#pack(row, regions), storyIds: [...new Set(storyIds)], image: this.#image };
  }

  /** The words in force; where staged policies govern, their trace ids tell what those would do as well. */
  #words(key: RowKey, l4: Partition): Uint32Array {
    const { enforced, pending } = this.#programs;
    const words = buildRow(enforced, key, l4, this.#stories);
    if (pending === undefined) return words;
    const pendingWords = buildRow(pending, key, l4, this.#stories);
    const flags = (1 << WORD.ID_SHIFT) - 1;
    for (const id of l4.ids) {
      const word = words[id] as number;
      const both = this.#stories.pair(word >>> WORD.ID_SHIFT, (pendingWords[id] as number) >>> WORD.ID_SHIFT);
      words[id] = ((word & flags) | (both << WORD.ID_SHIFT)) >>> 0;
    }
    return words;
  }

  /** One row from a row per source-port class: cells that differ lead to a table indexed by that class. */
  #joinSourcePorts(build: (sourcePort: number) => Uint32Array, sourcePorts: Partition, regions: number[]): Uint32Array {
    const rows = [...sourcePorts.examples].map(([id, port]) => ({ id, row: build(port) }));
    const joined = (rows[0] as (typeof rows)[number]).row.slice();
    for (let cell = 0; cell < joined.length; cell += 1) {
      if (rows.every(({ row }) => row[cell] === joined[cell])) continue;
      const table = new Uint32Array(sourcePorts.idLimit);
      for (const { id, row } of rows) table[id] = row[cell] as number;
      const offset = this.#heap.intern(table);
      regions.push(offset);
      joined[cell] = (WORD.SOURCE_PORT | (offset << WORD.ID_SHIFT)) >>> 0;
    }
    return joined;
  }
}

interface RowParts {
  readonly family: 4 | 6;
  readonly localSets: ReadonlySet<SetId>;
  readonly localKey: string;
  readonly peerSets: readonly SetId[];
}

/** Classes that are in at least one of the sets. */
function classesIn(addresses: AddressPartition, sets: ReadonlySet<SetId>): Set<AddressClass> {
  const found = new Set<AddressClass>();
  for (const set of sets) for (const addressClass of addresses.bySet.get(set) ?? []) found.add(addressClass);
  return found;
}

function project(addressClass: AddressClass, sets: ReadonlySet<SetId>): SetId[] {
  return addressClass.sets.filter((set) => sets.has(set));
}
