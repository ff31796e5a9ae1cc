// Content-addressed regions of 32-bit words: equal content is stored once, and a region that some image in force uses
// is never written again. The mirror of one kernel array; offsets are those of the array. Knows no kernel.
import { DataplaneError } from '../base/errors.ts';
import { FreeSpace } from './free-space.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';

export interface Region {
  readonly offset: number;
  readonly length: number;
}

interface StoredRegion extends Region {
  /** Words taken from the array, at least length. */
  readonly size: number;
  readonly hash: number;
  /** The last image that uses it. */
  image: number;
}

const INITIAL_WORDS = 1 << 18;
/** What asking for a region costs besides its words, in words. */
const REGION_OVERHEAD = 128;

export interface RegionStoreOptions {
  /** For errors, e.g. `tt_heap`. */
  readonly name: string;
  /** Words the kernel array holds. */
  readonly capacity: number;
  /** Sizes are rounded up to a multiple of this; regions start at multiples of it. */
  readonly granularity: number;
  /** Words at the start that no region may take, so that offset 0 is never valid. */
  readonly reserved: number;
  /** The setting that raises the capacity, for the error's hint. */
  readonly setting: string;
  readonly limits?: TableLimits;
}

export class RegionStore {
  readonly #options: RegionStoreOptions;
  readonly #byHash = new Map<number, StoredRegion[]>();
  readonly #byOffset = new Map<number, StoredRegion>();
  readonly #free = new FreeSpace();
  readonly #limits: TableLimits;
  #words: Uint32Array;
  #end: number;
  #image = 0;
  /** Words of regions that this image asked for. */
  #asked = 0;
  #written: StoredRegion[] = [];

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
    return this.#byOffset.size;
  }

  /** Takes over regions that are in force in the kernel's array. Only before the first image. */
  adopt(array: Uint32Array, regions: readonly Region[]): void {
    const sorted = [...regions].sort((a, b) => a.offset - b.offset);
    for (const { offset, length } of sorted) {
      const size = this.#sizeOf(length);
      if (offset > this.#end) this.#free.add(this.#end, offset - this.#end);
      this.#end = offset;
      this.#extend(size);
      const content = array.subarray(offset, offset + length);
      this.#words.set(content, offset);
      this.#file({ offset, length, size, hash: hashWords(content), image: this.#image });
    }
  }

  /** Regions of the current image, by offset. */
  regionsInUse(): Region[] {
    return [...this.#byOffset.values()]
      .filter(({ image }) => image === this.#image)
      .sort((a, b) => a.offset - b.offset);
  }

  /** Starts the next image: regions that it does not intern or touch are free after the next sweep. */
  beginImage(): void {
    this.#image += 1;
    this.#asked = 0;
    this.#written = [];
  }

  /** Regions that are new since beginImage. */
  get written(): readonly Region[] {
    return this.#written;
  }

  /** Gives up the image under way: what it wrote is free at once. */
  abandonImage(): void {
    for (const region of this.#written) this.#release(region);
    this.#written = [];
  }

  /** Frees what the current image does not use. Only when no packet can read an older image any more. */
  sweep(): void {
    for (const region of [...this.#byOffset.values()]) if (region.image < this.#image) this.#release(region);
  }

  /** Offset of a region with this content. Throws TABLE_FULL and LIMIT_EXCEEDED. */
  intern(content: Uint32Array): number {
    this.#asked += content.length + REGION_OVERHEAD;
    requireWithin('regionWords', this.#asked, this.#limits);
    const hash = hashWords(content);
    const known = this.#byHash.get(hash)?.find((region) => this.#hasContent(region, content));
    if (known !== undefined) {
      known.image = this.#image;
      return known.offset;
    }
    const region = this.#allocate(content.length, hash);
    this.#words.set(content, region.offset);
    this.#file(region);
    this.#written.push(region);
    return region.offset;
  }

  /** Keeps a region of the image before for this one. */
  touch(offset: number): void {
    const region = this.#byOffset.get(offset);
    if (region === undefined) {
      throw new DataplaneError('INTERNAL', 'no region there', {
        operation: 'touch',
        target: `${this.#options.name}+${offset}`,
      });
    }
    region.image = this.#image;
  }

  #file(region: StoredRegion): void {
    const sameHash = this.#byHash.get(region.hash);
    if (sameHash === undefined) this.#byHash.set(region.hash, [region]);
    else sameHash.push(region);
    this.#byOffset.set(region.offset, region);
  }

  #sizeOf(length: number): number {
    const { granularity } = this.#options;
    return Math.max(1, Math.ceil(length / granularity)) * granularity;
  }

  #hasContent(region: StoredRegion, content: Uint32Array): boolean {
    if (region.length !== content.length) return false;
    for (let index = 0; index < content.length; index += 1) {
      if (this.#words[region.offset + index] !== content[index]) return false;
    }
    return true;
  }

  #allocate(length: number, hash: number): StoredRegion {
    const size = this.#sizeOf(length);
    const offset = this.#free.takeExact(size) ?? this.#extend(size) ?? this.#free.takePart(size);
    if (offset === undefined) throw this.#full(size);
    return { offset, length, size, hash, image: this.#image };
  }

  #extend(size: number): number | undefined {
    const offset = this.#end;
    if (offset + size > this.#options.capacity) return undefined;
    this.#end += size;
    if (this.#end > this.#words.length) {
      const grown = new Uint32Array(Math.min(this.#options.capacity, Math.max(this.#end, 2 * this.#words.length)));
      grown.set(this.#words);
      this.#words = grown;
    }
    return offset;
  }

  #release(region: StoredRegion): void {
    const sameHash = this.#byHash.get(region.hash)?.filter((other) => other !== region) ?? [];
    if (sameHash.length === 0) this.#byHash.delete(region.hash);
    else this.#byHash.set(region.hash, sameHash);
    this.#byOffset.delete(region.offset);
    this.#free.add(region.offset, region.size);
  }

  #full(size: number): DataplaneError {
    const { name, capacity, setting } = this.#options;
    return new DataplaneError('TABLE_FULL', 'the compiled policy does not fit', {
      operation: 'compile tables',
      target: name,
      found: `${this.#end} of ${capacity} words used and ${size} more needed`,
      expected: 'room for the old and the new policy side by side',
      hint: `raise ${setting}`,
    });
  }
}

/** FNV-1a over words, with a final mix; equality is checked on top. */
function hashWords(content: Uint32Array): number {
  let hash = 0x811c9dc5 ^ content.length;
  for (let index = 0; index < content.length; index += 1) {
    hash = Math.imul(hash ^ (content[index] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
