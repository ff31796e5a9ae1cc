// Content-addressed regions of 32-bit words: equal content is stored once, and a region that some image in force uses
// is never written again. The mirror of one kernel array; offsets are those of the array. Knows no kernel.
import { FreeSpace } from './free-space.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';
import type { Region, RegionPatch, RegionStoreOptions } from './region.ts';
import { regionMissing, storeFull } from './region-errors.ts';
import { hashWord, hashWords } from './region-hash.ts';
import { RegionIndex } from './region-index.ts';
import { WrittenRegions } from './written-regions.ts';

const INITIAL_WORDS = 1 << 18;
/** Few large steps: what the steps before leave behind makes the garbage collector look at everything. */
const GROWTH = 8;
/** What asking for a region costs besides its words, in words. */
const REGION_OVERHEAD = 128;

/**
 * Regions are counted by their uses: intern and retain add one, release takes one away. One without uses is still there,
 * and found again by its content, until the next sweep.
 */
export class RegionStore {
  readonly #options: RegionStoreOptions;
  readonly #index = new RegionIndex();
  readonly #free = new FreeSpace();
  readonly #limits: TableLimits;
  #words: Uint32Array;
  #end: number;
  /** Words that this image asked for. */
  #asked = 0;
  #written = new WrittenRegions();
  /** Units that have had no uses since the last sweep; some have uses again, some are here twice. */
  #unused: number[] = [];
  /** An image was given up: what the one in force uses is not known until the next is complete. */
  #isAbandoned = false;

  constructor(options: RegionStoreOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_TABLE_LIMITS;
    this.#words = new Uint32Array(Math.min(options.capacity, INITIAL_WORDS));
    this.#end = options.reserved;
  }

  /** The array's content as far as regions reach; valid until the next intern. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Words between the array's start and the end of the last region. */
  get usedWords(): number {
    return this.#end;
  }

  get capacity(): number {
    return this.#options.capacity;
  }

  get regionCount(): number {
    return this.#index.count;
  }

  /** Takes over regions that are in force in the kernel's array. Only before the first image. */
  adopt(array: Uint32Array, regions: readonly Region[]): void {
    for (const { offset, length } of [...regions].sort((a, b) => a.offset - b.offset)) {
      const size = this.#sizeOf(length);
      if (offset > this.#end) this.#free.add(this.#end, offset - this.#end);
      this.#end = offset;
      this.#extend(size);
      const content = array.subarray(offset, offset + length);
      this.#words.set(content, offset);
      this.#index.add(this.#unitOf(offset), length, hashWords(content));
      this.#unused.push(this.#unitOf(offset));
    }
  }

  beginImage(): void {
    this.#asked = 0;
    this.#written = new WrittenRegions();
  }

  /** Every use is known: from now on sweep may take what has none. */
  completeImage(): void {
    this.#isAbandoned = false;
  }

  /** What the array must get since beginImage: its new regions, as few and long ones as possible. */
  get written(): readonly Region[] {
    return this.#written.extents;
  }

  /** Regions that are new since beginImage. */
  get writtenCount(): number {
    return this.#written.count;
  }

  /** Gives up the image under way: what it wrote is free at once, everything else is kept, and nothing has uses. */
  abandonImage(): void {
    for (const { offset, length } of this.#written.extents) {
      for (let at = offset; at < offset + length; ) {
        const size = this.#sizeOf(this.#lengthAt(at));
        this.#discard(this.#unitOf(at));
        at += size;
      }
    }
    this.beginImage();
    this.#index.clearUses();
    this.#unused = [...this.#index.units()];
    this.#isAbandoned = true;
  }

  /** Frees what has no uses. Only when no packet can read an older image any more. */
  sweep(): void {
    if (this.#isAbandoned) return;
    for (const unit of this.#unused) {
      if (this.#index.lengthAt(unit) !== undefined && this.#index.usesAt(unit) === 0) this.#discard(unit);
    }
    this.#unused = [];
  }

  /** Offset of a region with this content. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  intern(content: Uint32Array): number {
    this.#ask(content.length);
    const hash = hashWords(content);
    return this.#known(content, hash) ?? this.#add(content, hash);
  }

  /**
   * Offset of a region with the content of another but for a few words: work in proportion to those, apart from copying.
   * Throws TABLE_FULL and LIMIT_EXCEEDED.
   */
  internPatched(base: number, { positions, words }: RegionPatch): number {
    this.#ask(positions.length);
    const length = this.#lengthAt(base);
    let hash = this.#index.hashAt(this.#unitOf(base));
    for (const [index, position] of positions.entries()) {
      hash -= hashWord(position, this.#words[base + position] as number);
      hash += hashWord(position, words[index] as number);
      hash >>>= 0;
    }
    const patch = (target: Uint32Array): Uint32Array => {
      for (const [index, position] of positions.entries()) target[position] = words[index] as number;
      return target;
    };
    // Content is compared, and copied apart for that, only where something of that hash is known.
    if (this.#index.find(hash, length, () => true) !== undefined) {
      const content = patch(this.#words.slice(base, base + length));
      return this.#known(content, hash) ?? this.#add(content, hash);
    }
    const offset = this.#allocate(length, hash);
    this.#words.copyWithin(offset, base, base + length);
    patch(this.#words.subarray(offset, offset + length));
    return offset;
  }

  /** One more use of a region that has uses, or had some in the image before. */
  retain(offset: number): void {
    this.#lengthAt(offset);
    const unit = this.#unitOf(offset);
    this.#index.setUses(unit, this.#index.usesAt(unit) + 1);
  }

  release(offset: number): void {
    const unit = this.#unitOf(offset);
    const uses = this.#index.usesAt(unit);
    if (this.#index.lengthAt(unit) === undefined || uses === 0)
      throw regionMissing('release', this.#options.name, offset);
    this.#index.setUses(unit, uses - 1);
    if (uses === 1) this.#unused.push(unit);
  }

  #ask(words: number): void {
    this.#asked += words + REGION_OVERHEAD;
    requireWithin('regionWords', this.#asked, this.#limits);
  }

  #known(content: Uint32Array, hash: number): number | undefined {
    const unit = this.#index.find(hash, content.length, (candidate) => this.#hasContent(candidate, content));
    if (unit === undefined) return undefined;
    this.#index.setUses(unit, this.#index.usesAt(unit) + 1);
    return unit * this.#options.granularity;
  }

  #add(content: Uint32Array, hash: number): number {
    const offset = this.#allocate(content.length, hash);
    this.#words.set(content, offset);
    return offset;
  }

  #unitOf(offset: number): number {
    return Math.floor(offset / this.#options.granularity);
  }

  #lengthAt(offset: number): number {
    const length = this.#index.lengthAt(this.#unitOf(offset));
    if (length === undefined) throw regionMissing('use', this.#options.name, offset);
    return length;
  }

  #sizeOf(length: number): number {
    const { granularity } = this.#options;
    return Math.max(1, Math.ceil(length / granularity)) * granularity;
  }

  #hasContent(unit: number, content: Uint32Array): boolean {
    const offset = unit * this.#options.granularity;
    for (let index = 0; index < content.length; index += 1) {
      if (this.#words[offset + index] !== content[index]) return false;
    }
    return true;
  }

  /** Room for a new region, with one use; its words are yet to be set. */
  #allocate(length: number, hash: number): number {
    const size = this.#sizeOf(length);
    const offset = this.#free.takeExact(size) ?? this.#extend(size) ?? this.#free.takePart(size);
    if (offset === undefined) throw storeFull(this.#options, this.#end, size);
    this.#index.add(this.#unitOf(offset), length, hash);
    this.#index.setUses(this.#unitOf(offset), 1);
    this.#written.add(offset, size);
    return offset;
  }

  #extend(size: number): number | undefined {
    const offset = this.#end;
    if (offset + size > this.#options.capacity) return undefined;
    this.#end += size;
    if (this.#end > this.#words.length) {
      const grown = new Uint32Array(Math.min(this.#options.capacity, Math.max(this.#end, GROWTH * this.#words.length)));
      grown.set(this.#words);
      this.#words = grown;
    }
    return offset;
  }

  #discard(unit: number): void {
    const offset = unit * this.#options.granularity;
    const size = this.#sizeOf(this.#lengthAt(offset));
    this.#index.remove(unit);
    this.#free.add(offset, size);
  }
}
