// Numbers by chance from a seed, and the choices that generators make with them. The same seed and index give the same
// choices on every machine.

/** sfc32 (C. Doty-Humphrey, PractRand): 128 bits of state, so that streams of neighbouring seeds do not overlap. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Both are whole numbers of at most 32 bits: of a run, and of one of its worlds. */
  constructor(seed: number, index = 0) {
    this.#a = seed | 0;
    this.#b = index | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** A whole number, 0 <= number < limit. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** A whole number, first <= number <= last. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True in so many of a hundred cases. */
  chance(ofHundred: number): boolean {
    return this.below(100) < ofHundred;
  }

  /** One of the items, each as likely as the others. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The result of one of the makers, each as likely as its weight says. */
  weighted<T>(...makers: readonly (readonly [weight: number, make: () => T])[]): T {
    let rest = this.below(makers.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of makers) {
      if (rest < weight) return make();
      rest -= weight;
    }
    throw new RangeError('nothing to choose from');
  }

  /** From `min` to `max` made things. */
  list<T>(min: number, max: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.between(min, max) }, (_, index) => make(index));
  }

  /** A made thing in so many of a hundred cases, else nothing. */
  maybe<T>(ofHundred: number, make: () => T): T | undefined {
    return this.chance(ofHundred) ? make() : undefined;
  }

  /** Some of the items, possibly none, in any order. */
  some<T>(items: readonly T[], ofHundred = 50): T[] {
    return this.shuffle(items.filter(() => this.chance(ofHundred)));
  }

  /** All of the items in any order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}

/** The object without its undefined members. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
