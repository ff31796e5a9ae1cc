// Little-endian 32-bit words and bytes in a row: how what the control plane made reaches the harness. Knows no content.

export class WordFile {
  readonly #parts: Uint8Array[] = [];

  words(...values: readonly number[]): this {
    this.#parts.push(new Uint8Array(Uint32Array.from(values).buffer));
    return this;
  }

  /** Their number, then the words. */
  counted(words: Uint32Array): this {
    this.words(words.length);
    this.#parts.push(new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice());
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  content(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
