// Small numbers for keys: a key keeps its number for as long as every round asks for it, so that a change of policy
// renumbers only what it touches.
export class IdPool {
  readonly #ids = new Map<string, { id: number; round: number }>();
  #free: number[] = [];
  #next = 0;
  #round = 0;

  /** Every number given out is below this. */
  get limit(): number {
    return this.#next;
  }

  beginRound(): void {
    this.#round += 1;
  }

  /** The key's number in this round, if it has one already. */
  knownId(key: string): number | undefined {
    const known = this.#ids.get(key);
    if (known === undefined) return undefined;
    known.round = this.#round;
    return known.id;
  }

  /** The key's number in this round. */
  idOf(key: string): number {
    const known = this.knownId(key);
    if (known !== undefined) return known;
    const id = this.#free.pop() ?? this.#next++;
    this.#ids.set(key, { id, round: this.#round });
    return id;
  }

  /** Gives a key the number that it already has elsewhere. Only before the first round. */
  adopt(key: string, id: number): void {
    for (; this.#next < id; this.#next += 1) this.#free.push(this.#next);
    this.#free = this.#free.filter((free) => free !== id);
    this.#next = Math.max(this.#next, id + 1);
    this.#ids.set(key, { id, round: 0 });
  }

  /** Lets a key have the number of another, which it takes the place of; nothing happens if it has one already. */
  rename(from: string, to: string): void {
    const entry = this.#ids.get(from);
    if (entry === undefined || this.#ids.has(to)) return;
    this.#ids.delete(from);
    this.#ids.set(to, entry);
  }

  /** Takes back the numbers of keys that this round did without. */
  endRound(): void {
    const count = this.#free.length;
    for (const [key, entry] of this.#ids) {
      if (entry.round === this.#round) continue;
      this.#ids.delete(key);
      this.#free.push(entry.id);
    }
    if (this.#free.length > count) this.#free.sort((a, b) => b - a);
  }
}
