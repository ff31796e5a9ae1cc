// Finds regions by their content: what is known of each region of a store, in typed arrays, chained by hash. Part of
// RegionStore, which owns the words.

const INITIAL_UNITS = 1 << 12;
const INITIAL_HEADS = 1 << 12;
/** Regions for each chain before there are twice as many chains. */
const MAX_LOAD = 2;

/** Regions are known by their unit: offset divided by the store's granularity. */
export class RegionIndex {
  /** By unit: words of the region that begins there, and 1; 0 = none begins there. */
  #lengths = new Uint32Array(INITIAL_UNITS);
  #hashes = new Uint32Array(INITIAL_UNITS);
  #uses = new Uint32Array(INITIAL_UNITS);
  /** By unit: the next unit of its chain and 1; 0 = the last. */
  #next = new Uint32Array(INITIAL_UNITS);
  /** By hash: the first unit of the chain and 1; 0 = none. */
  #heads = new Uint32Array(INITIAL_HEADS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes that the index itself takes. */
  get bytes(): number {
    return 16 * this.#lengths.length + 4 * this.#heads.length;
  }

  /** undefined = no region begins there. */
  lengthAt(unit: number): number | undefined {
    const length = this.#lengths[unit] ?? 0;
    return length === 0 ? undefined : length - 1;
  }

  hashAt(unit: number): number {
    return this.#hashes[unit] as number;
  }

  usesAt(unit: number): number {
    return this.#uses[unit] as number;
  }

  setUses(unit: number, uses: number): void {
    this.#uses[unit] = uses;
  }

  clearUses(): void {
    this.#uses.fill(0);
  }

  /** First unit from the chain of that hash with this hash and length of which the test holds. */
  find(hash: number, length: number, test: (unit: number) => boolean): number | undefined {
    let link = this.#heads[hash & (this.#heads.length - 1)] as number;
    while (link !== 0) {
      const unit = link - 1;
      if (this.#hashes[unit] === hash && this.#lengths[unit] === length + 1 && test(unit)) return unit;
      link = this.#next[unit] as number;
    }
    return undefined;
  }

  add(unit: number, length: number, hash: number): void {
    if (unit >= this.#lengths.length) this.#growUnits(unit + 1);
    if (this.#count >= MAX_LOAD * this.#heads.length) this.#growHeads();
    this.#lengths[unit] = length + 1;
    this.#hashes[unit] = hash;
    this.#uses[unit] = 0;
    this.#link(unit);
    this.#count += 1;
  }

  remove(unit: number): void {
    const head = (this.#hashes[unit] as number) & (this.#heads.length - 1);
    if (this.#heads[head] === unit + 1) this.#heads[head] = this.#next[unit] as number;
    else {
      let before = (this.#heads[head] as number) - 1;
      while (this.#next[before] !== unit + 1) before = (this.#next[before] as number) - 1;
      this.#next[before] = this.#next[unit] as number;
    }
    this.#lengths[unit] = 0;
    this.#count -= 1;
  }

  /** Units where regions begin, ascending. */
  *units(): Iterable<number> {
    for (let unit = 0; unit < this.#lengths.length; unit += 1) if (this.#lengths[unit] !== 0) yield unit;
  }

  #link(unit: number): void {
    const head = (this.#hashes[unit] as number) & (this.#heads.length - 1);
    this.#next[unit] = this.#heads[head] as number;
    this.#heads[head] = unit + 1;
  }

  #growUnits(needed: number): void {
    const size = Math.max(needed, 2 * this.#lengths.length);
    this.#lengths = grown(this.#lengths, size);
    this.#hashes = grown(this.#hashes, size);
    this.#uses = grown(this.#uses, size);
    this.#next = grown(this.#next, size);
  }

  #growHeads(): void {
    this.#heads = new Uint32Array(2 * this.#heads.length);
    for (const unit of this.units()) this.#link(unit);
  }
}

function grown(before: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const after = new Uint32Array(size);
  after.set(before);
  return after;
}
