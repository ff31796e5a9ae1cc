// Rows of words that the programs read, and what this process wrote to them: whoever else writes there is found out, and
// undone. What a row means is not known here.

export class ShadowedWords {
  readonly #words: Uint32Array;
  readonly #shadow: Uint32Array;
  readonly #rowWords: number;
  readonly #keyWord: number;

  /** `words` is the kernel's own memory, taken as it is. The word `keyWord` of a row makes the row count, all others first. */
  constructor(words: Uint32Array, rowWords: number, keyWord: number) {
    this.#words = words;
    this.#shadow = words.slice();
    this.#rowWords = rowWords;
    this.#keyWord = keyWord;
  }

  /** Of a row, as this process wrote it. */
  keyOf(row: number): number {
    return this.#shadow[row * this.#rowWords + this.#keyWord] as number;
  }

  holds(row: number, entry: Uint32Array): boolean {
    return entry.every((word, index) => this.#words[row * this.#rowWords + index] === word);
  }

  write(row: number, entry: Uint32Array): void {
    this.#shadow.set(entry, row * this.#rowWords);
    this.#copy(row);
  }

  /** One word of a row that is in use, at once. */
  store(row: number, word: number, value: number): void {
    const at = row * this.#rowWords + word;
    this.#shadow[at] = value;
    Atomics.store(this.#words, at, value);
  }

  /** Nobody finds the row from here on. */
  clear(row: number): void {
    const at = row * this.#rowWords + this.#keyWord;
    this.#shadow[at] = 0;
    Atomics.store(this.#words, at, 0);
  }

  /** Writes back every row that is not as this process wrote it. Returns how many there were. */
  restore(): number {
    let restored = 0;
    for (let at = 0; at < this.#words.length; at += 1) {
      if (this.#words[at] === this.#shadow[at]) continue;
      const row = Math.floor(at / this.#rowWords);
      this.#copy(row);
      restored += 1;
      at = (row + 1) * this.#rowWords - 1;
    }
    return restored;
  }

  #copy(row: number): void {
    const at = row * this.#rowWords;
    for (let word = 0; word < this.#rowWords; word += 1) {
      if (word !== this.#keyWord) this.#words[at + word] = this.#shadow[at + word] as number;
    }
    Atomics.store(this.#words, at + this.#keyWord, this.#shadow[at + this.#keyWord] as number);
  }
}
