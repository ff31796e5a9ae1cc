// Counts ordered pairs of endpoints that rectangles have, each pair once however many rectangles have it.
import { type BitSet, bitsFrom, forEachBit } from '../../tables/bit-sets.ts';
import type { PlacedRectangle } from './phrases.ts';

export class PairCounts {
  readonly #words: number;
  /** For each source endpoint its destination endpoints. */
  readonly #rows = new Map<number, BitSet>();
  readonly #sources = new Set<number>();
  readonly #destinations = new Set<number>();

  constructor(endpointCount: number) {
    this.#words = Math.ceil(endpointCount / 32);
  }

  add({ view, sources, destinations }: PlacedRectangle): void {
    const idsOf = (indexes: readonly number[]): Set<number> =>
      new Set(view.ownedBy(indexes).map(({ person }) => person.id));
    const targets = idsOf(destinations);
    for (const id of targets) this.#destinations.add(id);
    const bits = bitsFrom(targets, this.#words * 32);
    for (const source of idsOf(sources)) {
      this.#sources.add(source);
      const row = this.#rows.get(source);
      if (row === undefined) this.#rows.set(source, bits.slice());
      else for (let word = 0; word < this.#words; word += 1) row[word] = (row[word] as number) | (bits[word] as number);
    }
  }

  get sources(): number {
    return this.#sources.size;
  }

  get destinations(): number {
    return this.#destinations.size;
  }

  get endpoints(): ReadonlySet<number> {
    return new Set([...this.#sources, ...this.#destinations]);
  }

  /** An endpoint is no pair with itself. */
  get pairs(): number {
    let pairs = 0;
    for (const [source, row] of this.#rows) {
      forEachBit(row, (destination) => {
        if (destination !== source) pairs += 1;
      });
    }
    return pairs;
  }
}
