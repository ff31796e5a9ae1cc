// A set that remembers at least the latest `limit / 2` and at most `limit` members, at constant cost for each.

export class RecentSet {
  readonly #limit: number;
  #young = new Set<string>();
  #old = new Set<string>();
  #forgotten = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Members dropped for want of room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  has(member: string): boolean {
    return this.#young.has(member) || this.#old.has(member);
  }

  add(member: string): void {
    if (this.#young.size >= this.#limit / 2) {
      this.#forgotten += this.#old.size;
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(member);
  }
}
