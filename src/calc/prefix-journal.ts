// What became of prefixes lately, for those who follow them. Part of AddressSets.
import type { PrefixChanges, PrefixMembership } from './resolved.ts';

/** Changes remembered beyond twice the number of prefixes. */
const MIN_REMEMBERED = 1024;

export class PrefixJournal implements PrefixChanges {
  readonly #prefixes: ReadonlyMap<unknown, PrefixMembership>;
  /** Revision before the first change that is remembered. */
  #base = 0;
  #changed: PrefixMembership[] = [];

  constructor(prefixes: ReadonlyMap<unknown, PrefixMembership>) {
    this.#prefixes = prefixes;
  }

  get revision(): number {
    return this.#base + this.#changed.length;
  }

  since(revision: number): readonly PrefixMembership[] | undefined {
    return revision < this.#base ? undefined : this.#changed.slice(revision - this.#base);
  }

  add(prefix: PrefixMembership): void {
    if (this.#changed.length > MIN_REMEMBERED + 2 * this.#prefixes.size) {
      this.#base = this.revision;
      this.#changed = [];
    }
    this.#changed.push(prefix);
  }
}
