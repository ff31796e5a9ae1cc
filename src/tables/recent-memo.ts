// What was computed for a key, as long as somebody goes on asking for it. Made for tables that are compiled over and over: all
// that a policy in use asks for stays, whatever its size, and what was asked for by policy that has gone goes after a while.

const MIN_NEW = 512;
/** How often each value must have had its turn, on the average, before one that nobody asked for goes. */
const TURNS = 4;

export class RecentMemo<Key, Value> {
  readonly #limit: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();
  #asked = 0;
  #made = 0;

  /** limit: values at most, whoever asks for them. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: Key, make: () => Value): Value {
    this.#asked += 1;
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    let value = this.#old.get(key);
    if (value === undefined) {
      this.#makeRoom();
      value = make();
      this.#made += 1;
    } else this.#old.delete(key);
    this.#young.set(key, value);
    return value;
  }

  #makeRoom(): void {
    if (this.size >= this.#limit) {
      this.#young.clear();
      this.#old.clear();
    } else if (this.#made < MIN_NEW || this.#asked < TURNS * this.size) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#asked = 0;
    this.#made = 0;
  }
}
