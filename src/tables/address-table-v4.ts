// The IPv4 address table: three levels of 16, 8 and 8 bits. Layout: docs/design/tables.md and bpf/abi/heap.h.

import type { AddressClass, ClassifiedPrefix } from './address-classes.ts';
import { CHUNK_WORDS, ENTRY_NODE, V4_ROOT_WORDS } from './layout.ts';
import type { RegionStore } from './region-store.ts';

/** A level under construction: entries are classes, or the level below. */
interface Level {
  readonly entries: Uint32Array;
  readonly below: Map<number, Level>;
}

/** Interns the table and returns the offset of its root. Prefixes come containing before contained. */
export function compileV4Table(
  prefixes: readonly ClassifiedPrefix[],
  outside: AddressClass,
  heap: RegionStore,
): number {
  const root = newLevel(V4_ROOT_WORDS, outside.id);
  for (const { cidr, class: addressClass } of prefixes)
    insert(root, cidr.words[0] as number, cidr.length, addressClass.id);
  return internLevel(root, heap);
}

function newLevel(size: number, classId: number): Level {
  return { entries: new Uint32Array(size).fill(classId), below: new Map() };
}

/** Nothing below the prefix exists yet, because longer prefixes come later. */
function insert(root: Level, address: number, length: number, classId: number): void {
  if (length <= 16) {
    fill(root, address >>> 16, 16 - length, classId);
    return;
  }
  const middle = levelBelow(root, address >>> 16);
  if (length <= 24) {
    fill(middle, (address >>> 8) & 0xff, 24 - length, classId);
    return;
  }
  fill(levelBelow(middle, (address >>> 8) & 0xff), address & 0xff, 32 - length, classId);
}

function fill(level: Level, first: number, freeBits: number, classId: number): void {
  level.entries.fill(classId, first, first + 2 ** freeBits);
}

function levelBelow(level: Level, index: number): Level {
  const known = level.below.get(index);
  if (known !== undefined) return known;
  const made = newLevel(CHUNK_WORDS, level.entries[index] as number);
  level.below.set(index, made);
  return made;
}

function internLevel(level: Level, heap: RegionStore): number {
  for (const [index, below] of level.below) level.entries[index] = (ENTRY_NODE | internLevel(below, heap)) >>> 0;
  return heap.intern(level.entries);
}
