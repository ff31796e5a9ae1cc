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
  readonly #limits: TableLimits;
  #free = new FreeSpace();
  #words: Uint32Array;
  #end = 0;
  /** Words of all regions, of those with uses. */
  #regionWords = 0;
  #liveWords = 0;
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
    this.#clear();
    this.#setSlotsAside(options.slots ?? []);
  }

  /** The array's content as far as regions reach; valid until the next intern. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Words between the array's start and the end of the last region. */
  get usedWords(): number {
    return this.#end;
  }

  /** Words of all regions: of the image in force, and of those before and after it while they are there. */
  get regionWords(): number {
    return this.#regionWords;
  }

  get capacity(): number {
    return this.#options.capacity;
  }

  get regionCount(): number {
    return this.#index.count;
  }

  /** Takes over regions that are in force in the kernel's array. Only before the first image. */
  adopt(array: Uint32Array, regions: readonly Region[]): void {
    this.#clear();
    for (const { offset, length } of [...regions].sort((a, b) => a.offset - b.offset)) {
      const size = this.#sizeOf(length);
      if (offset > this.#end) this.#free.add(this.#end, offset - this.#end);
      this.#end = offset;
      this.#extend(size);
      const content = array.subarray(offset, offset + length);
      this.#words.set(content, offset);
      this.#index.add(this.#unitOf(offset), length, hashWords(content));
      this.#regionWords += size;
      this.#unused.push(this.#unitOf(offset));
    }
    const slots = [...(this.#options.slots ?? [])];
    for (const { length } of regions) {
      const filled = slots.indexOf(this.#sizeOf(length));
      if (filled >= 0) slots.splice(filled, 1);
    }
    this.#setSlotsAside(slots);
  }

  beginImage(): void {
    this.#asked = 0;
    this.#written = new WrittenRegions();
  }

  /**
   * Whether the image under way leaves room for a smaller one beside it, so that there is a way back. Throws TABLE_FULL.
   */
  requireHeadroom(): void {
    const { headroom = 0, capacity } = this.#options;
    if (this.#liveWords + headroom > capacity) throw storeFull(this.#options, this.#liveWords, headroom);
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
    this.#liveWords = 0;
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
    this.#setUses(unit, this.#index.usesAt(unit) + 1);
  }

  release(offset: number): void {
    const unit = this.#unitOf(offset);
    const uses = this.#index.usesAt(unit);
    if (this.#index.lengthAt(unit) === undefined || uses === 0)
      throw regionMissing('release', this.#options.name, offset);
    this.#setUses(unit, uses - 1);
    if (uses === 1) this.#unused.push(unit);
  }

  #ask(words: number): void {
    this.#asked += words + REGION_OVERHEAD;
    requireWithin('regionWords', this.#asked, this.#limits);
  }

  #known(content: Uint32Array, hash: number): number | undefined {
    const unit = this.#index.find(hash, content.length, (candidate) => this.#hasContent(candidate, content));
    if (unit === undefined) return undefined;
    this.#setUses(unit, this.#index.usesAt(unit) + 1);
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
    if (offset === undefined) throw storeFull(this.#options, this.#regionWords, size);
    this.#index.add(this.#unitOf(offset), length, hash);
    this.#regionWords += size;
    this.#setUses(this.#unitOf(offset), 1);
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
    this.#regionWords -= size;
    this.#free.add(offset, size);
  }

  #setUses(unit: number, uses: number): void {
    const before = this.#index.usesAt(unit);
    this.#index.setUses(unit, uses);
    if (before === 0 || uses === 0) {
      const size = this.#sizeOf(this.#lengthAt(unit * this.#options.granularity));
      this.#liveWords += (uses === 0 ? 0 : size) - (before === 0 ? 0 : size);
    }
  }

  /** Nothing is there. */
  #clear(): void {
    this.#free = new FreeSpace(this.#options.slots);
    this.#end = this.#options.reserved;
  }

  /** As far as there is room. */
  #setSlotsAside(sizes: readonly number[]): void {
    for (const size of sizes) {
      const offset = this.#free.takePart(size) ?? this.#extend(size);
      if (offset !== undefined) this.#free.add(offset, size);
    }
  }
}
