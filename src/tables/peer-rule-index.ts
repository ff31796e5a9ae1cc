// Which rules of a list ask for a set of peers: rule positions behind each set, in typed arrays. Part of ListProgram.
import type { SetId } from '../calc/resolved.ts';
import { SetIds } from './set-ids.ts';

const NONE: readonly number[] = [];

export class PeerRuleIndex {
  readonly #sets: SetIds;
  /** By index of the set: where its positions begin; one more at the end. */
  readonly #starts: Uint32Array;
  /** Ascending for each set. */
  readonly #positions: Uint32Array;

  /** Parallel: a set, and the position of a rule that asks for it; positions ascend. */
  constructor(sets: readonly SetId[], positions: readonly number[]) {
    this.#sets = new SetIds(sets);
    this.#starts = new Uint32Array(this.#sets.size + 1);
    this.#positions = new Uint32Array(positions.length);
    const indexes = new Uint32Array(sets.length);
    for (let at = 0; at < sets.length; at += 1) {
      const index = this.#sets.indexOf(sets[at] as SetId);
      indexes[at] = index;
      this.#starts[index + 1] = (this.#starts[index + 1] as number) + 1;
    }
    for (let index = 0; index < this.#sets.size; index += 1) {
      this.#starts[index + 1] = (this.#starts[index + 1] as number) + (this.#starts[index] as number);
    }
    const next = this.#starts.slice();
    for (let at = 0; at < positions.length; at += 1) {
      const index = indexes[at] as number;
      this.#positions[next[index] as number] = positions[at] as number;
      next[index] = (next[index] as number) + 1;
    }
  }

  /** Positions, ascending, of the rules behind any of these sets. */
  behind(sets: Iterable<SetId>): readonly number[] {
    let found: number[] | undefined;
    let isSorted = true;
    for (const set of sets) {
      const index = this.#sets.indexOf(set);
      if (index < 0) continue;
      isSorted = found === undefined;
      found ??= [];
      const end = this.#starts[index + 1] as number;
      for (let at = this.#starts[index] as number; at < end; at += 1) found.push(this.#positions[at] as number);
    }
    if (found === undefined) return NONE;
    return isSorted ? found : found.sort((a, b) => a - b);
  }
}
