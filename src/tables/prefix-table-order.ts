// Sorts prefixes by address, then length, so that each comes after all that contain it. Counting sort by words, and
// comparisons only among the few that share theirs.
import type { PrefixList } from './prefix-table-list.ts';

const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;
/** Up to so many are sorted by insertion, up to so many by comparison. */
const FEW = 16;
const SOME = 4096;

/** Indexes of the list's prefixes, in order; equal prefixes keep theirs. */
export function orderPrefixes(list: PrefixList, wordsEach: 1 | 4): Uint32Array {
  const sorter = new Sorter(list, wordsEach);
  sorter.sort(0, list.lengths.length, 0);
  return sorter.order;
}

class Sorter {
  readonly order: Uint32Array;
  readonly #words: Uint32Array;
  readonly #lengths: Uint8Array;
  readonly #wordsEach: number;
  readonly #spare: Uint32Array;
  readonly #counts = new Uint32Array(DIGITS);

  constructor({ words, lengths }: PrefixList, wordsEach: number) {
    this.#words = words;
    this.#lengths = lengths;
    this.#wordsEach = wordsEach;
    this.order = Uint32Array.from(lengths.keys());
    this.#spare = new Uint32Array(lengths.length);
  }

  /** Sorts the places [from, to), whose prefixes share the words before `word`. */
  sort(from: number, to: number, word: number): void {
    if (to - from < 2) return;
    if (to - from <= FEW) this.#insert(from, to);
    else if (to - from <= SOME || word === this.#wordsEach) this.order.subarray(from, to).sort(this.#compare);
    else this.#sortByWord(from, to, word);
  }

  #sortByWord(from: number, to: number, word: number): void {
    this.#pass(this.order, this.#spare, from, to, word, 0);
    this.#pass(this.#spare, this.order, from, to, word, DIGIT_BITS);
    for (let start = from; start < to; ) {
      const shared = this.#wordAt(start, word);
      let end = start + 1;
      while (end < to && this.#wordAt(end, word) === shared) end += 1;
      this.sort(start, end, word + 1);
      start = end;
    }
  }

  /** One stable pass by one digit of a word. */
  #pass(source: Uint32Array, target: Uint32Array, from: number, to: number, word: number, shift: number): void {
    const words = this.#words;
    const stride = this.#wordsEach;
    const counts = this.#counts.fill(0);
    for (let at = from; at < to; at += 1) {
      const digit = ((words[stride * (source[at] as number) + word] as number) >>> shift) & (DIGITS - 1);
      counts[digit] = (counts[digit] as number) + 1;
    }
    let start = from;
    for (let digit = 0; digit < DIGITS; digit += 1) {
      const count = counts[digit] as number;
      counts[digit] = start;
      start += count;
    }
    for (let at = from; at < to; at += 1) {
      const index = source[at] as number;
      const digit = ((words[stride * index + word] as number) >>> shift) & (DIGITS - 1);
      const place = counts[digit] as number;
      target[place] = index;
      counts[digit] = place + 1;
    }
  }

  #insert(from: number, to: number): void {
    for (let at = from + 1; at < to; at += 1) {
      const index = this.order[at] as number;
      let place = at;
      for (; place > from && this.#compare(this.order[place - 1] as number, index) > 0; place -= 1) {
        this.order[place] = this.order[place - 1] as number;
      }
      this.order[place] = index;
    }
  }

  readonly #compare = (a: number, b: number): number => {
    for (let word = 0; word < this.#wordsEach; word += 1) {
      const difference =
        (this.#words[this.#wordsEach * a + word] as number) - (this.#words[this.#wordsEach * b + word] as number);
      if (difference !== 0) return difference;
    }
    return (this.#lengths[a] as number) - (this.#lengths[b] as number) || a - b;
  };

  #wordAt(place: number, word: number): number {
    return this.#words[this.#wordsEach * (this.order[place] as number) + word] as number;
  }
}
