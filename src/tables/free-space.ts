// Free extents of an array. What was given back is handed out again at its own size first; only when nothing else is
// left are neighbours joined, which happens at most twice between two images, because nothing is given back while one
// is made. Sizes that are asked for again and again are kept whole: small regions that come and go would leave them no room.

interface Extent {
  readonly offset: number;
  readonly length: number;
}

export class FreeSpace {
  /** Offsets of extents as they were given back, by length. */
  readonly #bySize = new Map<number, number[]>();
  /** Joined extents, by the logarithm of their length. */
  #byMagnitude: Extent[][] = [];
  readonly #kept: ReadonlySet<number>;

  /** Extents of the kept lengths are neither joined nor cut. */
  constructor(kept: Iterable<number> = []) {
    this.#kept = new Set(kept);
  }

  add(offset: number, length: number): void {
    const offsets = this.#bySize.get(length);
    if (offsets === undefined) this.#bySize.set(length, [offset]);
    else offsets.push(offset);
  }

  /** Offset of an extent that was given back at this very size. */
  takeExact(size: number): number | undefined {
    return this.#bySize.get(size)?.pop();
  }

  /** Offset of a part of any extent. */
  takePart(size: number): number | undefined {
    const offset = this.#carve(size);
    if (offset !== undefined) return offset;
    this.#join();
    return this.#carve(size);
  }

  #carve(size: number): number | undefined {
    const magnitude = magnitudeOf(size);
    const similar = this.#byMagnitude[magnitude] ?? [];
    const index = similar.findIndex(({ length }) => length >= size);
    let found = similar[index];
    if (found !== undefined) similar.splice(index, 1);
    for (let larger = magnitude + 1; found === undefined && larger < this.#byMagnitude.length; larger += 1) {
      found = this.#byMagnitude[larger]?.pop();
    }
    if (found === undefined) return undefined;
    this.#file({ offset: found.offset + size, length: found.length - size });
    return found.offset;
  }

  #join(): void {
    const extents = this.#byMagnitude.flat();
    for (const [length, offsets] of this.#bySize) {
      if (this.#kept.has(length)) continue;
      for (const offset of offsets) extents.push({ offset, length });
      this.#bySize.delete(length);
    }
    extents.sort((a, b) => a.offset - b.offset);
    this.#byMagnitude = [];
    let joined: { offset: number; length: number } | undefined;
    for (const { offset, length } of extents) {
      if (joined !== undefined && joined.offset + joined.length === offset) {
        joined.length += length;
        continue;
      }
      if (joined !== undefined) this.#file(joined);
      joined = { offset, length };
    }
    if (joined !== undefined) this.#file(joined);
  }

  #file(extent: Extent): void {
    if (extent.length === 0) return;
    const magnitude = magnitudeOf(extent.length);
    const similar = this.#byMagnitude[magnitude];
    if (similar === undefined) this.#byMagnitude[magnitude] = [extent];
    else similar.push(extent);
  }
}

function magnitudeOf(length: number): number {
  return 31 - Math.clz32(length);
}
