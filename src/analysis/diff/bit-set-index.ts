// Numbers for bit sets of one length: equal sets have equal numbers.
import type { BitSet } from '../../tables/bit-sets.ts';

export class BitSetIndex {
  readonly #sets: BitSet[] = [];
  readonly #byHash = new Map<number, number[]>();

  /** Numbers count up from 0 in the order in which sets are first seen. The set must not change afterwards. */
  idOf(set: BitSet): number {
    const hash = hashOf(set);
    const candidates = this.#byHash.get(hash) ?? [];
    for (const id of candidates) if (isEqual(this.#sets[id] as BitSet, set)) return id;
    const id = this.#sets.length;
    this.#sets.push(set);
    candidates.push(id);
    this.#byHash.set(hash, candidates);
    return id;
  }
}

/** FNV-1a over words. */
function hashOf(set: BitSet): number {
  let hash = 0x811c9dc5;
  for (const word of set) hash = Math.imul(hash ^ word ^ (word >>> 15), 0x01000193);
  return hash >>> 0;
}

function isEqual(a: BitSet, b: BitSet): boolean {
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
