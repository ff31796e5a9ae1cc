// Ids of address classes, dealt out in blocks of one family each: a word kept by class id can be filled in for ids that
// are not in use, so that a class that comes later finds there what its family starts from.
import type { Family } from '../model/address.ts';

export const BLOCK_IDS = 64;
/** When a family has no free id, it gets blocks for this part of what it has. */
const GROWTH = 1 / 8;

export class AddressIds {
  /** By block. */
  readonly #families: Family[] = [];
  /** Smallest last. */
  readonly #free: Record<Family, number[]> = { 4: [], 6: [] };

  /** Every id is below this. */
  get limit(): number {
    return BLOCK_IDS * this.#families.length;
  }

  familyOf(id: number): Family {
    return this.#families[Math.floor(id / BLOCK_IDS)] as Family;
  }

  take(family: Family): number {
    if (this.#free[family].length === 0) this.#grow(family);
    return this.#free[family].pop() as number;
  }

  give(ids: Iterable<number>): void {
    const families = new Set<Family>();
    for (const id of ids) {
      const family = this.familyOf(id);
      this.#free[family].push(id);
      families.add(family);
    }
    for (const family of families) this.#free[family].sort((a, b) => b - a);
    this.#shrink();
  }

  #grow(family: Family): void {
    const owned = this.#families.filter((each) => each === family).length;
    const wanted = Math.max(1, Math.floor(owned * GROWTH));
    const first = this.limit;
    for (let block = 0; block < wanted; block += 1) this.#families.push(family);
    for (let id = this.limit - 1; id >= first; id -= 1) this.#free[family].push(id);
  }

  /** Takes back the last blocks once all their ids and most of the others are free. */
  #shrink(): void {
    const used = this.limit - this.#free[4].length - this.#free[6].length;
    if (4 * (used + 2 * BLOCK_IDS) > this.limit) return;
    const free = new Set([...this.#free[4], ...this.#free[6]]);
    while (this.#families.length > 0 && this.#isFree(this.#families.length - 1, free)) this.#families.pop();
    for (const family of [4, 6] as const) this.#free[family] = this.#free[family].filter((id) => id < this.limit);
  }

  #isFree(block: number, free: ReadonlySet<number>): boolean {
    for (let id = block * BLOCK_IDS; id < (block + 1) * BLOCK_IDS; id += 1) if (!free.has(id)) return false;
    return true;
  }
}
