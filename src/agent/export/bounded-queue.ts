// What waits to be exported or stored, bounded by the memory it takes.

/** Positions that were taken are given up once they are so many. */
const COMPACT_AT = 4096;

export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #maxItems: number;
  readonly #sizeOf: (item: T) => number;
  #items: (T | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  /** sizeOf = about, and the same for an item each time. */
  constructor(limitBytes: number, sizeOf: (item: T) => number, maxItems = Number.POSITIVE_INFINITY) {
    this.#limit = limitBytes;
    this.#maxItems = maxItems;
    this.#sizeOf = sizeOf;
  }

  get length(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** 0 = empty, 1 = full. */
  get fill(): number {
    return this.#bytes / this.#limit;
  }

  /** False = there is no room. */
  push(item: T): boolean {
    const size = this.#sizeOf(item);
    if (this.#bytes + size > this.#limit || this.length >= this.#maxItems) return false;
    this.#bytes += size;
    this.#items.push(item);
    return true;
  }

  /** The oldest ones, of no more bytes than that unless it is a single one. */
  take(count: number, bytes = Number.POSITIVE_INFINITY): T[] {
    const last = Math.min(this.#first + count, this.#items.length);
    let end = this.#first;
    for (let left = bytes; end < last; end += 1) {
      left -= this.#sizeOf(this.#items[end] as T);
      if (left < 0 && end > this.#first) break;
    }
    const taken = this.#items.slice(this.#first, end) as T[];
    this.#items.fill(undefined, this.#first, end);
    this.#first = end;
    for (const item of taken) this.#bytes -= this.#sizeOf(item);
    if (this.#first === this.#items.length || this.#first >= COMPACT_AT) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }
}
