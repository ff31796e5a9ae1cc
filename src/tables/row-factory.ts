// Makes the rows of one policy list: the background that holds for peers in none of its sets, and others as differences
// from it, in those layer-4 classes that some rule about the peer's sets is about.
import type { Family } from '../model/address.ts';
import { addAll, type BitSet, forEachBitIn, isEmpty, spanOfBits } from './bit-sets.ts';
import type { Classification } from './classification.ts';
import { WORD } from './layout.ts';
import { type ListPrograms, widestProgram } from './list-program.ts';
import type { Partition } from './number-classes.ts';
import type { ProgramRule } from './program-rules.ts';
import type { RegionStore } from './region-store.ts';
import { RowBuilder } from './row-builder.ts';
import { type Led, type PartitionSteps, type Row, RowStore } from './row-store.ts';
import { type RowKey, ruleHits } from './rule-hits.ts';
import { FewSets, type HeldSets } from './set-ids.ts';
import type { Stories } from './stories.ts';

const NONE: readonly number[] = [];
const NO_SETS = new FewSets([]);
const FLAGS = (1 << WORD.ID_SHIFT) - 1;

export class RowFactory {
  readonly heap: RegionStore;
  readonly #programs: ListPrograms;
  readonly #store: RowStore;
  readonly #stories: Stories;
  readonly #hasSourcePorts: boolean;
  /** Scratch for one partition. */
  #scratch: Scratch | undefined;

  constructor(programs: ListPrograms, heap: RegionStore, stories: Stories) {
    this.heap = heap;
    this.#programs = programs;
    this.#store = new RowStore(heap, stories);
    this.#stories = stories;
    this.#hasSourcePorts = widestProgram(programs).hasSourcePorts;
  }

  /** The row of peers in none of the list's sets. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  buildBackground(family: Family, local: HeldSets, classification: Classification): Row {
    const scratch = this.#scratchFor(classification.l4);
    const key = { family, sets: { local, peer: NO_SETS }, sourcePort: undefined };
    const led = this.#words(key, scratch.l4.everything, classification, scratch);
    return this.#store.pack(scratch.words, led);
  }

  /** The row of peers in these sets; undefined = the background's. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  build(
    family: Family,
    local: HeldSets,
    peer: HeldSets,
    background: Row,
    classification: Classification,
  ): Row | undefined {
    const scratch = this.#scratchFor(classification.l4);
    const key = { family, sets: { local, peer }, sourcePort: undefined };
    const cells = this.#cells(key, scratch);
    if (cells === undefined || isEmpty(cells)) return undefined;
    const led = this.#words(key, cells, classification, scratch);
    return this.#store.packPatched(background, scratch.words, cells, led);
  }

  carry(row: Row, steps: PartitionSteps): Row {
    return this.#store.carry(row, steps);
  }

  release(row: Row): void {
    this.#store.release(row);
  }

  /** Lets go of what is only needed while rows are made. */
  rest(): void {
    this.#scratch = undefined;
  }

  /** Classes in which the peer's row may differ from the background's: all those that a rule about its sets may match. */
  #cells(here: PeerKey, { l4, cells }: Scratch): BitSet | undefined {
    const program = widestProgram(this.#programs);
    const behind = program.byPeerSet.behind(here.sets.peer);
    // Of most peers in long lists: nothing to put together.
    if (behind.length === 1 && program.dependent.length === 0) {
      return ruleHits(program.ruleAt(behind[0] as number), here, l4);
    }
    cells.fill(0);
    for (const index of behind) {
      const hits = ruleHits(program.ruleAt(index), here, l4);
      if (hits !== undefined) addAll(cells, hits);
    }
    if (program.dependent.length === 0) return cells;
    const nowhere = { ...here, sets: { local: here.sets.local, peer: NO_SETS } };
    for (const rule of program.dependent) {
      const [hits, background] = [ruleHits(rule, here, l4), ruleHits(rule, nowhere, l4)];
      if (isAddressOnly(rule) && (hits === undefined) === (background === undefined)) continue;
      if (hits !== undefined) addAll(cells, hits);
      if (background !== undefined) addAll(cells, background);
    }
    return cells;
  }

  /** Sets the words of those cells in scratch.words. */
  #words(key: PeerKey, cells: BitSet, { sourcePorts }: Classification, scratch: Scratch): Led {
    if (!this.#hasSourcePorts) {
      this.#build(key, cells, scratch, scratch.words);
      return { tables: NONE, storyIds: storiesOf(scratch.words, cells, []).slice() };
    }
    const tables: number[] = [];
    const storyIds: number[] = [];
    const rows = [...sourcePorts.examples].map(([id, sourcePort]) => {
      const words = new Uint32Array(scratch.words.length);
      this.#build({ ...key, sourcePort }, cells, scratch, words);
      storiesOf(words, cells, storyIds);
      return { id, words };
    });
    const { first, end } = spanOfBits(cells);
    forEachBitIn(cells, first, end, (cell) => {
      scratch.words[cell] = this.#joinCell(cell, rows, sourcePorts.idLimit, tables);
    });
    return { tables, storyIds };
  }

  /** The word of all source-port classes, or one that leads to a table indexed by that class. */
  #joinCell(
    cell: number,
    rows: readonly { readonly id: number; readonly words: Uint32Array }[],
    idLimit: number,
    tables: number[],
  ): number {
    const word = rows[0]?.words[cell] as number;
    if (rows.every(({ words }) => words[cell] === word)) return word;
    const table = new Uint32Array(idLimit);
    for (const { id, words } of rows) table[id] = words[cell] as number;
    const offset = this.heap.intern(table);
    tables.push(offset);
    return (WORD.SOURCE_PORT | (offset << WORD.ID_SHIFT)) >>> 0;
  }

  /** The words in force; where staged policies govern, their trace ids tell what those would do as well. */
  #build(key: RowKey, cells: BitSet, { builder, pending: pendingWords }: Scratch, words: Uint32Array): void {
    const { enforced, pending } = this.#programs;
    builder.build(enforced, key, enforced.byPeerSet.behind(key.sets.peer), cells, words);
    if (pending === undefined) return;
    builder.build(pending, key, pending.byPeerSet.behind(key.sets.peer), cells, pendingWords);
    const { first, end } = spanOfBits(cells);
    forEachBitIn(cells, first, end, (id) => {
      const word = words[id] as number;
      const both = this.#stories.pair(word >>> WORD.ID_SHIFT, (pendingWords[id] as number) >>> WORD.ID_SHIFT);
      words[id] = ((word & FLAGS) | (both << WORD.ID_SHIFT)) >>> 0;
    });
  }

  #scratchFor(l4: Partition): Scratch {
    if (this.#scratch?.l4 === l4) return this.#scratch;
    const made = {
      l4,
      builder: new RowBuilder(l4, this.#stories),
      cells: new Uint32Array(l4.everything.length),
      words: new Uint32Array(l4.idLimit),
      pending: new Uint32Array(l4.idLimit),
    };
    this.#scratch = made;
    return made;
  }
}

/** Of peers, whatever the source port. */
type PeerKey = RowKey & { readonly sourcePort: undefined };

interface Scratch {
  readonly l4: Partition;
  readonly builder: RowBuilder;
  readonly cells: BitSet;
  readonly words: Uint32Array;
  readonly pending: Uint32Array;
}

/** Rows with more stories look for them in a set. */
const FEW_STORIES = 16;

/** Adds the trace ids of the words in those cells that are not in `found` yet, and returns it. */
function storiesOf(words: Uint32Array, cells: BitSet, found: number[]): number[] {
  let known: Set<number> | undefined;
  let last = -1;
  // Without a call for each cell: this is done for every row, most of which have one.
  for (let index = 0; index < cells.length; index += 1) {
    for (let left = cells[index] as number; left !== 0; left &= left - 1) {
      const id = (words[32 * index + 31 - Math.clz32(left & -left)] as number) >>> WORD.ID_SHIFT;
      if (id === last) continue;
      last = id;
      if (known === undefined && found.length > FEW_STORIES) known = new Set(found);
      if (known === undefined ? found.includes(id) : known.has(id)) continue;
      known?.add(id);
      found.push(id);
    }
  }
  return found;
}

/** Of a rule that depends on the peer: whether it matches, but not for which layer-4 classes. */
function isAddressOnly({ named, notNamed, backends, sourcePorts, notSourcePorts }: ProgramRule): boolean {
  return (
    named.length + notNamed.length === 0 &&
    backends === undefined &&
    [sourcePorts, notSourcePorts].every((ports) => ports === undefined || ports.named.length === 0)
  );
}
