// Ids of address classes, dealt out in blocks of one family each: a word kept by class id can be filled in for ids that
// are not in use, so that a class that comes later finds there what its family starts from.
import type { Family } from '../model/address.ts';

export const BLOCK_IDS = 64;
/** When a family has no free id, it gets blocks for this part of what it has. */
const GROWTH = 1 / 8;

export class AddressIds {
  /** By block. */
  readonly #families: Family[] = [];
  /** Smallest last; some of them are taken, by those who wanted just them. */
  readonly #free: Record<Family, number[]> = { 4: [], 6: [] };
  /** By id: 1 = taken. */
  #taken = new Uint8Array(0);
  #takenCount = 0;

  /** Every id is below this. */
  get limit(): number {
    return BLOCK_IDS * this.#families.length;
  }

  familyOf(id: number): Family {
    return this.#families[Math.floor(id / BLOCK_IDS)] as Family;
  }

  /** Goes on with the blocks of another process. Does nothing if those that are here begin otherwise. */
  adopt(families: readonly Family[]): void {
    if (this.#families.some((family, block) => families[block] !== family)) return;
    const first = this.limit;
    this.#families.push(...families.slice(this.#families.length));
    this.#offer(first);
  }

  /** `wanted` if that is one of the family's and free. */
  take(family: Family, wanted?: number): number {
    const id = wanted !== undefined && this.#isFree(wanted, family) ? wanted : this.#smallest(family);
    this.#taken[id] = 1;
    this.#takenCount += 1;
    return id;
  }

  give(ids: readonly number[]): void {
    for (const id of ids) this.#taken[id] = 0;
    this.#takenCount -= ids.length;
    for (const family of new Set(ids.map((id) => this.familyOf(id)))) {
      const given = ids.filter((id) => this.familyOf(id) === family);
      const free = new Set([...this.#free[family], ...given]);
      this.#free[family] = [...free].filter((id) => this.#taken[id] === 0).sort((a, b) => b - a);
    }
    this.#shrink();
  }

  #isFree(id: number, family: Family): boolean {
    return id < this.limit && this.familyOf(id) === family && this.#taken[id] === 0;
  }

  #smallest(family: Family): number {
    for (;;) {
      const id = this.#free[family].pop();
      if (id === undefined) this.#grow(family);
      else if (this.#taken[id] === 0) return id;
    }
  }

  #grow(family: Family): void {
    const owned = this.#families.filter((each) => each === family).length;
    const wanted = Math.max(1, Math.floor(owned * GROWTH));
    const first = this.limit;
    for (let block = 0; block < wanted; block += 1) this.#families.push(family);
    this.#offer(first);
  }

  /** Ids from there on are free. */
  #offer(first: number): void {
    if (this.limit > this.#taken.length) {
      const taken = new Uint8Array(2 * this.limit);
      taken.set(this.#taken);
      this.#taken = taken;
    }
    for (let id = this.limit - 1; id >= first; id -= 1) this.#free[this.familyOf(id)].push(id);
    for (const family of [4, 6] as const) this.#free[family].sort((a, b) => b - a);
  }

  /** Takes back the last blocks once all their ids and most of the others are free. */
  #shrink(): void {
    if (4 * (this.#takenCount + 2 * BLOCK_IDS) > this.limit) return;
    while (this.#families.length > 0 && this.#isBlockFree(this.#families.length - 1)) this.#families.pop();
    for (const family of [4, 6] as const) this.#free[family] = this.#free[family].filter((id) => id < this.limit);
  }

  #isBlockFree(block: number): boolean {
    for (let id = block * BLOCK_IDS; id < (block + 1) * BLOCK_IDS; id += 1) if (this.#taken[id] === 1) return false;
    return true;
  }
}
